"""Skeletons that formulas are tested on, and their joints at random."""

import numpy as np
import pytest

from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.skeleton import Limb, Skeleton

# A second skeleton: nothing may depend on the person's counts. Its root has three joints at either end.
CRAB = Skeleton(
    name="crab",
    joints=("eye", "left_claw", "right_claw", "left_leg", "right_leg", "tail", "left_arm", "right_arm"),
    limbs=(
        Limb("feeler", ("eye", "tail"), width=4.0),
        Limb("shell", ("eye", "left_claw", "right_claw", "left_leg", "right_leg", "tail"), width=17.0),
        Limb("pincers", ("left_arm", "left_claw", "right_arm", "right_claw")),
    ),
    root="shell",
)
SKELETONS = pytest.mark.parametrize("skeleton", [PERSON, BODY, CRAB], ids=lambda s: s.name)
HEIGHT, WIDTH = 48, 72


def random_joints(skeleton, seed=0, batch=3, dtype=np.float64):
    rng = np.random.default_rng(seed)
    points = rng.uniform([4, 3], [WIDTH - 5, HEIGHT - 4], (batch, skeleton.joint_count, 2))
    return np.concatenate([points, np.ones((batch, skeleton.joint_count, 1))], -1).astype(dtype)


def least_squares(points, images, weights=1.0):
    """The similarity [2, 3] from points to images, both [N, 2]: x' = a x - b y + c, y' = b x + a y + d."""
    rows = [[x, -y, 1, 0] for x, y in points] + [[y, x, 0, 1] for x, y in points]
    root = np.tile(np.broadcast_to(np.sqrt(weights), len(points)), 2)
    a, b, c, d = np.linalg.lstsq(root[:, None] * rows, root * np.r_[images[:, 0], images[:, 1]], rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])
