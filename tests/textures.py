"""Pictures with something to hold on to, drawn on the spot."""

import numpy as np
from scipy import ndimage


def textured(height, width, seed=0):
    """Random blobs of a few pixels: corners everywhere."""
    noise = np.random.default_rng(seed).uniform(0, 1, (height, width, 3))
    smooth = ndimage.gaussian_filter(noise, (3, 3, 0))
    return np.uint8(255 * (smooth - smooth.min()) / np.ptp(smooth))
