"""A run as TFLite files for phones, single-board computers and browsers.

DIR/tflite/
  float32.tflite, float16.tflite, dynamic.tflite, int8.tflite    one self-contained file a variant; see `variants`
  report.json, report.md                                         size, speed, memory, and how much the variants differ
  SHA256SUMS                                                     of all of these
"""

from tf_unseen_pose.export.tflite.export_files import export_tflite

__all__ = ["export_tflite"]
