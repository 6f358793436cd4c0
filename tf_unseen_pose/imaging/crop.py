"""The crop of a person in several poses: centred, at the size used in training.

Pure NumPy. Training and evaluation use `common_crop` for pairs and `sequence_crop` for sequences; users' photos use
`whole_crop`, which differs if those would cut the person off. Its twins are `export.photo_crop` in graphs and
`serving/on_device/src/geometry/crop.js` on the page.

Convention: points are (x, y) in pixels, (0, 0) the centre of the top-left pixel; joints are [J, 3] with visibility, 0
meaning absent, or [J, 4] with depth z as well; an affine transform [2, 3] is named by its direction; pixels are sampled
along `canvas_to_image`.
"""

from collections.abc import Sequence

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.person_measures import UPPER_BODY_FACTOR, measured, person_box, person_height, person_scale
from tf_unseen_pose.skeleton import REFERENCE_SIZE, Skeleton

# The percentage of a sequence's frames that may stick out on each side, since estimators err now and then; the margin
# about what must not, in parts of the canvas; how much smaller than usual the person may be shown for its sake.
STRAY_PERCENTAGE, MARGIN, MOST_STEP_BACK = 2, 0.03, 1.5
# How far hair, hands and feet reach beyond the joints, in parts of the person's height, with some room for joints that
# were not found exactly and for the result's soft edge; and how far beyond the joints of hands, feet and face, where
# these are known: of photographs that show all of a person, 3.1 % then lose a bit of them instead of 4.2 %, of rendered
# ones 0.4 % instead of 2.7 %. Of the photo's surroundings, so many pixels may be asked for: that its border is seen
# even when the crop has been rounded.
REACH, FINE_REACH, BEYOND = 0.15, 0.08, 1.5


def common_crop(
    poses: Sequence[np.ndarray],
    skeleton: Skeleton,
    height: int,
    width: int,
    crop_factor: float = 1.14,
    boxes: Sequence[np.ndarray | None] | None = None,
) -> np.ndarray:
    """The common crop of all poses of one person.

    The canvas's centre shows the mean of the boxes' centres. The largest of the poses, by `person_scale`, takes
    200 * crop_factor pixels of a canvas of 256, and in proportion on others. Hands, feet and face do not count. A
    skeleton that holds something is shown up to 1.5 times smaller, so that all of it is visible.

    Args:
        poses: [J, 3] each, in pixels of one image or of registered ones.
        height, width: size of the canvas.
        boxes: the person's box [4] (x, y, width, height) per pose; None for that of the visible joints.

    Returns:
        `canvas_to_image`, float32 [2, 3]: uniform scale and translation.

    Raises:
        UserError: a pose with fewer than two visible joints.

    Source: the authors' released code (`center_and_scale_image`).
    """
    poses = [measured(pose, skeleton) for pose in poses]
    given = [None] * len(poses) if boxes is None else boxes
    known = [person_box(pose) if box is None else box for pose, box in zip(poses, given, strict=True)]
    centre = np.mean([box[:2] + np.asarray(box[2:]) / 2 for box in known], axis=0)
    scale = max(person_scale(pose, skeleton) for pose in poses)
    step = _step(scale, height, width, crop_factor)
    if skeleton.held:
        visible = np.concatenate([pose[pose[:, 2] > 0, :2] for pose in poses])
        # The end of what is held is thick, and smears where it touches the canvas's border and is warped.
        room = (0.5 - 2 * MARGIN) * np.array([width - 1, height - 1])
        step = min(max(step, (np.abs(visible - centre) / room).max()), MOST_STEP_BACK * step)
    return _canvas_to_image(centre, step, height, width)


def _step(scale: float, height: int, width: int, crop_factor: float) -> float:
    """Image pixels per canvas pixel for a person of that scale."""
    return scale / (crop_factor * min(height, width) / REFERENCE_SIZE)


