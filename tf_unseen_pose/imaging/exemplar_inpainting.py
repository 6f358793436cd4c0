"""Fills a hole, which already shows a blurred guess, with sharp pieces of the rest of the picture.

Each pixel of the hole takes the place of the picture whose surroundings are most like its own, from coarse to fine. On
the coarsest map all places are compared, those of the same height being preferred: floors stay below walls. On finer
maps places are improved by those beside them and of neighbours. The picture is a vote of overlapping patches. A patch
takes on a little of the guess's shade: on a wall that is lit unevenly patches of other shades would end in edges.
Beyond the finest map only detail is added, that of the places found.

Convention: pictures are [H, W, 3], places are rows and columns, int64 [N, 2].

Sources: votes of overlapping patches, Wexler, Shechtman and Irani, Space-time completion of video, 2007; good places
spread to their neighbours, Barnes, Shechtman, Finkelstein and Goldman, PatchMatch, 2009.
"""

import cv2
import numpy as np

# Patches have 5 x 5 pixels: larger ones repeat objects, smaller ones stay blurred.
_RADIUS = 2
_SIDE = 2 * _RADIUS + 1
_AREA = _SIDE**2
# Longer sides of the coarsest map, about, and of the finest, at most.
_COARSEST, _FINEST = 128, 512
# Pixels that show the guess by more than this, of 255, are no example for others.
_CLEAN = 5
# The squared difference per value of a place as far above or below as the picture is high.
_HEIGHT_PRICE = 3000.0
# By how much, of 255, a patch's mean may change.
_SHADE = 8
# How much better patches count more in votes.
_SHARPNESS = 2.0
_LEAST_WEIGHT = 1e-4
# Rows of the matrix of all differences that are computed at once.
_ROWS = 256
_BESIDE = ((0, 1), (1, 0), (0, -1), (-1, 0))


