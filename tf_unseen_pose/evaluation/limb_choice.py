"""Measures whether a copying model chooses the right limb at every pixel of the person, by the target's limb map.

Convention: a limb map is `data.limb_maps`'; transforms are in pixels of the canvas.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from tf_unseen_pose.data import limb_maps
from tf_unseen_pose.known_skeletons import PERSON, is_person
from tf_unseen_pose.skeleton import Skeleton

# Staying is right if the labelled limb moves a pixel by at most this, in canvas pixels.
STILL = 1.0


@dataclass(frozen=True, eq=False)
class LimbChoice:
    """A model's limb weights and transforms.

    Attributes:
        skeleton: the model's.
        given: the skeleton whose joints it was given.
        weights: float32 [h, w, L + 1], the whole person, which stays, last.
        target_to_source: float32 [L + 1, 2, 3].
    """

    skeleton: Skeleton
    given: Skeleton
    weights: np.ndarray
    target_to_source: np.ndarray


def measure_choice(choice: LimbChoice, labels: np.ndarray, labelled: Skeleton) -> dict[str, float]:
    """The fraction of the person's pixels with the right limb.

    Args:
        labels: uint8 [H, W], the target's limb map on the canvas.
        labelled: the skeleton whose limbs it tells apart.

    Returns:
        choice: by the 10 limbs of `PERSON`, a hand being taken for its forearm and a foot for its calf, so that models
        of 14 and of 23 joints compare; by all limbs of a skeleton that is no person's. fine_choice: by the 14 limbs of
        `BODY`, for a model that tells them apart and is given their joints. Nothing where the map has not got the
        model's limbs.
    """
    own = limb_maps.conversion(labelled, choice.skeleton)
    if own is None:
        return {}
    coarse = PERSON if is_person(choice.skeleton) else choice.skeleton
    judged = {"choice": coarse}
    if coarse != choice.skeleton == choice.given:
        judged["fine_choice"] = choice.skeleton
    labels = cv2.LUT(labels, own)
    tables = {key: limb_maps.conversion(choice.skeleton, skeleton) for key, skeleton in judged.items()}
    return {key: right_choices(choice, labels, table) for key, table in tables.items() if table is not None}


def right_choices(choice: LimbChoice, labels: np.ndarray, table: np.ndarray) -> float:
    """The fraction of the person's pixels whose strongest limb is the labelled one.

    A pixel of the choice's map covers several of the canvas, each of which counts. Staying is right where the labelled
    limb's transform leads to within a pixel of the same place.

    Args:
        labels: uint8 [H, W] of the model's limbs; H and W are multiples of the map's.
        table: uint8 [256], from a label to what it is taken for.

    Returns:
        In [0, 1]; NaN where nobody is.
    """
    strongest = np.argmax(choice.weights, axis=-1).astype(np.uint8)
    rows, columns = (size // part for size, part in zip(labels.shape, strongest.shape, strict=True))
    y, x = np.nonzero(labels)
    if not len(y):
        return float("nan")
    label, chosen = labels[y, x], strongest[y // rows, x // columns]
    (m00, m01, m02), (m10, m11, m12) = np.moveaxis(choice.target_to_source[label - 1], 0, -1)
    moved = np.hypot((m00 - 1) * x + m01 * y + m02, m10 * x + (m11 - 1) * y + m12)
    stays = chosen == choice.weights.shape[-1] - 1
    return float(np.where(stays, moved <= STILL, table[chosen + 1] == table[label]).mean())
