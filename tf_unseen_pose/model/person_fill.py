"""Colours for what the chosen limbs do not show of a person: those of the person around it.

A chest of which an arm hid a part: the network knows that the person is there, and a limb covers the pixel, but the
limbs that it chooses lead beside the person, to the scene. Or a slit between two limbs, such as legs that cross, where
one limb ends a pixel before the other begins. Such pixels take the colours of the nearest ones that show the person,
from coarse to fine.

Source: push-pull interpolation, Gortler, Grzeszczuk, Szeliski, Cohen, The Lumigraph, 1996.
"""

import tensorflow as tf

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
# Logit of alpha that shows the person in spite of the mask, in general and in slits, and how sharply.
_CERTAIN, _CERTAIN_SLIT, _STEEPNESS = 3.6, 1.5, 4.0
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
    missed = _between(coverage - shown, *_MISSED) * (1 - _between(copied[..., 3:], _SCENE, _PERSON))
    # With the pixels beside it, where enlarging would mix both.
    missed = tf.nn.avg_pool2d(tf.nn.max_pool2d(missed, 3, 1, "SAME"), 3, 1, "SAME")
    missed *= tf.sigmoid(_STEEPNESS * (alpha - _CERTAIN))
    slit = _between(_without_slits(copied[..., 3:]) - copied[..., 3:], *_LOWER) * _between(coverage, *_COVERED)
    return tf.stop_gradient(tf.maximum(missed, slit * tf.sigmoid(_STEEPNESS * (alpha - _CERTAIN_SLIT))))


def nearby_colours(copied: tf.Tensor, coverage: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """The colours of the nearest pixels that show the person.

    They reach as far as a pixel of the coarsest level is wide, 64 pixels: half of the map of a canvas of 256.

    Args:
        copied: [B, h, w, 4], as in `unseen`.
        coverage, alpha: [B, h, w, 1], as in `unseen`.

    Returns:
        [B, h, w, 3].
    """
    weight = tf.sigmoid(_STEEPNESS * alpha) * _between(copied[..., 3:] * coverage, _MIXED, _PURE) + _LEAST_WEIGHT
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


def _between(values, low, high):
    """0 up to `low`, 1 from `high` on."""
    return tf.clip_by_value((values - low) / (high - low), 0, 1)
