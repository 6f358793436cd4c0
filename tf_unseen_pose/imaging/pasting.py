"""Pastes a picture of lower resolution back into the photo that it shows a part of.

What depends on the photo and the place alone is computed once; a frame costs one resize and one blend in Pillow.
"""

import numpy as np
from PIL import Image


class Pasting:
    """A photo with a place for canvases, which fade into it at their edges.

    Args:
        photo: uint8 [H, W, 3].
        height, width: of the canvases.
        canvas_to_image: [2, 3], uniform scale and translation from canvas pixels to photo pixels.
        feather: width of the fade, in parts of the canvas's shorter side. There is none where the canvas's edge lies
            outside the photo.
    """

    def __init__(
        self, photo: np.ndarray, height: int, width: int, canvas_to_image: np.ndarray, feather: float = 12 / 256
    ):
        self._photo = photo
        feather *= min(height, width)
        step, shift = canvas_to_image[0, 0], canvas_to_image[:, 2]
        columns, x = _covered(photo.shape[1], width, step, shift[0])
        rows, y = _covered(photo.shape[0], height, step, shift[1])
        self._window = None
        if not len(x) or not len(y):
            return
        self._window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        # Pillow measures from a pixel's corner; a photo's pixel is 1 / step canvas pixels wide.
        corners = np.array([x[0], y[0], x[-1], y[-1]]) + 0.5 + np.array([-1, -1, 1, 1]) * 0.5 / step
        self._box = tuple(np.clip(corners, 0, (width, height, width, height)))
        across = _fade(x, width, feather, columns, photo.shape[1])
        weight = np.minimum(_fade(y, height, feather, rows, photo.shape[0])[:, None], across)
        self._weight = Image.fromarray(np.round(255 * weight).astype(np.uint8))
        self._below = Image.fromarray(photo[self._window])

    def __call__(self, canvas: np.ndarray) -> np.ndarray:
        """The photo with a canvas, uint8 [height, width, 3], in its place: uint8 [H, W, 3]."""
        result = self._photo.copy()
        if self._window is not None:
            patch = Image.fromarray(canvas).resize(self._below.size, Image.Resampling.BICUBIC, box=self._box)
            result[self._window] = Image.composite(patch, self._below, self._weight)
        return result


def _covered(image_size: int, canvas_size: int, step: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Along one axis: the photo's pixels that the canvas covers, and their places on the canvas."""
    pixels = np.arange(image_size)
    position = (pixels - shift) / step
    inside = (position >= 0) & (position <= canvas_size - 1)
    return pixels[inside], position[inside]


def _fade(position: np.ndarray, size: int, feather: float, pixels: np.ndarray, image_size: int) -> np.ndarray:
    """Weight 0..1 of the canvas along one axis."""
    low = np.full_like(position, np.inf) if pixels[0] == 0 else position
    high = np.full_like(position, np.inf) if pixels[-1] == image_size - 1 else size - 1 - position
    return np.clip(np.minimum(low, high) / feather, 0, 1)
