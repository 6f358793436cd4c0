"""Cutting a canvas out of a photo with NumPy and Pillow: the twin of `geometry.resampling.resample`.

A crop is a scale and a shift, so rows and columns are sampled separately.
"""

import math

import numpy as np
from PIL import Image


def cut_out(photo: np.ndarray, canvas_to_image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Samples a photo bilinearly, without aliasing; beyond its border it has the border's colour.

    Args:
        photo: uint8 [H, W, 3].
        canvas_to_image: [2, 3], scale and translation from canvas pixels to photo pixels.
        height, width: of the canvas.

    Returns:
        float32 [height, width, 3] in 0..255.
    """
    (step_x, _, left), (_, step_y, top) = np.float64(canvas_to_image)
    picture = photo.astype(np.float32)
    shrink = math.floor(math.sqrt(step_x * step_y))
    if shrink >= 2:
        rows, columns = (max(1, round(side / shrink)) for side in photo.shape[:2])
        # Corners are aligned: (x + 0.5) scales, x does not.
        scale_x, scale_y = columns / photo.shape[1], rows / photo.shape[0]
        step_x, left = step_x * scale_x, left * scale_x + (scale_x - 1) / 2
        step_y, top = step_y * scale_y, top * scale_y + (scale_y - 1) / 2
        picture = _reduced(picture, rows, columns)
    picture = _sampled(picture, top + step_y * np.arange(height), axis=0)
    return _sampled(picture, left + step_x * np.arange(width), axis=1)


def _reduced(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Reduces with an antialiasing filter in floating point, which Pillow supports for single channels."""
    channels = (Image.fromarray(np.ascontiguousarray(picture[..., i])) for i in range(picture.shape[2]))
    return np.stack([np.asarray(c.resize((columns, rows), Image.Resampling.BILINEAR)) for c in channels], axis=-1)


def _sampled(picture: np.ndarray, position: np.ndarray, axis: int) -> np.ndarray:
    """Linear interpolation along one axis."""
    position = np.clip(position, 0, picture.shape[axis] - 1)
    low = np.floor(position).astype(int)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    part = (position - low).astype(np.float32).reshape(shape)
    above = np.minimum(low + 1, picture.shape[axis] - 1)
    return (1 - part) * np.take(picture, low, axis) + part * np.take(picture, above, axis)
