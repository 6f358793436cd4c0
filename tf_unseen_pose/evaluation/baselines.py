"""Baselines without a network: copying the source, and pasting warped limbs."""

import numpy as np
import tensorflow as tf

from tf_unseen_pose.evaluation.example_pictures import Example
from tf_unseen_pose.geometry import limb_motion, pose_maps
from tf_unseen_pose.geometry.warping import warp
from tf_unseen_pose.imaging.inpainting import inpainted
from tf_unseen_pose.skeleton import Skeleton

# A pixel also belongs to a limb whose prior is at least this part of the strongest one there: limbs overlap about their
# joints, and no gap opens when they turn.
_OVERLAP = 0.5


def copy_source(example: Example) -> np.ndarray:
    """Copies the source photo, which is right everywhere but at the person."""
    return example.source


def copy_photo(photo: np.ndarray, target_joints: np.ndarray, source_joints: np.ndarray) -> np.ndarray:
    """Copies the whole photo; see `photo_metrics.Repose`."""
    return photo


def warp_only(example: Example, skeleton: Skeleton) -> np.ndarray:
    """Cuts out the source's limbs, moves them, and pastes them over the inpainted background.

    Every pixel of the person's mask belongs to the limb whose prior is strongest there, and to those that are nearly as
    strong. Layers are warped by the limbs' similarities and pasted the root limb first, then in the reverse of the
    skeleton's order (legs, arms, head): depth is not known.

    Args:
        skeleton: whose joints and limbs are used.

    Returns:
        uint8 [H, W, 3].
    """
    example = example.as_of(skeleton)
    layers = limb_layers(example, skeleton)
    source, target = (tf.constant(joints[None]) for joints in (example.source_joints, example.target_joints))
    target_to_source = limb_motion.limb_transforms(source, target, skeleton)[0]
    warped = warp(layers, target_to_source).numpy()
    picture = inpainted(example.source, example.source_mask).astype(np.float32)
    rest = [limb for limb in reversed(range(skeleton.limb_count)) if limb != skeleton.root_index]
    for limb in (skeleton.root_index, *rest):
        picture = warped[limb, ..., :3] + (1 - warped[limb, ..., 3:]) * picture
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def limb_layers(example: Example, skeleton: Skeleton) -> np.ndarray:
    """The source's limbs: float32 [L, H, W, 4], colour (0..255) times opacity, and opacity."""
    height, width = example.source_mask.shape
    priors = pose_maps.limb_priors(tf.constant(example.source_joints[None]), skeleton, height, width)[
        0, ..., 1:
    ].numpy()
    mine = (priors > 0) & (priors >= _OVERLAP * priors.max(axis=-1, keepdims=True))
    opacity = mine * example.source_mask[..., None]
    # A warp repeats what lies at the border for ever; nothing of a limb that the canvas cuts off may lie there.
    opacity[:2] = opacity[-2:] = opacity[:, :2] = opacity[:, -2:] = 0
    opacity = np.moveaxis(opacity, -1, 0)[..., None].astype(np.float32)
    return np.concatenate([opacity * example.source, opacity], axis=-1)
