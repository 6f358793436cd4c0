"""Corrects frames of a video in which an estimator swapped left and right.

Nobody turns around within a frame, so a swap appears as a jump of every joint to its counterpart's place. Dynamic
programming over two states per frame (Viterbi) finds the exchanges of whole frames with the least motion. Exchanging
has a cost per second, so that the estimator prevails in the long run.

Convention: joints are [T, J, 3] in pixels with visibility, 0 meaning absent, or [T, J, 4] with depth z, which goes
with its joint.
"""

import numpy as np

from tf_unseen_pose.pose.smoothing import person_size
from tf_unseen_pose.skeleton import Skeleton

# Cost of contradicting the estimator for a second, in lengths of the person. A swap of a person who faces the camera
# moves the joints by a tenth to a quarter of that on average, worth a second or two.
_COST_PER_SECOND = 0.1


def consistent_sides(joints: np.ndarray, fps: float, skeleton: Skeleton) -> np.ndarray:
    """Exchanges left and right joints in frames such that motion is least.

    Args:
        joints: [T, J, 3 or 4]; at least one joint is visible somewhere.
        fps: frames a second.

    Returns:
        [T, J, 3 or 4].
    """
    exchanged = joints[:, skeleton.mirrored]
    size = person_size(joints)
    stay, switch = _motion(joints[:-1], joints[1:]) / size, _motion(joints[:-1], exchanged[1:]) / size
    # States are 0, as estimated, and 1, exchanged; a step's cost depends on whether the state changes.
    state_cost = np.array([0, _COST_PER_SECOND / fps])
    cost, best_before = state_cost, []
    for step in zip(stay, switch, strict=True):
        total = cost[:, None] + np.array([step, step[::-1]])
        best_before.append(total.argmin(axis=0))
        cost = total.min(axis=0) + state_cost
    states = [cost.argmin()]
    for before in reversed(best_before):
        states.append(before[states[-1]])
    return np.where(np.array(states[::-1])[:, None, None] == 1, exchanged, joints)


def _motion(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The mean distance in pixels of the joints that both frames show: [T]; 0 where there is none."""
    both = (before[..., 2] > 0) & (after[..., 2] > 0)
    distances = np.hypot(*np.moveaxis(after - before, -1, 0)[:2])
    return (distances * both).sum(axis=1) / np.maximum(1, both.sum(axis=1))
