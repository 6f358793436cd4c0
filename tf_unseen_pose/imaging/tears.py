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
        self._scale = place.scale
        self._rows, self._columns = (place.axis(axis, displacement.shape[2 - axis]) for axis in (1, 0))
        height, width = cells.shape
        padded, near = np.pad(displacement, ((0, 0), (0, 1), (0, 1)), mode="edge"), np.pad(cells, (0, 1), mode="edge")
        corners = [(slice(y, y + height), slice(x, x + width)) for y in (0, 1) for x in (0, 1)]
        self._places = np.stack([padded[:, y, x] for y, x in corners])
        self._torn = np.any([near[corner] for corner in corners], axis=0) & ~_agreement(self._places).all(axis=(0, 1))

    def mend(self, right: np.ndarray, down: np.ndarray, rows: slice, columns: slice) -> None:
        """Corrects an enlarged displacement where it crosses tears.

        Args:
            right: float32 [h, w], along x in pixels of the photo; changed in place.
            down: float32 [h, w], along y.
            rows, columns: of the covered pixels.
        """
        (low, below), (left, beside) = self._rows, self._columns
        y, x = np.nonzero(self._torn[low[rows]][:, left[columns]])
        if not len(y):
            return
        below, beside = below[rows][y], beside[columns][x]
        weights = np.stack([(1 - below) * (1 - beside), (1 - below) * beside, below * (1 - beside), below * beside])
        places = self._places[..., low[rows][y], left[columns][x]]
        right[y, x], down[y, x] = self._scale * _agreeing_mean(places, weights)


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
