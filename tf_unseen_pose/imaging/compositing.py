"""Applies a model's decisions to a photo's own pixels with OpenCV and NumPy.

`model.compositing` has the formulas and is the twin in graphs; tests compare the two. What depends on the photo alone
(the person mask, the scene with the inpainted hole) is computed once. A frame then costs one look-up and one blend of
the pixels that may change. Rows are processed in strips, so that memory does not grow with the picture.

Convention: maps are float32 planes [C, h, w] of the canvas, or of a part of its size; colours of decisions are in
[-1, 1], those of pictures in 0..255.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from tf_unseen_pose.imaging.exemplar_inpainting import pieced
from tf_unseen_pose.imaging.placement import Placement
from tf_unseen_pose.imaging.tears import Tears

# As in `model.compositing`; a test compares them.
MASK_FLOOR = 1e-2
_FLOOR = np.float32(MASK_FLOOR)
# Rows per strip, which fits a processor's cache.
_STRIP = 32
# Below this logit alpha is less than half a level of 255.
LEAST_LOGIT = -7.0
# Least visible value of a hole, or of 1 - stillness.
LEAST = 1e-3
# By how much more than what is painted a plate shows, in parts of the canvas's shorter side: without it drawn people
# left ghosts of hair and shoes (29 dB at worst), with it none (51 dB).
GROWTH = 3 / 128


class Compositor:
    """A photo, prepared for any pose of its person.

    Args:
        photo: uint8 [H, W, 3].
        place: of the canvas within it.
        matte: float32 [h, w, 4], see `model.matte`.
        hole: float32 [h, w, 4], inpainted colours times weight, and the weight.
        steepness: factor of alpha's logit.
        plate: uint8 [H, W, 4], the photo without its person, and 255 where that is known; it fills the hole there, and
            a little about it, where hair or a shoe may have been taken for the scene.
        sharp_hole: makes what is inpainted of pieces of the photo, at its resolution, which takes about a second; see
            `exemplar_inpainting`.
    """

    def __init__(
        self,
        photo: np.ndarray,
        place: Placement,
        matte: np.ndarray,
        hole: np.ndarray,
        steepness: float,
        plate: np.ndarray | None = None,
        sharp_hole: bool = False,
    ):
        self._place, self._steepness = place, steepness
        self._covered = place.covered(photo)
        self._fades = place.fade(1, photo.shape[0]), place.fade(0, photo.shape[1])
        self._hole = np.ascontiguousarray(hole.transpose(2, 0, 1))
        self._source = self._with_mask(matte.transpose(2, 0, 1).copy())
        self._reach = self._hole[3] if plate is None else _grown(self._hole[3])
        # The start of every frame, and its covered part.
        self._start = photo.copy()
        self._scene = place.covered(self._start)
        plate = None if plate is None else place.covered(plate)
        guessed = self._fill_hole(plate)
        if sharp_hole:
            self._fill_hole(plate, pieced(self._scene, guessed))

    def __call__(self, decisions: np.ndarray) -> np.ndarray:
        """The photo in one pose: uint8 [H, W, 3].

        Args:
            decisions: float32 [h, w, 9], `model.compositing.Decisions` concatenated.
        """
        result = self._start.copy()
        target = self._place.covered(result)
        planes = np.ascontiguousarray(decisions.transpose(2, 0, 1))
        likely = self._likely(planes)
        tears = Tears(planes[:2], likely, self._place)
        changing = likely | self._still(planes)
        for rows, columns, maps in _strips(changing, self._in_pixels(planes), self._place, _MARGIN):
            around = _around(rows, _MARGIN, target.shape[0])
            made = self._composed(maps, around, columns, tears)
            target[rows, columns] = made[rows.start - around.start :][: rows.stop - rows.start]
        return result

    def _with_mask(self, matte: np.ndarray) -> np.ndarray:
        """The covered pixels and the person mask: uint8 [h, w, 4]."""
        height, width = self._covered.shape[:2]
        source = np.zeros((height, width, 4), np.uint8)
        source[..., :3] = self._covered
        near = matte[3] + np.maximum(matte[:3], 0).sum(axis=0) > LEAST
        # For colours in 0..255, giving a mask in 0..255.
        matte *= np.float32([1, 1, 1, 255])[:, None, None]
        for rows, columns, (*factors, mask) in _strips(near, matte, self._place):
            for factor, colour in zip(factors, cv2.split(self._covered[rows, columns]), strict=True):
                factor *= colour
                mask += factor
            source[rows, columns, 3] = np.clip(mask, 0, 255) + 0.5
        return source

    def _fill_hole(self, plate: np.ndarray | None, pieces: np.ndarray | None = None) -> np.ndarray:
        """Fills the hole in the scene from a plate, uint8 [h, w, 4], else with the inpainted colours.

        It fades towards the canvas's edges.

        Args:
            pieces: uint8 [h, w, 3], in place of the inpainted colours.

        Returns:
            How much of each pixel is inpainted: uint8 [h, w].
        """
        scene, guessed = self._scene, np.zeros(self._scene.shape[:2], np.uint8)
        certain = None if plate is None else self._softly(plate[..., 3])
        maps = np.concatenate([self._hole, self._reach[None]])
        for rows, columns, (*colours, used, reach) in _strips(self._reach > LEAST, maps, self._place):
            fade = self._fade(rows, columns)
            known = 0 if certain is None else certain[rows, columns] * np.float32(1 / 255)
            guessed[rows, columns] = 255 * np.clip(used * (1 - known), 0, 1) + 0.5
            for i, colour in enumerate(colours):
                photo = self._covered[rows, columns, i]
                painted = 127.5 * (colour + used) if pieces is None else used * pieces[rows, columns, i]
                made = (1 - used) * photo + painted
                if plate is not None:
                    made += known * (photo + reach * (plate[rows, columns, i] - photo.astype(np.float32)) - made)
                scene[rows, columns, i] = np.clip(photo + fade * (made - photo), 0, 255) + 0.5
        return guessed

    def _softly(self, known: np.ndarray) -> np.ndarray:
        """Where a plate is known, uint8 [h, w], fading towards its end to avoid a step to inpainted colours."""
        size = 2 * round(self._place.scale) + 1
        return cv2.blur(cv2.erode(known, np.ones((size, size), np.uint8)), (size, size))

    def _fade(self, rows: slice, columns: slice) -> np.ndarray:
        return np.minimum(self._fades[0][rows, None], self._fades[1][columns])

    def _likely(self, planes: np.ndarray) -> np.ndarray:
        """Map cells in which the new person may show: bool [h, w]."""
        alpha, coverage = planes[6:8]
        reach = cv2.dilate(coverage, _NEIGHBOURS)
        likely = cv2.dilate(alpha, _NEIGHBOURS) + np.log((reach + MASK_FLOOR) / (1 - reach + MASK_FLOOR))
        return self._steepness * likely > LEAST_LOGIT

    def _still(self, planes: np.ndarray) -> np.ndarray:
        """Map cells in which the photo may show instead of the inpainted scene: bool [h, w]."""
        hole = cv2.resize(self._reach, planes[8].shape[::-1])
        return (hole > LEAST) & (cv2.dilate(planes[8], _NEIGHBOURS) > LEAST)

    def _in_pixels(self, planes: np.ndarray) -> np.ndarray:
        """The decisions for `_composed`; linear steps are cheaper before maps are enlarged."""
        displacement, gain, offset, alpha, coverage, stillness = np.split(planes, [2, 3, 6, 7, 8])
        return np.concatenate(
            [
                displacement * self._place.scale, gain, 127.5 * (offset + 1 - gain), self._steepness * alpha,
                coverage / 255, 1 - stillness,
            ]
        ).astype(np.float32)  # fmt: skip

    def _composed(self, maps: np.ndarray, rows: slice, columns: slice, tears: Tears) -> np.ndarray:
        """Some of the covered pixels in the new pose: uint8 [h, w, 3]."""
        right, down, gain, *offsets, alpha, coverage, moving = maps
        tears.mend(right, down, rows, columns)
        right += np.arange(columns.start, columns.stop, dtype=np.float32)
        down += np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        *copied, mask = cv2.split(cv2.remap(self._source, right, down, cv2.INTER_CUBIC, None, cv2.BORDER_REPLICATE))
        coverage *= mask
        odds = (coverage + _FLOOR) / (1 + _FLOOR - coverage)
        alpha += np.float32(self._steepness) * cv2.log(odds)
        # Larger logits overflow.
        alpha = 1 / (1 + cv2.exp(-np.maximum(alpha, -80)))
        # A painted alpha is smooth already.
        if self._steepness > 1:
            alpha = cv2.sepFilter2D(alpha, -1, _BINOMIAL, _BINOMIAL, borderType=cv2.BORDER_REPLICATE)
        alpha *= self._fade(rows, columns)
        moves = moving.min() < 1
        made = []
        for i, photo, scene in zip(
            range(3), *map(cv2.split, (self._covered[rows, columns], self._scene[rows, columns])), strict=True
        ):
            colour = gain * copied[i]
            colour += offsets[i]
            colour -= scene
            colour *= alpha
            colour += scene
            if moves:
                colour -= photo
                colour *= moving
                colour += photo
            made.append(cv2.convertScaleAbs(np.maximum(colour, 0, out=colour)))
        return cv2.merge(made)


_NEIGHBOURS = np.ones((3, 3), np.uint8)
# With how many rows above and below an outline is averaged, and the weights.
_MARGIN, _BINOMIAL = 1, np.float32([0.25, 0.5, 0.25])


def _grown(hole: np.ndarray) -> np.ndarray:
    """A hole [h, w], wider by `GROWTH` and with a softer rim."""
    cells = round(GROWTH * min(hole.shape)) + 1
    return cv2.blur(cv2.dilate(hole, _NEIGHBOURS, iterations=cells), (3, 3))


def _around(rows: slice, margin: int, height: int) -> slice:
    """Rows and so many more above and below, as far as there are any."""
    return slice(max(rows.start - margin, 0), min(rows.stop + margin, height))


def _strips(
    cells: np.ndarray, planes: np.ndarray, place: Placement, margin: int = 0
) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Strips of the covered pixels that lie near cells [h, w] of a map that are true.

    Yields:
        Rows, columns, and the map's planes [C, h, w] enlarged there, bilinearly: float32 [C, rows, columns], with
            `margin` rows more above and below (`_around`).
    """
    (low, part), (low_column, part_column) = place.axis(1, planes.shape[1]), place.axis(0, planes.shape[2])
    after = np.minimum(low_column + 1, planes.shape[2] - 1)
    for first in range(0, len(low), _STRIP):
        rows = slice(first, min(first + _STRIP, len(low)))
        around = _around(rows, margin, len(low))
        near_rows = slice(low[around][0], low[around][-1] + 2)
        near = cells[near_rows].any(axis=0)
        touched = np.flatnonzero(near[low_column] | near[after])
        if not len(touched):
            continue
        columns = slice(int(touched[0]), int(touched[-1]) + 1)
        near_columns = slice(low_column[columns][0], low_column[columns][-1] + 2)
        # Products this small do not wake threads.
        wide = planes[:, near_rows, near_columns] @ _weights(low_column, part_column, columns, near_columns).T
        yield rows, columns, _weights(low, part, around, near_rows) @ wide


def _weights(low: np.ndarray, part: np.ndarray, pixels: slice, cells: slice) -> np.ndarray:
    """Interpolation weights of some cells for some pixels, each between cell `low` and the next."""
    own, count = np.arange(pixels.stop - pixels.start), cells.stop - cells.start
    weights = np.zeros((len(own), count), np.float32)
    weights[own, low[pixels] - cells.start] = 1 - part[pixels]
    weights[own, low[pixels] - cells.start + 1] = part[pixels]
    return weights