def _canvas_to_image(centre: np.ndarray, step: float, height: int, width: int) -> np.ndarray:
    """float32 [2, 3]: the canvas's centre shows the point `centre` of the image."""
    shift = centre - step * np.array([width - 1, height - 1]) / 2
    return np.array([[step, 0, shift[0]], [0, step, shift[1]]], np.float32)


def sequence_crop(
    source: np.ndarray, targets: np.ndarray, skeleton: Skeleton, height: int, width: int, crop_factor: float = 1.14
) -> np.ndarray:
    """The single crop for a source and a whole sequence of target poses.

    It is the `common_crop` of the source and the sequence's typical place (the median of its boxes' centres), at the
    size of its largest pose. If joints would leave the canvas, it is moved, then enlarged by up to 1.5; if that is not
    enough, it stays as near to the typical place as keeps the source in view. In sequences of more than 26 frames, the
    2 % furthest out on each side are ignored, as are frames with fewer than two visible joints (hands, feet and face
    do not count).

    Args:
        source: [J, 3] in pixels of the image.
        targets: [T, J, 3] in pixels of the same image.
        height, width: size of the canvas.

    Returns:
        `canvas_to_image`, float32 [2, 3]: uniform scale and translation.

    Raises:
        UserError: the source has fewer than two visible joints.
    """
    source, targets = measured(source, skeleton), measured(targets, skeleton)
    poses = _with_extent(targets, skeleton) or [source]
    boxes = np.array([person_box(pose) for pose in (source, *poses)])
    (source_low, *lows), (source_high, *highs) = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    low = np.minimum(source_low, _percentile(lows, STRAY_PERCENTAGE))
    high = np.maximum(source_high, _percentile(highs, 100 - STRAY_PERCENTAGE))
    centre = (source_low + source_high + np.median(np.add(lows, highs), axis=0)) / 4
    usual = usual_step(source, poses, skeleton, height, width, crop_factor)

    room = (1 - 2 * MARGIN) * np.array([width - 1, height - 1])
    needed = (high - low) / room
    step = min(max(usual, *needed), MOST_STEP_BACK * usual)
    fits = needed <= MOST_STEP_BACK * usual
    low, high = np.where(fits, low, source_low), np.where(fits, high, source_high)
    return _canvas_to_image(_within(centre, low, high, step * room / 2), step, height, width)


def whole_crop(
    source: np.ndarray,
    targets: np.ndarray,
    image_size: tuple[int, int],
    skeleton: Skeleton,
    height: int,
    width: int,
    crop_factor: float = 1.14,
) -> np.ndarray:
    """The crop of a user's photo, with the source and its target poses complete within the photo.

    Its place is the mean of the source's and the targets' typical one (the median of their boxes' centres), at the size
    of the largest pose: the `common_crop` of a pair. A person reaches 0.15 of their height beyond their joints, 0.08
    beyond those of hands, feet and face, if known. If that would leave the canvas, the crop is moved, then enlarged as
    needed, except for parts outside the photo. In sequences of more than 26 frames, the 2 % furthest out on each side
    are ignored, as are frames with fewer than two visible joints.

    Args:
        source: [J, 3] in pixels of the image.
        targets: [T, J, 3 or 4] in pixels of the same image; T is 1 for a single pose.
        image_size: height and width of the image.
        height, width: size of the canvas.

    Returns:
        `canvas_to_image`, float32 [2, 3]: uniform scale and translation.

    Raises:
        UserError: the source, or every target, has fewer than two visible joints, or all of them on one point.
    """
    poses = _with_extent(targets, skeleton)
    if not poses:
        raise UserError("No target pose shows two joints of the person; give one that shows more of them.")
    boxes = np.array([person_box(measured(pose, skeleton)) for pose in (source, *poses)])
    source_middle, *middles = boxes[:, :2] + boxes[:, 2:] / 2
    centre = (source_middle + np.median(middles, axis=0)) / 2
    reached = np.array([_reached(pose, skeleton) for pose in (source, *poses)])
    (source_low, *lows), (source_high, *highs) = reached[:, 0], reached[:, 1]
    low = np.minimum(source_low, _percentile(lows, STRAY_PERCENTAGE))
    high = np.maximum(source_high, _percentile(highs, 100 - STRAY_PERCENTAGE))
    low, high = np.clip([low, high], -BEYOND, np.array(image_size[::-1]) - 1 + BEYOND)
    size = np.array([width, height])
    step = max(usual_step(source, poses, skeleton, height, width, crop_factor), *(high - low) / size)
    return _canvas_to_image(_within(centre, low, high, step * size / 2), step, height, width)


