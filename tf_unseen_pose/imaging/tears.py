"""Displacements enlarged across tears, in NumPy.

`geometry.tears` has the formulas. Tears are few, so that only their pixels are computed.
"""

import numpy as np

from tf_unseen_pose.imaging.placement import Placement

# As in `geometry.tears`; a test compares them.
TEAR = 10.0


class Tears:
    """The tears of a displacement.

    Args:
        displacement: float32 [2, h, w], along x and y in pixels of the canvas.
        cells: bool [h, w], those that matter.
        place: of the canvas in the photo.
    """

    def __init__(self, displacement: np.ndarray, cells: np.ndarray, place: Placement):
        height, width = cells.shape
        padded, near = np.pad(displacement, ((0, 0), (0, 1), (0, 1)), mode="edge"), np.pad(cells, (0, 1), mode="edge")
        corners = [(slice(y, y + height), slice(x, x + width)) for y in (0, 1) for x in (0, 1)]
        places = np.stack([padded[:, y, x] for y, x in corners])
        # Within a box this small all places agree.
        box = places.max(axis=0) - places.min(axis=0)
        torn = np.any([near[corner] for corner in corners], axis=0) & ((box**2).sum(axis=0) > TEAR**2)
        (low, below), (left, beside) = place.axis(1, height), place.axis(0, width)
        self._y, self._x = y, x = np.nonzero(torn.take(low, axis=0).take(left, axis=1))
        down, right = below[y], beside[x]
        weights = np.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right])
        self._mended = place.scale * _agreeing_mean(places[..., low[y], left[x]], weights)

    def mend(self, right: np.ndarray, down: np.ndarray, rows: slice, columns: slice) -> None:
        """Corrects an enlarged displacement where it crosses tears.

        Args:
            right: float32 [h, w], along x in pixels of the photo; changed in place.
            down: float32 [h, w], along y.
            rows, columns: of the covered pixels; all that matter in these rows lie in these columns.
        """
        these = slice(*np.searchsorted(self._y, (rows.start, rows.stop)))
        at = self._y[these] - rows.start, self._x[these] - columns.start
        right[at], down[at] = self._mended[:, these]


def _agreement(places):
    """Which of N places [N, 2, ...] are at most `TEAR` apart: bool [N, N, ...]."""
    return ((places[:, None] - places[None]) ** 2).sum(axis=2) <= TEAR**2


def _agreeing_mean(places, weights):
    """`geometry.tears.agreeing_mean` of places [N, 2, P] with weights [N, P]: [2, P]."""
    agreement = _agreement(places)
    support = (agreement * weights[None]).sum(axis=1)
    best = support.argmax(axis=0)
    counted = weights * np.take_along_axis(agreement, best[None, None], axis=0)[0]
    return (counted[:, None] * places).sum(axis=0) / counted.sum(axis=0)
