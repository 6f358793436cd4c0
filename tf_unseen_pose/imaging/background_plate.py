"""Aligns a picture of the empty scene (a plate) with the photo, to show what was behind the person.

A plate may have another size, a slightly different viewpoint and other light. It is aligned by the common background,
first roughly, then by `registration`, and its channels are matched to the photo's brightness.

Convention: a plate is uint8 [h, w, 3], or [h, w, 4], the fourth channel being 255 where it is known, else 0;
transforms are float64 [3, 3], from pixels of the plate to pixels of the photo.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.inpainting import grown
from tf_unseen_pose.imaging.registration import Registration

# Relative difference up to which the proportions of two pictures count as equal.
_SAME_PROPORTIONS = 0.01
# Longer side for finding rough places and comparing light.
_SMALL_SIDE = 640
# Features match if the second best is further by this; how far matches may be off, in pixels; how many are needed.
_DISTINCT, _ROUGHLY, _LEAST_MATCHES = 0.75, 3.0, 12
# The place by features is less exact if the other one can be right; it is used if it leaves less than this fraction of
# the difference.
_CLEARLY = 0.8
# Colours are compared from this far beside the person, in pixels of the small pictures.
_MARGIN = 5
# Levels that are neither clipped nor mostly noise, and how many pixels must have them for their light to be compared.
_DARKEST, _BRIGHTEST, _LEAST_PIXELS = 12, 243, 200
# A plate that is darker or brighter than this shows another scene or time.
_MOST_GAIN = 4.0


def placed(plate: np.ndarray, photo: np.ndarray, person: np.ndarray) -> np.ndarray:
    """The plate aligned with the photo, in its light.

    Args:
        plate: uint8 [h, w, 3 or 4].
        photo: uint8 [H, W, 3].
        person: uint8 [H, W], 255 where the photo's person may be, which is not compared.

    Returns:
        uint8 [H, W, 4], with 0 in the fourth channel where the plate shows nothing.

    Raises:
        UserError: an invalid plate, or too little in common with the photo.
    """
    plate, best, least = _with_knowledge(plate), None, np.inf
    registration = Registration(photo, person)
    for rough in _rough_places(plate, photo, person):
        moved = _relit(_warped(plate, rough, photo.shape), photo, person)
        fine = registration.align(moved[..., :3], 255 - moved[..., 3])
        if fine is None:
            continue
        moved = _relit(_warped(plate, np.vstack([fine, [0, 0, 1]]) @ rough, photo.shape), photo, person)
        beside = _beside_person(moved, photo, person)
        difference = np.abs(beside[:, :3] - beside[:, 3:]).mean()
        if difference < _CLEARLY * least:
            best, least = moved, difference
    if best is None:
        raise UserError(
            "The background has too little in common with the photo to be aligned; take it from the same place, "
            "or leave it out."
        )
    return best


def _with_knowledge(plate: np.ndarray) -> np.ndarray:
    if plate.dtype != np.uint8 or plate.ndim != 3 or plate.shape[2] not in (3, 4) or not plate.size:
        raise UserError(
            f"A background is uint8 [h, w, 3] or [h, w, 4], not {plate.dtype} {list(plate.shape)}; load it with "
            "load_background."
        )
    return plate if plate.shape[2] == 4 else np.dstack([plate, np.full_like(plate[..., 0], 255)])


def _rough_places(plate: np.ndarray, photo: np.ndarray, person: np.ndarray) -> Iterator[np.ndarray]:
    """Candidate transforms: for pictures of one view, then by features."""
    size, whole = plate.shape[1::-1], photo.shape[1::-1]
    across, down = np.divide(whole, size)
    if abs(across / down - 1) <= _SAME_PROPORTIONS:
        yield _resizing(size, whole)
    small = [_shrunk(picture) for picture in (plate, photo, person)]
    masks = small[0][..., 3], 255 - small[2]
    transform = _by_features([picture[..., :3] for picture in small[:2]], masks)
    if transform is not None:
        to_small, to_whole = _resizing(size, small[0].shape[1::-1]), _resizing(small[1].shape[1::-1], whole)
        yield to_whole @ transform @ to_small


def _by_features(pictures: list[np.ndarray], masks: tuple[np.ndarray, np.ndarray]) -> np.ndarray | None:
    """From the first of two pictures [h, w, 3] to the second; None where too few features match.

    Source: SIFT and its ratio test: Lowe, 2004.
    """
    finder = cv2.SIFT_create(2000)
    found = [
        finder.detectAndCompute(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), m) for p, m in zip(pictures, masks, strict=True)
    ]
    if min(len(points) for points, _ in found) < _LEAST_MATCHES:
        return None
    near = cv2.BFMatcher().knnMatch(found[0][1], found[1][1], 2)
    pairs = [(first.queryIdx, first.trainIdx) for first, second in near if first.distance < _DISTINCT * second.distance]
    if len(pairs) < _LEAST_MATCHES:
        return None
    here, there = (
        np.float32([points[number].pt for number in numbers])
        for (points, _), numbers in zip(found, zip(*pairs, strict=True), strict=True)
    )
    transform, agreeing = cv2.findHomography(here, there, cv2.RANSAC, _ROUGHLY)
    return transform if transform is not None and agreeing.sum() >= _LEAST_MATCHES else None


def _warped(plate: np.ndarray, transform: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The plate warped into a picture of a shape, unknown beyond its border."""
    step = int(1 / np.sqrt(max(abs(np.linalg.det(transform[:2, :2])), 1e-6)))
    if step >= 2:
        # Sampling alone would skip pixels.
        size = plate.shape[1::-1]
        plate = cv2.resize(plate, [max(1, side // step) for side in size], interpolation=cv2.INTER_AREA)
        transform = transform @ _resizing(plate.shape[1::-1], size)
    size = shape[1::-1]
    seen = cv2.warpPerspective(plate[..., :3], transform, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    known = cv2.warpPerspective(plate[..., 3], transform, size, flags=cv2.INTER_LINEAR)
    return np.dstack([seen, cv2.compare(known, 127, cv2.CMP_GT)])


def _relit(plate: np.ndarray, photo: np.ndarray, person: np.ndarray) -> np.ndarray:
    """The aligned plate, each channel matched to the photo's brightness beside the person."""
    both = _beside_person(plate, photo, person)
    both = both[((both > _DARKEST) & (both < _BRIGHTEST)).all(axis=1)]
    if len(both) < _LEAST_PIXELS:
        return plate
    gains = np.clip(np.median(both[:, :3] / both[:, 3:], axis=0), 1 / _MOST_GAIN, _MOST_GAIN)
    # Of 256 levels; the fourth channel stays.
    levels = np.clip(np.arange(256)[:, None] * np.append(gains, 1) + 0.5, 0, 255).astype(np.uint8)
    return cv2.LUT(plate, levels[None])


def _beside_person(plate: np.ndarray, photo: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Colours of the photo and of the aligned plate where both show the scene: float32 [N, 6]."""
    seen, behind, mask = (_shrunk(picture) for picture in (photo, plate, person))
    free = (behind[..., 3] == 255) & (grown(mask, _MARGIN) < 32)
    return np.concatenate([seen[free], behind[free, :3]], axis=1).astype(np.float32)


def _shrunk(picture: np.ndarray) -> np.ndarray:
    scale = _SMALL_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _resizing(size: tuple[int, ...], other: tuple[int, ...]) -> np.ndarray:
    """From pixels of a picture of a width and height to those of the same picture in another size."""
    scale = np.divide(other, size)
    # Corners are aligned: (x + 0.5) scales, x does not.
    return np.array([[scale[0], 0, (scale[0] - 1) / 2], [0, scale[1], (scale[1] - 1) / 2], [0, 0, 1]])
