"""Where in a photo a model's canvas lies, on whole pixels.

Convention: photos are uint8, transforms float64.
"""

from dataclasses import dataclass

import numpy as np

# Width of the fade along the canvas's edge, in parts of its shorter side.
FEATHER = 12 / 256


def on_whole_pixels(canvas_to_image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The nearest crop whose canvas covers whole pixels of the photo: float64 [2, 3].

    This makes the enlargement of canvas maps an ordinary resize, identical in every engine.

    Args:
        canvas_to_image: [2, 3], uniform scale and translation from canvas pixels to photo pixels.
        height, width: of the canvas.
    """
    unit = np.gcd(height, width)
    step = max(1.0, np.round(canvas_to_image[0, 0] * unit)) / unit
    size = np.array([width, height])
    middle = canvas_to_image[0, 0] * (size - 1) / 2 + canvas_to_image[:, 2]
    # Pixel corners lie between integers.
    corner = np.round(middle + 0.5 - step * size / 2)
    return np.array([[step, 0, corner[0] + (step - 1) / 2], [0, step, corner[1] + (step - 1) / 2]])


@dataclass(frozen=True)
class Placement:
    """The place of a canvas on whole pixels in a photo.

    Attributes:
        corner: x and y of the canvas's first pixel; negative where it leaves the photo.
        size: width and height of the canvas in pixels of the photo.
        columns, rows: the covered part of the photo.
        scale: photo pixels per canvas pixel.
    """

    corner: tuple[int, int]
    size: tuple[int, int]
    columns: slice
    rows: slice
    scale: float

    @classmethod
    def of(cls, photo: np.ndarray, canvas_to_image: np.ndarray, height: int, width: int) -> "Placement":
        """The place of a canvas [height, width] in a photo uint8 [H, W, 3], by float64 [2, 3]."""
        step = float(canvas_to_image[0, 0])
        x, y = (round(float(shift)) for shift in canvas_to_image[:, 2] - (step - 1) / 2)
        w, h = round(step * width), round(step * height)
        columns, rows = (
            slice(min(max(first, 0), end), min(max(first + length, 0), end))
            for first, length, end in ((x, w, photo.shape[1]), (y, h, photo.shape[0]))
        )
        return cls((x, y), (w, h), columns, rows, step)

    @property
    def canvas_to_covered(self) -> np.ndarray:
        """float64 [2, 3]: from pixels of the canvas to those of `covered`."""
        half, corner = (self.scale - 1) / 2, self.corner
        shift = corner[0] - self.columns.start + half, corner[1] - self.rows.start + half
        return np.array([[self.scale, 0, shift[0]], [0, self.scale, shift[1]]])

    def covered(self, photo: np.ndarray) -> np.ndarray:
        """The part of a photo uint8 [H, W, 3] that the canvas covers."""
        return photo[self.rows, self.columns]

    def axis(self, number: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
        """The map cells between which the covered pixels lie, along x (0) or y (1).

        Returns:
            [W] or [H] the lower cell, and float32 each pixel's fractional distance to the next.
        """
        covered = (self.columns, self.rows)[number]
        pixels = np.arange(covered.start, covered.stop) - self.corner[number]
        position = np.clip((pixels + 0.5) * (cells / self.size[number]) - 0.5, 0, cells - 1)
        low = np.minimum(position.astype(int), max(cells - 2, 0))
        return low, (position - low).astype(np.float32)

    def fade(self, number: int, image_size: int) -> np.ndarray:
        """Weight of the canvas along x (0) or y (1), fading towards edges within the photo.

        Returns:
            float32 [W] or [H] in [0, 1].
        """
        covered = (self.columns, self.rows)[number]
        pixels = np.arange(covered.start, covered.stop) - self.corner[number] + 0.5
        low = np.full(len(pixels), np.inf) if covered.start == 0 else pixels
        high = np.full(len(pixels), np.inf) if covered.stop == image_size else self.size[number] - pixels
        return np.clip(np.minimum(low, high) / (FEATHER * min(self.size)), 0, 1).astype(np.float32)
