"""Retargets a driving person's motion to the source person's proportions, size and place in the photo.

The body is a tree of bones from the middle of the hips: to both hips and the middle of the shoulders, from there to
both shoulders and the neck, and on along the skeleton's limbs and their anchors; held things hang from their hand.
Every bone keeps the driving person's 2-D direction and foreshortening per frame and is scaled by one ratio for the
whole sequence, the source's bone length to the driving person's. Depth takes the torso's ratio everywhere, which keeps
its order. The body is then placed by its lowest parts, which carry it (the feet when standing, the back when lying,
the hands in a handstand), on the ground that carries the source. Planted feet stay planted, flat or on their toes, a
jump stays a jump.

Pictures show bones at their true length or foreshortened, so lengths are robust maxima: a high percentile over the
sequence, and the longer of left and right. In the single source picture a bone may be foreshortened on both sides, so
ratios are held near the body's global ratio (`_ratios`). Hands and feet are too short to measure in one picture and
take the global ratio, a face its head's. The driving person's orientation is kept; the tilt and motion of the camera
are ignored.

Convention: joints are [T, J, 3] with x, y in pixels, y downward, and visibility, 0 meaning absent, or [T, J, 4] with
depth z. Driving joints are in pixels of their own video, of any size, the result's in pixels of the source photo.
Inside this module a body's P points are its J joints, the middle of the hips (-2) and the middle of the shoulders
(-1), the chest.
"""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import person_joints
from tf_unseen_pose.skeleton import Skeleton

_HIPS, _CHEST = -2, -1
# The joints whose means are the hips' and the shoulders' middles, and what hangs from each.
_MIDDLES = {_HIPS: ("left_hip", "right_hip"), _CHEST: ("left_shoulder", "right_shoulder")}
_BRANCHES = {_HIPS: _MIDDLES[_HIPS], _CHEST: (*_MIDDLES[_CHEST], "neck")}
_SOLES = ("left_heel", "right_heel", "left_toe", "right_toe")
_ANKLES = ("left_ankle", "right_ankle")
# How far the body's surface lies below a joint that rests on the ground, in parts of the height of who stands up. About
# half the depth of a trunk, a thigh, an arm; of feet, heels and toes count where both people show some, else ankles.
_SOLE_FLESH, _ANKLE_FLESH = 0.01, 0.04
_FLESH = {
    "head": 0.05, "neck": 0.04,
    **{f"{side}_{joint}": flesh for side in ("left", "right") for joint, flesh in (
        ("shoulder", 0.045), ("elbow", 0.025), ("wrist", 0.02), ("hand", 0.015), ("hip", 0.055), ("knee", 0.03),
    )},
}  # fmt: skip
# What carries a part of the weight lies at most so far above what lies lowest, in parts of the height.
_SHARING = 0.08
# Bones in parts of the height: no picture shows a bone longer than it is, so the tallest answer is the truest.
_TORSO, _THIGH, _CALF = 0.30, 0.245, 0.245
_FACE = ("nose", "left_ear", "right_ear")
# Over a sequence; the rest are errors of the estimator. Jumps rise above the ground, foreshortening only shortens.
_LENGTH_PERCENTILE = _GROUND_PERCENTILE = 90
# How far people's proportions differ: a bone's ratio in parts of the global one.
_LEAST_RATIO, _MOST_RATIO = 0.8, 1.25


@dataclass(frozen=True, eq=False)
class _Body:
    """A body's points over time: float64 [T, P, 2], absent ones filled in, and bool [T, P], which are not absent."""

    points: np.ndarray
    seen: np.ndarray


