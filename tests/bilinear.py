"""Bilinear sampling by SciPy: what the functions that cut canvases out of pictures are compared with."""

import numpy as np
from scipy.ndimage import map_coordinates


def sampled(picture, output_to_input, height, width):
    """A picture [H, W, C] at the places of every pixel of a canvas, float64 [height, width, C]."""
    y, x = np.mgrid[:height, :width]
    x, y = (output_to_input @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])).reshape(2, height, width)
    channels = np.moveaxis(np.asarray(picture, np.float64), -1, 0)
    return np.stack([map_coordinates(channel, [y, x], order=1, mode="nearest") for channel in channels], axis=-1)
