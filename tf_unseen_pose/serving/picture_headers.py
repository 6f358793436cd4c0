"""Reads the size of encoded pictures from their headers, to reject large ones before decoding."""

import io
import warnings

import numpy as np
from PIL import Image

from tf_unseen_pose.serving.request_errors import RequestError, invalid

# The formats that TensorFlow decodes.
FORMATS = ("BMP", "GIF", "JPEG", "PNG")


def check_pictures(name: str, pictures: np.ndarray, most_pixels: int) -> int:
    """Rejects pictures of unknown formats, with broken headers, or with too many pixels.

    Args:
        name: of the input, for messages.
        pictures: bytes, any shape.
        most_pixels: limit per picture, including all frames of an animation.

    Returns:
        The total number of pixels.

    Raises:
        RequestError: INVALID_ARGUMENT.
    """
    total = 0
    for content in pictures.flat:
        try:
            width, height, frames = _measured(content)
        except Image.DecompressionBombError:
            raise _too_large(name, "far too many pixels", most_pixels) from None
        # Untrusted bytes: Pillow's plugins raise various errors.
        except Exception:
            raise invalid(
                f"Input '{name}' holds no complete picture: its {len(content)} bytes do not begin like a JPEG, "
                "PNG, GIF or BMP file; send the file unchanged."
            ) from None
        if width * height * frames > most_pixels:
            count = f"{frames} frames of " if frames > 1 else ""
            raise _too_large(name, f"{count}{width} x {height} pixels", most_pixels)
        total += width * height * frames
    return total


def _measured(content: bytes) -> tuple[int, int, int]:
    """Width, height and the number of frames that TensorFlow would decode."""
    with warnings.catch_warnings():
        # Pillow's warning about large pictures is not needed here.
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            # TensorFlow decodes every frame of GIFs, and the first of animated PNGs.
            return *image.size, getattr(image, "n_frames", 1) if image.format == "GIF" else 1


def _too_large(name: str, size: str, most: int) -> RequestError:
    return invalid(f"A picture in input '{name}' has {size}; at most {most} are allowed: shrink it first.")
