"""From the joints of other datasets and estimators to the 14 of `skeleton.PERSON`.

All of them name left and right as the person's own, as we do.
"""

import numpy as np

# Below this an estimator has guessed the joint; it counts as absent.
LEAST_VISIBILITY = 0.1
# From the neck through the ears to the top of the head: the way beyond the ears, as a part of the way to them. The
# authors' head joint is the top of the head (MPII's), which BlazePose does not have.
HEAD_BEYOND_EARS = 0.6

_EARS, _SHOULDERS = (7, 8), (11, 12)
# Landmark of every joint from the right shoulder to the left ankle, in the skeleton's order.
_LIMB_LANDMARKS = (12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27)


def blazepose_to_person(landmarks: np.ndarray) -> np.ndarray:
    """BlazePose's 33 landmarks as the 14 joints of `skeleton.PERSON`.

    The neck is the mean of the shoulders; the head (its top) lies beyond the mean of the ears, seen from the neck, by
    0.6 of their distance. A derived joint is as visible as the least visible landmark that it is made of.

    Args:
        landmarks: [..., 33, 3]: x, y in pixels, visibility 0..1.

    Returns:
        float32 [..., 14, 3]; a visibility below 0.1 becomes 0.
    """
    landmarks = np.asarray(landmarks, np.float32)
    ears, neck = _middle(landmarks, _EARS), _middle(landmarks, _SHOULDERS)
    head = ears + HEAD_BEYOND_EARS * (ears - neck)
    head[..., 2] = np.minimum(ears[..., 2], neck[..., 2])
    joints = np.concatenate([np.stack([head, neck], axis=-2), landmarks[..., _LIMB_LANDMARKS, :]], axis=-2)
    joints[..., 2] = np.where(joints[..., 2] < LEAST_VISIBILITY, 0, np.clip(joints[..., 2], 0, 1))
    return joints


def _middle(landmarks: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """The mean point of two landmarks, with the lesser visibility: [..., 3]."""
    both = landmarks[..., pair, :]
    return np.concatenate([both[..., :2].mean(axis=-2), both[..., 2:].min(axis=-2)], axis=-1)