def retarget(driving: np.ndarray, source: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Retargets the driving person's motion to the source person.

    The driving person's usual ground is mapped to the ground of the source, and the median x of the hips to the
    source's. Movement from there is scaled like the legs, so that feet do not slide. If either person shows neither
    heels and toes nor ankles, the ground is unknown, and the median of the hips' middle, or else of the shoulders',
    places the body.

    Args:
        driving: [T, J, 3 or 4] in pixels of the driving video.
        source: [J, 3 or 4] in pixels of the source photo; its z is not used.
        skeleton: names hips, shoulders, neck, knees and ankles; other joints hang from the limbs that they share.
            `PERSON` and `BODY` accept each other's poses.

    Returns:
        float32 [T, J, 3 or 4], in pixels of the source photo, always finite; visibility is the driving person's, but
        hands, feet and face are absent if the source shows neither side.

    Raises:
        UserError: both show fewer than two of the same bones, left and right counting once, or none of the joints
            that place the body.

    Example:
        >>> from tf_unseen_pose import BODY, bundled, retarget
        >>> photo, joints, motion = bundled()
        >>> small = motion.scaled_to(motion.width // 2, motion.height // 2)
        >>> retarget(small.joints, joints, BODY).shape == motion.joints.shape
        True
    """
    driving, source = person_joints(driving, skeleton), person_joints(source, skeleton)
    tree = _tree(skeleton)
    body, source_body = _body(driving, tree, skeleton), _body(source[None], tree, skeleton)
    lengths, source_lengths = _lengths(body, tree, skeleton), _lengths(source_body, tree, skeleton)
    ratios = _ratios(lengths, source_lengths, tree, skeleton)
    points = np.zeros_like(body.points)
    for parent, child in tree:
        points[:, child] = points[:, parent] + ratios[child] * (body.points[:, child] - body.points[:, parent])
    movement = ratios[skeleton.joint_index("left_knee", "left_ankle")].mean()
    heights = _height(lengths, skeleton), _height(source_lengths, skeleton)
    points = _placed(points, body, source_body, movement, heights, skeleton)[:, : skeleton.joint_count]
    depth = ratios[_CHEST] * driving[..., 3:]
    visibility = driving[..., 2] * ~_lacking(source, skeleton)
    return np.concatenate([points, visibility[..., None], depth], axis=-1).astype(np.float32)


def _known(joints: tuple[str, ...], skeleton: Skeleton) -> list[int]:
    """The names that the skeleton has."""
    return skeleton.joint_index(*(joint for joint in joints if joint in skeleton.joints))


def _lacking(source: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """bool [J]: hands, feet and face of which the source shows neither side, so that they cannot be rendered."""
    seen = source[:, 2] > 0
    return skeleton.fine & ~seen & ~seen[skeleton.mirrored]


def _tree(skeleton: Skeleton) -> list[tuple[int, int]]:
    """The bones as (parent, child) points, parents first. What no limb connects to the body hangs from the hips."""
    bones = [(_HIPS, _CHEST)]
    bones += [(middle, joint) for middle, names in _BRANCHES.items() for joint in skeleton.joint_index(*names)]
    for limb in skeleton.limbs:
        if limb.name != skeleton.root:
            bones += pairwise(skeleton.joint_index(*limb.joints))
    for limb in skeleton.limbs:
        bones += product(skeleton.joint_index(*limb.anchors), skeleton.joint_index(*limb.joints))
    for held, hand in skeleton.held:
        bones += pairwise(skeleton.joint_index(hand, held))
    edges = [edge for bone in bones for edge in (bone, bone[::-1])]
    edges += [(_HIPS, joint) for joint in range(skeleton.joint_count)]
    tree, reached = [], {_HIPS}
    # The earliest edge that reaches a new point comes next, so a ring of limbs is cut at its last one.
    while bone := next(((a, b) for a, b in edges if a in reached and b not in reached), None):
        tree.append(bone)
        reached.add(bone[1])
    return tree


def _body(joints: np.ndarray, tree: list[tuple[int, int]], skeleton: Skeleton) -> _Body:
    """Joints [T, J, 3 or 4] and their middles. The middle of two joints is that of the visible ones."""
    seen = joints[..., 2] > 0
    points = np.where(seen[..., None], joints[..., :2].astype(np.float64), 0)
    for middle in (_HIPS, _CHEST):
        pair = skeleton.joint_index(*_MIDDLES[middle])
        count = seen[:, pair].sum(axis=1, keepdims=True)
        points = np.concatenate([points, (points[:, pair].sum(axis=1) / np.maximum(count, 1))[:, None]], axis=1)
        seen = np.concatenate([seen, count > 0], axis=1)
    points[:, _CHEST] = _filled(points[:, _CHEST], seen[:, _CHEST], np.zeros(2))
    points[:, _HIPS] = _filled(points[:, _HIPS], seen[:, _HIPS], points[:, _CHEST])
    for parent, child in tree:
        points[:, child] = _filled(points[:, child], seen[:, child], points[:, parent])
    return _Body(points, seen)


def _filled(points: np.ndarray, seen: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """A point [T, 2] with gaps filled: its offset from the parent is interpolated linearly, or 0 if never seen."""
    frames = np.flatnonzero(seen)
    if not len(frames):
        return points * 0 + parent
    offset = (points - parent)[frames]
    times = np.arange(len(points))
    return parent + np.stack([np.interp(times, frames, offset[:, axis]) for axis in (0, 1)], axis=-1)


def _lengths(body: _Body, tree: list[tuple[int, int]], skeleton: Skeleton) -> np.ndarray:
    """[P]: the length of the bone that ends in each point, 0 where it is never seen."""
    lengths = np.zeros(body.points.shape[1])
    for parent, child in tree:
        bone = (body.points[:, child] - body.points[:, parent])[body.seen[:, child] & body.seen[:, parent]]
        if len(bone):
            lengths[child] = np.percentile(np.hypot(*bone.T), _LENGTH_PERCENTILE, method="nearest")
    return np.maximum(lengths, lengths[[*skeleton.mirrored, _HIPS, _CHEST]])


def _ratios(driving: np.ndarray, source: np.ndarray, tree: list[tuple[int, int]], skeleton: Skeleton) -> np.ndarray:
    """[P]: source length to driving length of the bone that ends in each point.

    The global ratio is the median over torso, head, arms and legs; the widths of hips and shoulders depend on
    the body's rotation. A bone of less than 0.8 of it is foreshortened in the source and takes the global ratio, as
    does one that either never shows; one of more than 1.25 is foreshortened in the driving frames and takes 1.25.

    Hands and feet take the global ratio. Over the frames of rendered people it was 4 % off (median), their own held in
    that way 5 to 8 %, the forearm's and the calf's 6 and 8 %. A face is as large as its head.
    """
    fine = np.flatnonzero(skeleton.fine)
    measured = (driving > 0) & (source > 0)
    ratios = source / np.where(measured, driving, 1)
    along = {min(child, skeleton.mirrored[child]) for parent, child in tree if parent not in (_HIPS, _CHEST)}
    along -= set(fine)
    common = [ratios[point] for point in (_CHEST, *along) if measured[point]]
    if len(common) < 2:
        raise UserError(
            "The source person and the driving person have fewer than two visible bones in common; take pictures that "
            "show more of both."
        )
    overall = np.median(common)
    believed = measured & (ratios >= _LEAST_RATIO * overall)
    ratios = np.where(believed, np.minimum(ratios, _MOST_RATIO * overall), overall)
    ratios[fine] = overall
    ratios[_known(_FACE, skeleton)] = ratios[skeleton.joints.index("head")]
    return ratios


def _height(lengths: np.ndarray, skeleton: Skeleton) -> float:
    """About how tall the person is when standing, in pixels."""
    thigh, calf = skeleton.joint_index("left_knee", "left_ankle")
    return max(lengths[_CHEST] / _TORSO, lengths[thigh] / _THIGH, lengths[calf] / _CALF)


def _placed(
    points: np.ndarray,
    body: _Body,
    source: _Body,
    movement: float,
    heights: tuple[float, float],
    skeleton: Skeleton,
) -> np.ndarray:
    """The scaled body [T, P, 2] in the source photo, the driving body's movement scaled by `movement`."""
    feet = [_known(_SOLES, skeleton), skeleton.joint_index(*_ANKLES)]
    support, source_support = _shown_by_both([*feet, [_HIPS], [_CHEST]], body, source)
    root, source_root = _shown_by_both([[_HIPS], [_CHEST], *feet], body, source)
    flesh, percentile = dict.fromkeys(support + source_support, 0.0), 50
    if set(support) <= {*feet[0], *feet[1]}:
        flesh = dict.fromkeys(flesh, _SOLE_FLESH if set(support) <= {*feet[0]} else _ANKLE_FLESH)
        flesh |= {joint: _FLESH[name] for joint, name in enumerate(skeleton.joints) if name in _FLESH}
        percentile = _GROUND_PERCENTILE
    # Hips sink and rise, so they have no ground to rest on: their median is their place.
    carriers = [point for point in flesh if body.seen[:, point].any()]
    depths = np.array([flesh[point] for point in carriers])
    shares = _shares(body.points[:, carriers, 1] + heights[0] * depths, np.isin(carriers, support), heights[0])
    own = _anchor(body.points[:, carriers], shares, heights[0] * depths)
    fitted = _anchor(points[:, carriers], shares, heights[1] * depths)
    points = points + (movement * own - fitted)[:, None]
    x = np.median(points[:, root, 0].mean(axis=1)[body.seen[:, root].any(axis=1)])
    y = np.percentile(movement * own[body.seen[:, carriers].any(axis=1), 1], percentile, method="nearest")
    ground = max(source.points[0, point, 1] + heights[1] * flesh[point] for point in flesh if source.seen[0, point])
    return points + [source.points[0, source_root, 0].mean() - x, ground - y]


def _shares(lowest: np.ndarray, together: np.ndarray, height: float) -> np.ndarray:
    """The share of the body that rests on each point, [T, C], by how far down it reaches [T, C].

    Args:
        together: bool [C], the points that count as one, by the lowest of them: both feet.
    """
    lowest = np.where(together, lowest[:, together].max(axis=1, keepdims=True, initial=-np.inf), lowest)
    above = lowest.max(axis=1, keepdims=True) - lowest
    shares = np.clip(1 - above / max(_SHARING * height, 1e-6), 0, 1)
    return shares / shares.sum(axis=1, keepdims=True)


def _anchor(points: np.ndarray, shares: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """[T, 2]: the x that carries the body, and how far down it reaches, of points [T, C, 2]."""
    return np.stack([(shares * points[..., 0]).sum(axis=1), (points[..., 1] + depths).max(axis=1)], axis=-1)


def _shown_by_both(groups: list[list[int]], body: _Body, source: _Body) -> tuple[list[int], list[int]]:
    """The first group with points in both bodies: those that either shows."""
    for group in groups:
        shown, source_shown = ([point for point in group if b.seen[:, point].any()] for b in (body, source))
        if shown and source_shown:
            return shown, source_shown
    raise UserError(
        "The source person and the driving person have neither ankles nor hips nor shoulders in common; take pictures "
        "that show more of both."
    )
