"""The crop that a pair of pictures shares: the person centred, at a size that the networks know.

Pure NumPy; training pairs and users' photos are cropped by the same function.

Convention: points are (x, y) in pixels, (0, 0) the centre of the top-left pixel; joints are [J, 3] with visibility, 0
meaning absent; an affine transform [2, 3] is named by its direction, `canvas_to_image` being the one in which pixels
are sampled.
"""

from collections.abc import Sequence

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.skeleton import Skeleton

# The person scale is 1 for a person of this many pixels; the paper's canvas.
_SCALE_UNIT = 200
_REFERENCE_SIZE = 256
# The size of a person measured by its parts, in pixels of those parts.
_UPPER_BODY_FACTOR, _CALF_FACTOR = 2.5, 5.0
# A standing person measured by its upper body or calves is about this many times the larger side of its joints' box;
# with the least factor the box still fits the canvas at a crop factor of 1.14.
_BOX_FACTOR, _LEAST_BOX_FACTOR = 1.2, 0.9


def person_box(joints: np.ndarray) -> np.ndarray:
    """The least box about the visible joints: float32 [4] x, y, width, height in pixels.

    Args:
        joints: [J, 3].

    Raises:
        UserError: fewer than two joints are visible.
    """
    visible = joints[joints[:, 2] > 0, :2]
    if len(visible) < 2:
        raise UserError("Fewer than two joints of the person are visible; take a picture that shows more of them.")
    low, high = visible.min(axis=0), visible.max(axis=0)
    return np.concatenate([low, high - low]).astype(np.float32)


def person_scale(joints: np.ndarray, skeleton: Skeleton) -> float:
    """How large a person is: the greater of 2.5 upper bodies and 5 calves, in units of 200 pixels.

    The upper body is the height of the head above the mean of the hips, a calf runs from knee to ankle; the mean of
    those that are visible is taken.

    Args:
        joints: [J, 3] in pixels.

    Returns:
        A positive number.

    Raises:
        UserError: fewer than two joints are visible, or all of them coincide.

    Source: the authors' released code (`get_person_scale`).
    Deviation: absent joints are left out; where that leaves no upper body and no calf, the size is 1.2 times the
    larger side of the visible joints' box. It is at least 0.9 times that side: a person who lies with bent legs would
    otherwise be enlarged beyond the canvas.
    """
    side = max(person_box(joints)[2:])
    if side <= 0:
        raise UserError("All visible joints of the person lie on one point; correct the pose.")
    size = max(_UPPER_BODY_FACTOR * _upper_body(joints, skeleton), _CALF_FACTOR * _calf(joints, skeleton))
    size = max(size, _LEAST_BOX_FACTOR * side) if size > 0 else _BOX_FACTOR * side
    return float(size) / _SCALE_UNIT


def _upper_body(joints: np.ndarray, skeleton: Skeleton) -> float:
    head, *hips = joints[skeleton.joint_index("head", "left_hip", "right_hip")]
    hips = [hip[1] for hip in hips if hip[2] > 0]
    return float(np.mean(hips) - head[1]) if hips and head[2] > 0 else 0.0


def _calf(joints: np.ndarray, skeleton: Skeleton) -> float:
    lengths = []
    for side in ("left", "right"):
        knee, ankle = joints[skeleton.joint_index(f"{side}_knee", f"{side}_ankle")]
        if knee[2] > 0 and ankle[2] > 0:
            lengths.append(np.hypot(*(knee - ankle)[:2]))
    return float(np.mean(lengths)) if lengths else 0.0


def common_crop(
    poses: Sequence[np.ndarray],
    skeleton: Skeleton,
    height: int,
    width: int,
    crop_factor: float = 1.14,
    boxes: Sequence[np.ndarray | None] | None = None,
) -> np.ndarray:
    """The crop in which all poses of one person are seen alike.

    The canvas's centre shows the mean of the boxes' centres; the largest of the poses, as `person_scale` measures
    them, becomes 200 * crop_factor pixels of a canvas of 256, and in proportion on another.

    Args:
        poses: [J, 3] each, in pixels of one image or of registered ones.
        height, width: size of the canvas.
        boxes: the person's box [4] (x, y, width, height) a pose, None where it is that of the visible joints.

    Returns:
        `canvas_to_image`, float32 [2, 3]: uniform scale and translation.

    Raises:
        UserError: a pose with fewer than two visible joints.

    Source: the authors' released code (`center_and_scale_image`).
    """
    boxes = [None] * len(poses) if boxes is None else boxes
    boxes = [person_box(pose) if box is None else box for pose, box in zip(poses, boxes, strict=True)]
    centre = np.mean([box[:2] + np.asarray(box[2:]) / 2 for box in boxes], axis=0)
    canvas_scale = min(height, width) / _REFERENCE_SIZE
    step = max(person_scale(pose, skeleton) for pose in poses) / (crop_factor * canvas_scale)
    shift = centre - step * np.array([width - 1, height - 1]) / 2
    return np.array([[step, 0, shift[0]], [0, step, shift[1]]], np.float32)


def compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """The affine transform [2, 3] that applies `inner`, then `outer`."""
    return np.concatenate([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2:] + outer[:, 2:]], axis=1)


def invert(matrix: np.ndarray) -> np.ndarray:
    """The inverse of an affine transform [2, 3]."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.concatenate([linear, -linear @ matrix[:, 2:]], axis=1)


def transform_joints(matrix: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Applies an affine transform [2, 3] to joints [..., J, 3], float32; visibility is kept."""
    points = joints[..., :2] @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([points, joints[..., 2:]], axis=-1).astype(np.float32)
