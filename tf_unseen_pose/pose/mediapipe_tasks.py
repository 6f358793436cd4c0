"""MediaPipe's tasks without TensorFlow, which they import, for seconds, only to decorate their documentation."""

import sys

_hidden = "tensorflow" not in sys.modules
if _hidden:
    # Python takes this for a package that is not installed, as MediaPipe does.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
try:
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision
finally:
    if _hidden:
        del sys.modules["tensorflow"]

__all__ = ["BaseOptions", "mediapipe", "vision"]
