"""Colours for what the chosen limbs do not show of a person: those of the person around it.

- A side that is turned away from the camera: the network knows that the person is there, and a limb covers the pixel,
  but the limbs that it chooses lead beside the person, to the scene (`unseen`).
- A slit between two limbs, such as legs that cross, where one ends a pixel before the other begins (`unseen`).
- A chest or a thigh behind an arm, which would be printed on them when it has moved away (`arms_before`).

Such pixels take the colours of the nearest ones that show the person, from coarse to fine; behind an arm those of the
torso alone, or of the thighs, since the nearest are often skin.

Source: push-pull interpolation, Gortler, Grzeszczuk, Szeliski, Cohen, The Lumigraph, 1996.
"""

import tensorflow as tf

from tf_unseen_pose.skeleton import Skeleton

# Person mask at the place copied from: at most this where it shows the scene alone, and this where it shows none of it.
_SCENE, _PERSON = 0.1, 0.25
# The same for pixels that others take their colour from: at outlines the scene shines through.
_MIXED, _PURE = 0.6, 0.95
# A mask misses hair, hands and shoes that look like the scene. It is believed where the limbs chosen miss this much of
# what others cover: none to all.
_MISSED = 0.5, 0.7
# Slits are narrower than this many pixels of the map; how much lower the mask is there than on both sides: none to all.
_SLIT, _LOWER = 3, (0.4, 0.6)
# How much limbs cover a slit: none to all.
_COVERED = 0.5, 0.8
# Logit of alpha that shows the person in spite of the mask, in general, and in slits and behind arms, and how sharply.
_CERTAIN, _CERTAIN_INSIDE, _STEEPNESS = 3.6, 1.5, 4.0
# What arms hide, and the parts of an arm, by the names of limbs without "right" and "left".
_BROAD, ARM = ("torso", "thigh"), ("upper_arm", "forearm", "hand")
# Visibility of an arm that is not behind the body, relative to the torso's: estimators differ in what they call sure.
_VISIBLE = 0.9
# The core of an arm where it begins to hide, and where it hides for sure: 11 and 7 pixels of 256 from its axis.
_BESIDE, _BEFORE = 0.008, 0.13
# How much of a pixel's choice torso and thighs, or a forearm and its hand, are: none to all.
CHOSEN = 0.3, 0.6
# No colour comes from this near to what an arm hides, in pixels of the map: the arm's edge.
_EDGE = 2
# Each level is a `_STEP`th of the one before.
_STEP, _LEVELS = 4, 3
_LEAST_WEIGHT = 1e-6


