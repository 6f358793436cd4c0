"""Poses: where they are read or found, how they are steadied, and how they are fitted to a person."""
