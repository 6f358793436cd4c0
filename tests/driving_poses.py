"""People who drive motions, and are driven: one from the front, whose left and right differ everywhere."""

import numpy as np

from tf_unseen_pose.known_skeletons import BODY, PERSON

# Seen from the front, the left arm raised; left and right differ everywhere.
SOURCE = np.array(
    [
        [101, 40, 1], [103, 64, 1],
        [81, 70, 1], [71, 97, 1], [65, 121, 1],
        [125, 72, 1], [147, 55, 1], [163, 33, 1],
        [88, 125, 1], [84, 163, 1], [79, 203, 1],
        [118, 127, 1], [121, 166, 1], [127, 207, 1],
    ],
    np.float32,
)  # fmt: skip
# The same person with a face that looks down to the viewer's right, hands, and feet that are turned out.
WHOLE = np.concatenate(
    [
        SOURCE,
        [[107, 58, 1], [92, 51, 1], [109, 49, 1], [62, 133, 1], [168, 22, 1]],
        [[82, 211, 1], [124, 214, 1], [64, 218, 1], [143, 223, 1]],
    ]
).astype(np.float32)
GROUND, ROOT_X = 207, (88 + 118) / 2
ANKLES = PERSON.joint_index("left_ankle", "right_ankle")
UPPER_BODY = PERSON.joint_index(*(name for name in PERSON.joints if not name.endswith(("hip", "knee", "ankle"))))


def index(name):
    return PERSON.joints.index(name)


def repeated(pose, frame_count):
    return np.repeat(pose[None], frame_count, axis=0)


def as_filmed(poses, size=2.0, shift=(31, -57)):
    """The same motion in a video of another size."""
    return poses * np.float32([size, size, 1]) + np.float32([*shift, 0])


def stretched(pose, ratios):
    """A pose [..., J, 3] whose limbs, named by their outer ends, are so many times as long."""
    chains = [("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")]
    result = pose.copy()
    for side in ("left", "right"):
        for start, middle, end in chains:
            a, b, c = (index(f"{side}_{name}") for name in (start, middle, end))
            upper, lower = (ratios.get(f"{side}_{name}", ratios.get(name, 1)) for name in (middle, end))
            result[..., b, :2] = result[..., a, :2] + upper * (pose[..., b, :2] - pose[..., a, :2])
            result[..., c, :2] = result[..., b, :2] + lower * (pose[..., c, :2] - pose[..., b, :2])
    return result


def length(pose, start, end):
    return np.hypot(*(pose[..., index(start), :2] - pose[..., index(end), :2]).T)


def assert_same(actual, expected, atol=1e-3):
    np.testing.assert_allclose(actual, expected, atol=atol, rtol=0)


def with_legs(body, ratio):
    """A body [23, 3] whose legs are so many times as long; its feet are as large as before."""
    shorter = np.concatenate([stretched(body[:14], {"knee": ratio, "ankle": ratio}), body[14:]])
    for side in ("left", "right"):
        feet = BODY.joint_index(f"{side}_heel", f"{side}_toe")
        shorter[feet] += shorter[index(f"{side}_ankle")] - body[index(f"{side}_ankle")]
    return shorter
