"""A run as ONNX files, for runtimes on desktops, servers and accelerators that know no TensorFlow.

DIR/onnx/
  encode_source.onnx, decide.onnx, render.onnx    one self-contained file a stage
  SHA256SUMS                                      of all of these
"""

from tf_unseen_pose.export.onnx.export_files import export_onnx

__all__ = ["export_onnx"]
