"""Export of runs to SavedModel, TFLite and ONNX."""
