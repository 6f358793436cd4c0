"""Finds lookalikes: clips of one scene with the same person in the same clothes, by the colours of their limbs.

In pairs of exercise photographs half of the body hardly moves. Other photographs of the same room often show the same
person in the same clothes; their frames make pairs with larger differences.
"""

from collections import defaultdict
from itertools import combinations

import cv2
import numpy as np

from tf_unseen_pose.data.clip_poses import spread
from tf_unseen_pose.data.frame_cache import DecodedFrame, DecodedFrames
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.person_measures import person_height
from tf_unseen_pose.known_skeletons import BODY, PERSON, convert_joints
from tf_unseen_pose.skeleton import Skeleton

# A limb's colour is sampled at these fractions of its axis, within this fraction of the person's size, inside the mask.
_PLACES, _RADIUS, _SURELY = (0.3, 0.5, 0.7), 0.02, 230
# Weight of lightness, which light and shade change more than hue.
_LIGHTNESS = 0.5
# Limit on the mean distance in Lab. In the exercise pairs the median is 3.6 within a clip, 18 between scenes, and 13 to
# the nearest of twenty; all 24 inspected pairs of clips below 9 were right.
_ALIKE = 9.0
# Least number of limbs seen in both.
_LEAST_LIMBS = 5
# Frames used per clip.
_LOOKED_AT = 4


def limb_colours(frame: DecodedFrame, skeleton: Skeleton) -> np.ndarray:
    """Median colour of each limb: float32 [L, 3], lightness (halved), a and b of CIE Lab; NaN where it is not seen.

    Args:
        frame: one with a mask.

    Raises:
        UserError: fewer than two joints are visible, or all of them coincide.
    """
    assert frame.mask is not None
    first, second = skeleton.limb_ends
    radius = max(1, round(_RADIUS * person_height(frame.joints[:, :3], skeleton)))
    height, width = frame.mask.shape
    colours = np.full((skeleton.limb_count, 3), np.nan, np.float32)
    for limb, ends in enumerate(zip(first, second, strict=True)):
        if (frame.joints[np.concatenate(ends), 2] <= 0).any():
            continue
        start, end = (frame.joints[joints, :2].mean(axis=0) for joints in ends)
        pixels = []
        for part in _PLACES:
            x, y = np.rint(start + part * (end - start)).astype(int)
            rows, columns = slice(max(0, y - radius), y + radius + 1), slice(max(0, x - radius), x + radius + 1)
            if 0 <= x < width and 0 <= y < height:
                pixels.append(frame.image[rows, columns][frame.mask[rows, columns] >= _SURELY])
        pixels = np.concatenate(pixels) if pixels else np.empty((0, 3), np.uint8)
        if len(pixels) > radius**2:
            lab = cv2.cvtColor(np.float32(pixels[None]) / 255, cv2.COLOR_RGB2LAB)[0]
            colours[limb] = np.median(lab, axis=0) * [_LIGHTNESS, 1, 1]
    return colours


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of the limb colours of two people, [L, 3] and [L, 3]; infinite if few are seen."""
    apart = np.linalg.norm(one - other, axis=-1)
    seen = np.isfinite(apart)
    return float(apart[seen].mean()) if seen.sum() >= _LEAST_LIMBS else np.inf


def lookalikes(dataset: ClipDataset, frames: DecodedFrames, clips: list[int]) -> dict[int, list[int]]:
    """For every clip the others with the same person in the same clothes, by colours.

    Args:
        clips: positions of the clips to search. Clips without a scene or masks have no lookalikes.

    Raises:
        UserError: as `limb_colours`.
    """
    scenes, colours = defaultdict(list), {}
    for clip in clips:
        entry = dataset.clips[clip]
        masked = [position for position, frame in enumerate(entry.frames) if frame.has_mask]
        if entry.scene and masked:
            scenes[entry.scene].append(clip)
            chosen = [masked[i] for i in spread(len(masked), _LOOKED_AT)]
            colours[clip] = [_colours(frames.read(clip, frame), dataset.skeleton) for frame in chosen]
    found = defaultdict(list)
    for scene in scenes.values():
        for one, other in combinations(scene, 2):
            if np.median([distance(a, b) for a in colours[one] for b in colours[other]]) < _ALIKE:
                found[one].append(other)
                found[other].append(one)
    return dict(found)


def _colours(frame: DecodedFrame, skeleton: Skeleton) -> np.ndarray:
    # Hands have one colour for everybody; the limits were measured without them.
    judged = PERSON if skeleton == BODY else skeleton
    return limb_colours(frame._replace(joints=convert_joints(frame.joints, skeleton, judged)), judged)


class Partners:
    """Target frames from lookalike clips; see `lookalikes`.

    Raises:
        UserError: there are no lookalikes.
    """

    def __init__(self, dataset: ClipDataset, frames: DecodedFrames, clips: list[int], part: float):
        self._part = part
        self._of = {
            clip: [
                (other, position)
                for other in others
                for position, frame in enumerate(dataset.clips[other].frames)
                if frame.has_mask
            ]
            for clip, others in lookalikes(dataset, frames, clips).items()
        }
        if not self._of:
            raise UserError(
                f"No two clips of {dataset.path} show similar people, which data.across needs; set it to 0."
            )

    def choose(self, generator: np.random.Generator, clip: int) -> tuple[int, int] | None:
        """Clip and frame; None for pairs within their clip, or without lookalikes."""
        wanted, place = generator.random(2)
        candidates = self._of.get(clip)
        return candidates[int(place * len(candidates))] if candidates and wanted < self._part else None
