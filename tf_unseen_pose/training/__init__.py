"""How networks learn: losses, steps, runs on disk, one device or many."""