def holding(canvas_to_image: np.ndarray, extent: np.ndarray, height: int, width: int) -> np.ndarray:
    """A crop, made as much larger as is needed to hold a person's extent as well.

    Args:
        canvas_to_image: [2, 3], uniform scale and translation.
        extent: [4] x0, y0, x1, y1 in pixels of the image, the last ones included.
        height, width: size of the canvas.

    Returns:
        `canvas_to_image`, float32 [2, 3]; the same where it holds the extent already.
    """
    size, step = np.array([width, height]), float(canvas_to_image[0, 0])
    first = canvas_to_image[:, 2] - step / 2
    low, high = np.minimum(first, extent[:2] - BEYOND), np.maximum(first + step * size, extent[2:] + BEYOND)
    larger = max((high - low) / size)
    if larger <= step:
        return np.float32(canvas_to_image)
    return _canvas_to_image(_within(first + step * size / 2, low, high, larger * size / 2), larger, height, width)


def usual_step(
    source: np.ndarray, targets: Sequence, skeleton: Skeleton, height: int, width: int, crop_factor: float = 1.14
) -> float:
    """Pixels of the image a pixel of the canvas, where poses are seen at the size that the networks know best.

    Args:
        source: [J, 3] in pixels of the image.
        targets: [J, 3 or 4] each. The largest of them counts as far as `whole_crop` does not leave it out of account.

    Raises:
        UserError: the source has fewer than two visible joints, or all of them on one point.
    """
    poses = _with_extent(targets, skeleton) or [source]
    scale = _percentile([person_scale(pose, skeleton) for pose in poses], 100 - STRAY_PERCENTAGE)
    return _step(max(person_scale(source, skeleton), float(scale)), height, width, crop_factor)


def _reached(pose: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the box that a person reaches, whichever way up."""
    head, *hips = np.float64(pose[skeleton.joint_index("head", "left_hip", "right_hip")])
    hips = [hip[:2] for hip in hips if hip[2] > 0]
    upper_body = np.hypot(*(np.mean(hips, axis=0) - head[:2])) if hips and head[2] > 0 else 0.0
    height = max(person_height(pose, skeleton), UPPER_BODY_FACTOR * upper_body)
    visible, beyond = pose[:, 2] > 0, np.where(skeleton.fine, FINE_REACH, REACH)
    points, reach = np.float64(pose[visible, :2]), beyond[visible, None] * height
    return (points - reach).min(axis=0), (points + reach).max(axis=0)


def _with_extent(poses: Sequence | np.ndarray, skeleton: Skeleton) -> list[np.ndarray]:
    return [pose for pose in poses if _has_extent(measured(pose, skeleton))]


def _has_extent(pose: np.ndarray) -> bool:
    visible = pose[pose[:, 2] > 0, :2]
    return len(visible) > 1 and bool(np.ptp(visible, axis=0).any())


def _percentile(values: Sequence, percentage: float) -> np.ndarray:
    """A percentile over the first axis as one of the values, so that for few values it is the extreme."""
    return np.percentile(values, percentage, axis=0, method="nearest")


def _within(centre: np.ndarray, low: np.ndarray, high: np.ndarray, half: np.ndarray) -> np.ndarray:
    """The nearest centre with `low`..`high` within `half`; their middle if they are larger."""
    first, last = high - half, low + half
    return np.where(first <= last, np.clip(centre, first, last), (low + high) / 2)