def pieced(picture: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The picture with its hole made of pieces of the rest.

    Args:
        picture: uint8 [H, W, 3], with a guess in the hole.
        hidden: uint8 [H, W], how much of each pixel is guessed.

    Returns:
        uint8 [H, W, 3], equal to the picture where `hidden` is 0, or everywhere if nothing is left to take pieces from.

    Example:
        >>> import numpy as np
        >>> stripes = np.repeat(np.uint8([[[20], [20], [220]]]), 3, axis=2).repeat(60, axis=0)
        >>> stripes, hidden = np.tile(stripes, (1, 20, 1)), np.zeros((60, 60), np.uint8)
        >>> hidden[20:40, 28:31] = 255
        >>> guess = np.where(hidden[..., None] > 0, np.uint8(87), stripes)
        >>> bool(np.allclose(pieced(guess, hidden), stripes, atol=1))
        True
    """
    size = picture.shape[1::-1]
    made, places = None, None
    for smaller in _sizes(size):
        level = _Level(*_shrunk(picture, hidden, made, smaller))
        if level.is_bare:
            return picture
        if places is None:
            level.search()
            level.vote()
        else:
            level.begin(places)
        level.refine()
        level.vote()
        made, places = level.scene, level.places()
    if smaller != size:
        made = _enlarged(made, places, picture, hidden)
    return np.where(hidden[..., None] > 0, np.uint8(np.clip(made, 0, 255) + 0.5), picture)


def _sizes(size: tuple[int, ...]) -> list[tuple[int, int]]:
    """Widths and heights of the maps, the coarsest first, each about half of the next."""
    longest = max(size)
    sides = [min(_FINEST, longest)]
    while sides[-1] > np.sqrt(2) * _COARSEST:
        sides.append(round(sides[-1] / 2))
    return [(max(1, round(size[0] * side / longest)), max(1, round(size[1] * side / longest))) for side in sides[::-1]]


def _shrunk(
    picture: np.ndarray, hidden: np.ndarray, made: np.ndarray | None, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The scene, float32, with what a coarser map `made` of its hole, and that hole, True there, in a smaller size."""
    hole = cv2.resize(hidden, size, interpolation=cv2.INTER_AREA) > _CLEAN
    hole = cv2.dilate(np.uint8(hole), np.ones((3, 3), np.uint8)) > 0
    scene = np.float32(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    if made is not None:
        scene[hole] = cv2.resize(made, size, interpolation=cv2.INTER_CUBIC)[hole]
    return scene, hole


def _enlarged(made: np.ndarray, places: np.ndarray, picture: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """A map's picture in the size of the whole one, with the detail that each place has there: float32 [H, W, 3]."""
    size = picture.shape[1::-1]
    coarse = cv2.resize(picture, made.shape[1::-1], interpolation=cv2.INTER_AREA)
    detail = np.subtract(picture, cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), dtype=np.int16)
    own = np.argwhere(hidden)
    made = cv2.resize(made, size, interpolation=cv2.INTER_CUBIC)
    made[tuple(own.T)] += detail[tuple(_carried_over(places, own, picture.shape[:2]).T)]
    return made


def _carried_over(places: np.ndarray, own: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The places [N, 2] in a larger map of this shape that a smaller map's, [h, w, 2], mean for pixels [N, 2]."""
    smaller, larger = np.array(places.shape[:2]), np.array(shape)
    before = own * smaller // larger
    shifts = (places[tuple(before.T)] - before) * (larger / smaller)
    return np.clip(own + np.rint(shifts).astype(np.int64), 0, larger - 1)


class _Level:
    """A map: for each patch that touches the hole, the place of the one most like it.

    Args:
        scene: float32 [H, W, 3], with a guess in the hole; `vote` changes it.
        hole: bool [H, W].
    """

    def __init__(self, scene: np.ndarray, hole: np.ndarray):
        self.scene, self._hole = scene, hole
        self._shape = np.array(hole.shape)
        near = cv2.dilate(np.uint8(hole), np.ones((_SIDE, _SIDE), np.uint8)) > 0
        # A patch at the border is shown mirrored there.
        self._usable = ~near
        self._usable[:_RADIUS] = self._usable[-_RADIUS:] = False
        self._usable[:, :_RADIUS] = self._usable[:, -_RADIUS:] = False
        self._own = np.argwhere(near)
        self._number = np.full(hole.shape, -1)
        self._number[near] = np.arange(len(self._own))
        self._stride = hole.shape[1] + 2 * _RADIUS
        down, right = np.mgrid[:_SIDE, :_SIDE]
        self._steps = (down * self._stride + right).ravel()
        self._look()

    @property
    def is_bare(self) -> bool:
        """Whether there is no hole, or no patch outside of it."""
        return not len(self._own) or not self._usable.any()

    def search(self) -> None:
        """Compares all patches."""
        usable = np.argwhere(self._usable)
        offered = self._patches(usable)
        sizes, price = np.square(offered).sum(axis=1), np.float32(_HEIGHT_PRICE * 3 * _AREA / self._shape[0] ** 2)
        best = []
        for first in range(0, len(self._own), _ROWS):
            part = slice(first, first + _ROWS)
            differences = sizes - 2 * self._wanted[part] @ offered.T
            differences += price * np.square(np.float32(self._own[part, :1] - usable[:, 0]))
            best.append(differences.argmin(axis=1))
        self._found = usable[np.concatenate(best)]

    def begin(self, places: np.ndarray) -> None:
        """Takes over a coarser map's places [h, w, 2]."""
        self._found = _carried_over(places, self._own, self._hole.shape)
        lost = ~self._usable[tuple(self._found.T)]
        if lost.any():
            self._found[lost] = self._nearest_usable()[tuple(self._found[lost].T)]

    def refine(self) -> None:
        """Tries the places beside those found, and those that follow from neighbours'."""
        self._cost = np.square(self._patches(self._found) - self._wanted).sum(axis=1)
        for step in _BESIDE:
            self._attempt(self._found + step)
        for step in _BESIDE:
            beside = self._own + step
            inside = ((beside >= 0) & (beside < self._shape)).all(axis=1)
            number = np.where(inside, self._number[tuple(np.where(inside[:, None], beside, 0).T)], -1)
            self._attempt(np.where(number[:, None] >= 0, self._found[number] - step, self._found))

    def vote(self) -> None:
        """Fills the hole with the mean of what the found patches show."""
        shown = self._patches(self._found).reshape(-1, _AREA, 3)
        wanted = self._wanted.reshape(shown.shape)
        shown += np.clip(wanted.mean(axis=1) - shown.mean(axis=1), -_SHADE, _SHADE)[:, None]
        difference = np.square(shown - wanted).mean(axis=(1, 2))
        weight = np.exp(-_SHARPNESS * difference / (np.quantile(difference, 0.75) + 1e-3)) + _LEAST_WEIGHT
        votes = np.ones((len(shown), _AREA, 4), np.float32)
        votes[..., :3] = shown
        votes *= np.float32(weight)[:, None, None]
        total = np.zeros((len(self._padded), 4), np.float32)
        for number, corners in enumerate((self._corners(self._own)[:, None] + self._steps).T):
            # No corner occurs twice.
            total[corners] += votes[:, number]
        total = total.reshape(-1, self._stride, 4)[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS][self._hole]
        self.scene[self._hole] = total[:, :3] / total[:, 3:]
        self._look()

    def places(self) -> np.ndarray:
        """The place that each pixel's patch was found at, [H, W, 2]; its own beside the hole."""
        places = np.stack(np.mgrid[: self._shape[0], : self._shape[1]], axis=-1)
        places[tuple(self._own.T)] = self._found
        return places

    def _look(self) -> None:
        self._padded = cv2.copyMakeBorder(self.scene, *[_RADIUS] * 4, cv2.BORDER_REFLECT_101).reshape(-1, 3)
        self._wanted = self._patches(self._own)

    def _corners(self, places: np.ndarray) -> np.ndarray:
        return places[:, 0] * self._stride + places[:, 1]

    def _patches(self, places: np.ndarray) -> np.ndarray:
        """The patches about places: float32 [N, 3 * 25]."""
        return self._padded[self._corners(places)[:, None] + self._steps].reshape(len(places), 3 * _AREA)

    def _attempt(self, places: np.ndarray) -> None:
        """Takes those of other places, one for each patch, that are better."""
        inside = ((places >= 0) & (places < self._shape)).all(axis=1) & (places != self._found).any(axis=1)
        places = np.where(inside[:, None], places, 0)
        tried = np.flatnonzero(inside & self._usable[tuple(places.T)])
        cost = np.square(self._patches(places[tried]) - self._wanted[tried]).sum(axis=1)
        lower = cost < self._cost[tried]
        better = tried[lower]
        self._found[better], self._cost[better] = places[better], cost[lower]

    def _nearest_usable(self) -> np.ndarray:
        """For every pixel the nearest place of a patch outside of the hole: [H, W, 2]."""
        _, labels = cv2.distanceTransformWithLabels(
            np.uint8(~self._usable), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        usable = np.argwhere(self._usable)
        places = np.zeros((labels.max() + 1, 2), np.int64)
        places[labels[tuple(usable.T)]] = usable
        return places[labels]
