"""Detects cuts between the shots of an edited video.

A cut changes the whole picture at once and stands out among the differences of neighbouring frames; motion and camera
shake change as much before and after.
"""

from collections.abc import Iterable

import cv2
import numpy as np

# Pictures are compared at this size, without noise and fine texture.
THUMBNAIL = (48, 32)
# A cut differs by at least this many grey levels per pixel and channel, and by this factor more than its neighbours.
_LEAST_DIFFERENCE, _FACTOR = 12.0, 4.0
_NEIGHBOURS = 2


def thumbnail(image: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] at the size at which pictures are compared, float32 [32, 48, 3] in 0..255."""
    return cv2.resize(image, THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)


def longest_shot(images: Iterable[np.ndarray]) -> tuple[int, int]:
    """The longest stretch of pictures without a cut.

    Args:
        images: uint8 [H, W, 3], successive, a few a second or more; read one at a time.

    Returns:
        Positions of its first picture and of the one after its last; the earliest among equals.
    """
    differences, before = [], None
    count = 0
    for image in images:
        small = thumbnail(image)
        if before is not None:
            differences.append(float(np.abs(small - before).mean()))
        before = small
        count += 1
    starts = [0, *(i + 1 for i in cuts(np.array(differences))), count]
    return max(zip(starts[:-1], starts[1:], strict=True), key=lambda shot: shot[1] - shot[0])


def cuts(differences: np.ndarray) -> list[int]:
    """Positions of the differences [N] between successive pictures, in grey levels, that are cuts."""
    found = []
    for i, difference in enumerate(differences):
        around = np.delete(differences[max(0, i - _NEIGHBOURS) : i + _NEIGHBOURS + 1], min(i, _NEIGHBOURS))
        # The median: one of the neighbours may be a cut, too.
        usual = float(np.median(around)) if len(around) else 0.0
        if difference >= max(_LEAST_DIFFERENCE, _FACTOR * usual):
            found.append(i)
    return found
