"""A run as TFLite files for phones, small computers and browsers.

DIR/tflite/
  float32.tflite, float16.tflite, dynamic.tflite, int8.tflite    one self-contained file per variant; see `variants`
  report.json, report.md                                         size, speed, memory, and differences of the variants
  SHA256SUMS                                                     of all of these
"""

from tf_unseen_pose.export.tflite.export_files import export_tflite

__all__ = ["export_tflite"]
