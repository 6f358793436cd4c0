"""Who looks alike: clips of one scene that show one person in the same clothes, told by the colours of their limbs.

Photographs of exercises come in twos, in which half of the body hardly moves. The same person in the same clothes is
often found in others of the same room: their frames make pairs as well, of poses that differ more.
"""

from collections import defaultdict
from itertools import combinations

import cv2
import numpy as np

from tf_unseen_pose.data.clip_poses import spread
from tf_unseen_pose.data.frame_cache import DecodedFrame, DecodedFrames
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.crop import person_height
from tf_unseen_pose.known_skeletons import BODY, PERSON, convert_joints
from tf_unseen_pose.skeleton import Skeleton

# Where a limb's colour is taken: so far along its axis, within this part of the person's size, where the mask says so.
_PLACES, _RADIUS, _SURELY = (0.3, 0.5, 0.7), 0.02, 230
# Light and shade change lightness, not so much the colour.
_LIGHTNESS = 0.5
# Distances in Lab, mean of the limbs. Of the exercise pairs' photographs those of one clip are 3.6 apart (median), of
# other scenes 18, and 13 in the nearest of twenty; all 24 pairs of clips up to 9 that were looked at were right.
_ALIKE = 9.0
# As many limbs must be seen in both.
_LEAST_LIMBS = 5
# Frames of a clip that are looked at.
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
    """How far the colours of two people, [L, 3] and [L, 3], are apart, mean of the limbs; infinite if few are seen."""
    apart = np.linalg.norm(one - other, axis=-1)
    seen = np.isfinite(apart)
    return float(apart[seen].mean()) if seen.sum() >= _LEAST_LIMBS else np.inf


def lookalikes(dataset: ClipDataset, frames: DecodedFrames, clips: list[int]) -> dict[int, list[int]]:
    """For every clip the others that show the same person in the same clothes, as far as colours tell.

    Args:
        clips: positions of the clips among which to look. Clips without a scene or without masks have none alike.

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
    # Hands are of one colour, whoever's they are: what is alike was measured without.
    judged = PERSON if skeleton == BODY else skeleton
    return limb_colours(frame._replace(joints=convert_joints(frame.joints, skeleton, judged)), judged)


class Partners:
    """Frames for a pair's other half, from clips of who looks alike; see `lookalikes`.

    Raises:
        UserError: nobody looks alike.
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
        """Clip and frame; None for the part of pairs that stay within their clip, or where nobody looks alike."""
        wanted, place = generator.random(2)
        candidates = self._of.get(clip)
        return candidates[int(place * len(candidates))] if candidates and wanted < self._part else None
