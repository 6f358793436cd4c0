"""Datasets: what they are read from, how they lie on disk, and the training pairs drawn from them."""
