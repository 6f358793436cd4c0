"""Evaluation: measures models against baselines pair by pair, and writes the report."""
