"""The size of encoded pictures, read from their headers: what would fill the memory is refused before it is decoded."""

import io
import warnings

import numpy as np
from PIL import Image

from tf_unseen_pose.serving.request_errors import RequestError, invalid

# What TensorFlow decodes.
FORMATS = ("BMP", "GIF", "JPEG", "PNG")


def check_pictures(name: str, pictures: np.ndarray, most_pixels: int) -> int:
    """Refuses pictures of unknown formats, with broken headers, or with too many pixels.

    Args:
        name: of the input, for the sentence.
        pictures: bytes, any shape.
        most_pixels: that one picture may have, all frames of an animation together.

    Returns:
        The pixels of all of them together.

    Raises:
        RequestError: INVALID_ARGUMENT.
    """
    total = 0
    for content in pictures.flat:
        try:
            width, height, frames = _measured(content)
        except Image.DecompressionBombError:
            raise _too_large(name, "far too many pixels", most_pixels) from None
        # A parser of strangers' bytes: Pillow raises what its formats' plugins happen to raise.
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
        # Pillow warns of large pictures, which are judged here.
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            # Of GIFs TensorFlow decodes every frame, of animated PNGs the first.
            return *image.size, getattr(image, "n_frames", 1) if image.format == "GIF" else 1


def _too_large(name: str, size: str, most: int) -> RequestError:
    return invalid(f"A picture in input '{name}' has {size}; at most {most} are allowed: shrink it first.")