def unseen(copied: tf.Tensor, coverage: tf.Tensor, shown: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """How much a pixel is the person's although the place that it is copied from is not.

    Args:
        copied: [B, h, w, 4], colours, and the person mask at the place that they are copied from.
        coverage, shown: [B, h, w, 1] in [0, 1], coverage by all limbs, and by those chosen.
        alpha: [B, h, w, 1], the logit of the person.

    Returns:
        [B, h, w, 1] in [0, 1], without a gradient.
    """
    missed = between(coverage - shown, *_MISSED) * (1 - between(copied[..., 3:], _SCENE, _PERSON))
    # With the pixels beside it, where enlarging would mix both.
    missed = tf.nn.avg_pool2d(tf.nn.max_pool2d(missed, 3, 1, "SAME"), 3, 1, "SAME")
    missed *= tf.sigmoid(_STEEPNESS * (alpha - _CERTAIN))
    slit = between(_without_slits(copied[..., 3:]) - copied[..., 3:], *_LOWER) * between(coverage, *_COVERED)
    return tf.stop_gradient(tf.maximum(missed, slit * tf.sigmoid(_STEEPNESS * (alpha - _CERTAIN_INSIDE))))


def arms_before(cores: tf.Tensor, visibility: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """How surely a pixel of the photo shows an arm or a hand, which may be before the body.

    Args:
        cores: [B, h, w, L], see `pose_maps.limb_cores`.
        visibility: [B, L] in [0, 1], see `pose_maps.limb_visibility`.

    Returns:
        [B, h, w, 1] in [0, 1]; 0 for a skeleton without arms.
    """
    seen = visibility >= _VISIBLE * visibility[:, skeleton.root_index, None]
    return between(nearest(cores * tf.cast(seen, cores.dtype)[:, None, None], skeleton, *ARM), _BESIDE, _BEFORE)


def nearest(cores: tf.Tensor, skeleton: Skeleton, *names: str) -> tf.Tensor:
    """The highest core [B, h, w, 1] of limbs of either side with these names; 0 if there are none."""
    limbs = skeleton.limbs_named(*names)
    if not len(limbs):
        return tf.zeros_like(cores[..., :1])
    return tf.reduce_max(tf.gather(cores, limbs, axis=-1), axis=-1, keepdims=True)


def broad_parts(weights: tf.Tensor, skeleton: Skeleton) -> list[tf.Tensor]:
    """How much of the choice [B, h, w, L + 1] the torso is, and the thighs: [B, h, w, 1] in [0, 1] each."""
    return [chosen(weights, skeleton, name) for name in _BROAD]


def chosen(weights: tf.Tensor, skeleton: Skeleton, *names: str) -> tf.Tensor:
    """How much of the choice [B, h, w, L + 1] limbs of either side with these names are: [B, h, w, 1] in [0, 1]."""
    return tf.reduce_sum(tf.gather(weights, skeleton.limbs_named(*names), axis=-1), axis=-1, keepdims=True)


def filling(
    copied: tf.Tensor,
    coverage: tf.Tensor,
    shown: tf.Tensor,
    alpha: tf.Tensor,
    arms: tf.Tensor,
    parts: list[tf.Tensor],
) -> tuple[tf.Tensor, tf.Tensor]:
    """How much is filled, and with which colours.

    Args:
        copied, coverage, shown, alpha: as in `unseen`.
        arms: [B, h, w, 1], `arms_before` at the places that pixels are copied from.
        parts: see `broad_parts`.

    Returns:
        [B, h, w, 1] in [0, 1], without a gradient, and [B, h, w, 3].
    """
    covered = [arms * between(part, *CHOSEN) for part in parts]
    edge = tf.nn.max_pool2d(tf.add_n(covered), 2 * _EDGE + 1, 1, "SAME")
    clear = tf.concat([copied[..., :3], copied[..., 3:] * (1 - edge)], axis=-1)
    # All fills in one call: fewer operations in TFLite files.
    batch = [[copied, *[clear] * len(parts)], [coverage, *parts], [alpha] * (1 + len(parts))]
    found = nearby_colours(*(tf.concat(maps, axis=0) for maps in batch))
    nearby, *behind = tf.split(found, 1 + len(parts))
    filled, certain = unseen(copied, coverage, shown, alpha), tf.sigmoid(_STEEPNESS * (alpha - _CERTAIN_INSIDE))
    for part, colours in zip(covered, behind, strict=True):
        hidden = tf.stop_gradient(part * certain)
        filled, nearby = tf.maximum(filled, hidden), nearby + hidden * (colours - nearby)
    return filled, nearby


def nearby_colours(copied: tf.Tensor, coverage: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """The colours of the nearest pixels that show the person.

    They reach as far as a pixel of the coarsest level is wide, 64 pixels: half of the map of a canvas of 256.

    Args:
        copied: [B, h, w, 4], as in `unseen`.
        coverage: [B, h, w, 1], as in `unseen`.
        alpha: the same, or one value for all pixels, [1, 1, 1, 1].

    Returns:
        [B, h, w, 3].
    """
    weight = tf.sigmoid(_STEEPNESS * alpha) * between(copied[..., 3:] * coverage, _MIXED, _PURE) + _LEAST_WEIGHT
    levels = [tf.concat([weight * copied[..., :3], weight], axis=-1)]
    for _ in range(_LEVELS):
        levels.append(tf.nn.avg_pool2d(levels[-1], _STEP, _STEP, "SAME"))
    mixed = levels.pop()
    # What a level lacks, the coarser one fills in.
    for level in reversed(levels):
        mixed = level + (1 - level[..., 3:]) * tf.image.resize(mixed, level.shape[1:3])
    return mixed[..., :3] / mixed[..., 3:]


def _without_slits(mask):
    """The mask, morphologically closed."""
    return -tf.nn.max_pool2d(-tf.nn.max_pool2d(mask, _SLIT, 1, "SAME"), _SLIT, 1, "SAME")


def between(values: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Values [...] as shares [...]: 0 up to `low`, 1 from `high` on, and linear between."""
    return tf.clip_by_value((values - low) / (high - low), 0, 1)
