"""Training: losses, steps, runs on disk, one device or many."""
