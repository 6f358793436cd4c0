"""Tools around the model: `doctor` and notebooks."""
