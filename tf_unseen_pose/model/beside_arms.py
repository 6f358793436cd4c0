"""The shirt beside a forearm, which stays behind where the forearm moves away.

Masks know the outline of a forearm before a shirt to a few pixels, so that a strip of the shirt would go along with it.
Colours tell both apart: those on the arm's axis, and those of the torso around it.
"""

import tensorflow as tf

from tf_unseen_pose.geometry import pose_maps
from tf_unseen_pose.model.person_fill import ARM, CHOSEN, between, chosen, nearby_colours, nearest
from tf_unseen_pose.skeleton import Skeleton

_ARM = "forearm", "hand"
# The core of an arm where its colours are taken, and where the torso is looked for: none to all. Of 256 pixels, 5 and 3
# from the axis, and 15 and 12. No colour of the torso is taken at any arm: 15 and 11.
_AXIS, _NEAR, _ANY = (0.35, 0.7), (0.0002, 0.002), (0.0001, 0.008)
# The squared distance from the torso's colour, as a part of that from both: all to none. Where arm and torso have
# nearly the same colour, such as of bare skin, `_SAME` decides for the arm.
_PART, _SAME = (0.15, 0.3), 0.02
# The torso is looked for between shoulders and hips, and less and less up to so many pixels of 256 beyond: sleeves,
# shadows and the scene have its colour too.
_RIM = 16
# Coverage of the target by other limbs: all to none stays behind. A hole in the shirt would show the scene.
_OTHERS = 0.2, 0.6
# Logit of alpha that is taken from what stays behind.
_HIDDEN = 8.0
# Logit that shows the person for sure: the colours are the photo's.
_SURE = 4.0


def torso_beside(
    image: tf.Tensor,
    person: tf.Tensor,
    torso: tf.Tensor,
    cores: tf.Tensor,
    joints: tf.Tensor,
    skeleton: Skeleton,
    stride: int,
) -> tf.Tensor:
    """How surely a pixel near a forearm or a hand shows the torso behind it, by its colour.

    Args:
        image: [B, h, w, 3] in [-1, 1], at 1 / stride of the canvas.
        person, torso: [B, h, w, 1] in [0, 1], masks of the whole person and of the torso.
        cores: [B, h, w, L], see `pose_maps.limb_cores`.
        joints: [B, J, 3] in pixels of the canvas.

    Returns:
        [B, h, w, 1] in [0, 1], without a gradient; 0 for a skeleton without forearms, and where shoulders and hips are
        not seen or cross.
    """
    core = nearest(cores, skeleton, *_ARM)
    away = torso * (1 - between(nearest(cores, skeleton, *ARM), *_ANY))
    shown = tf.concat([tf.concat([image, person], axis=-1)] * 2, axis=0)
    both = tf.concat([between(core, *_AXIS), away], axis=0)
    # One value: a map of them would be 128 kB of a TFLite file.
    colours = tf.split(nearby_colours(shown, both, tf.fill([1, 1, 1, 1], _SURE)), 2)
    from_arm, from_torso = (tf.reduce_sum((image - one) ** 2, axis=-1, keepdims=True) for one in colours)
    alike = 1 - between((from_torso + _SAME) / (from_arm + from_torso + _SAME), *_PART)
    height, width = image.shape[1:3]
    inside = pose_maps.limb_interiors(pose_maps.joints_at_scale(joints, stride), skeleton, height, width, _RIM)
    return tf.stop_gradient(alike * between(core, *_NEAR) * inside)


def taken_along(torso: tf.Tensor, weights: tf.Tensor, coverage: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """What is to be taken from alpha's logit where a forearm or a hand would show the torso.

    Args:
        torso: [B, h, w, 1], `torso_beside` at the places that pixels are copied from.
        weights, coverage: [B, h, w, L + 1]: the choice of limbs, and how much each covers the target.

    Returns:
        [B, h, w, 1], 0 or more, without a gradient.
    """
    arms = skeleton.limbs_named(*_ARM)
    others = [i for i in range(skeleton.limb_count) if i not in arms]
    covered = tf.reduce_max(tf.gather(coverage, others, axis=-1), axis=-1, keepdims=True)
    moved = between(chosen(weights, skeleton, *_ARM), *CHOSEN) * (1 - between(covered, *_OTHERS))
    return tf.stop_gradient(_HIDDEN * torso * moved)
