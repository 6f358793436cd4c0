"""Datasets: input formats, storage on disk, and training pairs."""
