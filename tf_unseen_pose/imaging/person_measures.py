"""How large a person is in a picture, by the joints.

Pure NumPy. Hands, feet and face do not count, so that a pose is measured alike with and without them. Its twins are in
`export.photo_crop` and `serving/on_device/src/geometry/crop.js`.

Convention: joints are [J, 3], x and y in pixels and visibility, 0 meaning absent.
"""

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.skeleton import Skeleton

# Size in pixels of a person of scale 1.
SCALE_UNIT = 200
# The size of a person as a multiple of its parts.
UPPER_BODY_FACTOR, CALF_FACTOR = 2.5, 5.0
# The size of a standing person is about this multiple of the larger side of its joints' box; with the least factor the
# box still fits the canvas at a crop factor of 1.14.
BOX_FACTOR, LEAST_BOX_FACTOR = 1.2, 0.9


def measured(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Joints [..., J, 3 or 4] in pixels for measuring people: hands, feet and face are absent.

    So networks see a person at the same size and place with or without them.
    """
    joints = joints.copy()
    joints[..., skeleton.fine, 2] = 0
    return joints


def person_box(joints: np.ndarray) -> np.ndarray:
    """The bounding box of the visible joints: float64 [4] x, y, width, height in pixels.

    Args:
        joints: [J, 3].

    Raises:
        UserError: fewer than two joints are visible.
    """
    visible = np.float64(joints[joints[:, 2] > 0, :2])
    if len(visible) < 2:
        raise UserError("Fewer than two joints of the person are visible; take a picture that shows more of them.")
    low, high = visible.min(axis=0), visible.max(axis=0)
    return np.concatenate([low, high - low])


def person_scale(joints: np.ndarray, skeleton: Skeleton) -> float:
    """The size of a person, the greater of 2.5 upper bodies and 5 calves, in units of 200 pixels.

    The upper body is the height of the head above the mean of the hips; a calf is the mean distance from knee to ankle
    of the visible ones. Hands, feet and face do not count.

    Args:
        joints: [J, 3] in pixels.

    Returns:
        A positive number.

    Raises:
        UserError: fewer than two joints are visible, or all of them coincide.

    Source: the authors' released code (`get_person_scale`).
    Deviation: absent joints are ignored; without upper body and calf, the size is 1.2 times the larger side of the
    visible joints' box. It is at least 0.9 times that side: a person who lies with bent legs would
    otherwise be enlarged beyond the canvas.
    """
    joints = measured(joints, skeleton)
    side = max(person_box(joints)[2:])
    if side <= 0:
        raise UserError("All visible joints of the person lie on one point; correct the pose.")
    joints = np.float64(joints)
    size = max(UPPER_BODY_FACTOR * _upper_body(joints, skeleton), CALF_FACTOR * _calf(joints, skeleton))
    size = max(size, LEAST_BOX_FACTOR * side) if size > 0 else BOX_FACTOR * side
    return float(size) / SCALE_UNIT


def person_height(joints: np.ndarray, skeleton: Skeleton) -> float:
    """`person_scale` in pixels: about the person's height when standing.

    Raises:
        UserError: as `person_scale`.
    """
    return SCALE_UNIT * person_scale(joints, skeleton)


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
