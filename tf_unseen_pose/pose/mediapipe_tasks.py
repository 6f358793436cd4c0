"""Imports MediaPipe's tasks without TensorFlow, which they load for seconds but do not need."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden_tensorflow() -> Iterator[None]:
    """A context in which imports do not find TensorFlow, unless it is already imported."""
    hidden = "tensorflow" not in sys.modules
    if hidden:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["tensorflow"]


# It only decorates their documentation.
with hidden_tensorflow():
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

__all__ = ["BaseOptions", "hidden_tensorflow", "mediapipe", "vision"]
