"""Classical inpainting of a person."""

import cv2
import numpy as np

# Growth of the hole beyond the mask, as a fraction of the picture's shorter side, since a mask's edge shows the person.
_HOLE_GROWTH = 0.02
# How much of the mask makes a pixel one of the hole, and from how far the inpainting takes its colours, in pixels.
_HOLE, _RADIUS = 0.1, 3


def grown(mask: np.ndarray, radius: int) -> np.ndarray:
    """A soft mask [H, W], uint8 or float32, dilated by `radius`."""
    if radius < 1:
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask, disc)


def hole_of(mask: np.ndarray) -> np.ndarray:
    """The pixels that may show the person: uint8 [H, W], 1 there, from a soft mask [H, W] in [0, 1]."""
    return grown((mask > _HOLE).astype(np.uint8), round(_HOLE_GROWTH * min(mask.shape)))


def inpainted(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture with its person inpainted from the surroundings: uint8 [H, W, 3].

    Args:
        image: uint8 [H, W, 3].
        mask: float32 [H, W] in [0, 1], the person.

    Source: OpenCV's `inpaint` by the method of Telea (2004).
    """
    return cv2.inpaint(image, hole_of(mask), _RADIUS, cv2.INPAINT_TELEA)
