"""What helps around the model: the examination of a machine, and notebooks."""
