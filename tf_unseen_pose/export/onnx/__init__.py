"""A run as ONNX files, for runtimes without TensorFlow.

DIR/onnx/
  encode_source.onnx, decide.onnx, render.onnx    one self-contained file per stage
  SHA256SUMS                                      of all of these
"""

from tf_unseen_pose.export.onnx.export_files import export_onnx

__all__ = ["export_onnx"]
