"""Pose mathematics in TensorFlow, for training, SavedModels and TFLite."""
