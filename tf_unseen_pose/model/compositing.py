"""A model's decisions about a pose, and the picture composed from them at any resolution.

Networks see a canvas of 256 x 256 pixels. Their decisions (where in the photo to copy each pixel from, how to correct
its colour, where the person is) vary slowly; pixels do not. So decisions are made on the canvas and applied to the
photo's own pixels, K times as many along a side:

    copied      the photo, and its person mask, at x + K * displacement(x); bicubically at the photo's resolution
    foreground  gain * copied + offset
    alpha       sigmoid(steepness * (alpha logit + logit(mask * coverage))); if steep, averaged with its neighbours
    background  the photo, inpainted in the hole that the source person leaves
    image       alpha * foreground + (1 - alpha) * background; the photo itself where nothing moves (stillness)

The person mask follows the photo's outlines at every resolution (`matte`). Maps are enlarged bilinearly with corners
aligned to corners; the displacement not across tears, where an arm ends before a chest: places between the two show
neither. A steep alpha is nearly 0 or 1, so that without the average its outline would have steps. Bilinear samples
would lose a twentieth of the photo's sharpness.

The canvas itself (K = 1) is composed with bilinear samples, a quarter of the look-ups, and in training without tears
and average. `imaging.compositing` is the twin in NumPy and OpenCV, the page's shader the one for browsers; tests
compare both with this module.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_unseen_pose.geometry import warping
from tf_unseen_pose.geometry.tears import enlarged_displacement
from tf_unseen_pose.model.matte import person_mask

# Added to a mask and to its complement before the logit.
MASK_FLOOR = 1e-2
# The same for a painted alpha, so that its logit is finite.
_ALPHA_FLOOR = 1e-6


class Decisions(NamedTuple):
    """How to render one pose of a source photo: float32 maps [B, h, w, C] at the canvas's resolution or less.

    Attributes:
        displacement: [B, h, w, 2], along x and y in canvas pixels, from a pixel to the place it is copied from.
        gain: [B, h, w, 1], factor of the copied colour.
        offset: [B, h, w, 3], added to it; colours are in [-1, 1].
        alpha: [B, h, w, 1], the logit of the person.
        coverage: [B, h, w, 1] in [0, 1], coverage by the limbs.
        stillness: [B, h, w, 1] in [0, 1], certainty that neither the old nor the new person moves here.
    """

    displacement: tf.Tensor
    gain: tf.Tensor
    offset: tf.Tensor
    alpha: tf.Tensor
    coverage: tf.Tensor
    stillness: tf.Tensor


# Channels of each decision in the concatenated map.
CHANNELS = dict(zip(Decisions._fields, (2, 1, 3, 1, 1, 1), strict=True))


def compose(
    photo: tf.Tensor,
    matte: tf.Tensor,
    hole: tf.Tensor,
    decisions: Decisions,
    height: int,
    steepness: float,
    in_use: bool = True,
    sample: warping.Sample = warping.sample_cubic,
) -> dict[str, tf.Tensor]:
    """Applies decisions to the pixels of a photo.

    Args:
        photo: [B, K H, K W, 3] in [-1, 1], what the canvas [H, W] shows, K times as large.
        matte: [B, h, w, 4], see `model.matte`.
        hole: [B, h, w, 4], inpainted colours times weight, and the weight.
        height: H.
        steepness: factor of alpha's logit.
        in_use: whether displacements have tears, and outlines are smooth. Training goes without, for speed.
        sample: how the photo is sampled.

    Returns:
        foreground, background, image [B, K H, K W, 3], person, alpha, stillness [B, K H, K W, 1].
    """
    size = tf.shape(photo)[1:3]
    scale = tf.cast(size[0], tf.float32) / height
    maps = Decisions(*tf.split(enlarged(tf.concat(decisions, axis=-1), size), list(CHANNELS.values()), axis=-1))
    person = person_mask(photo, enlarged(matte, size))
    displacement = enlarged_displacement(decisions.displacement, size) if in_use else maps.displacement
    copied = warping.sample_displaced(tf.concat([photo, person], axis=-1), scale * displacement, sample)
    foreground = maps.gain * tf.clip_by_value(copied[..., :3], -1, 1) + maps.offset
    # A pixel of the person may belong to another limb than the one that was moved here.
    mask = tf.clip_by_value(copied[..., 3:], 0, 1) * maps.coverage
    logit = maps.alpha + tf.math.log((mask + MASK_FLOOR) / (1 - mask + MASK_FLOOR))
    alpha = tf.sigmoid(steepness * logit)
    if in_use:
        alpha = with_smooth_outline(alpha, steepness)
    painted = enlarged(hole, size)
    background = painted[..., :3] + (1 - painted[..., 3:]) * photo
    image = alpha * foreground + (1 - alpha) * background
    image += maps.stillness * (photo - image)
    return {
        "person": person, "foreground": foreground, "background": background, "alpha": alpha,
        "stillness": maps.stillness, "image": image,
    }  # fmt: skip


def with_smooth_outline(alpha: tf.Tensor, steepness: float) -> tf.Tensor:
    """Alpha [B, H, W, 1], if it is steep averaged with its eight neighbours: weights 1, 2, 1 along both axes.

    A network that paints alpha, with a steepness of 1, has painted its outline smooth.
    """
    if steepness <= 1:
        return alpha
    padded = tf.pad(alpha, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    return tf.nn.avg_pool2d(tf.nn.avg_pool2d(padded, 2, 1, "VALID"), 2, 1, "VALID")


def correction(
    copied: tf.Tensor, unseen: tf.Tensor, nearby: tf.Tensor, replace: tf.Tensor, colour: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gain and offset of the copied colours, which replace them with others and keep their grain.

    Where the copied colours are as smooth as here, `replace` mixes the network's own colour with them. What is unseen
    takes those nearby, since the network often paints it darker. Finer detail of the photo stays as far as the copied
    colours do.

    Args:
        copied, nearby, colour: [B, h, w, 3].
        unseen, replace: [B, h, w, 1] in [0, 1].

    Returns:
        [B, h, w, 1] and [B, h, w, 3], of `Decisions`.
    """
    gain = (1 - unseen) * (1 - replace * replace)
    return gain, unseen * nearby + (1 - unseen) * replace * (colour - (1 - replace) * copied)


def painted(foreground: tf.Tensor, alpha: tf.Tensor) -> Decisions:
    """Decisions of a network that paints the person and copies nothing.

    Args:
        foreground: [B, H, W, 3] in [-1, 1].
        alpha: [B, H, W, 1] in [0, 1].
    """
    nothing = tf.zeros_like(alpha)
    logit = tf.math.log((alpha + _ALPHA_FLOOR) / (1 - alpha + _ALPHA_FLOOR))
    return Decisions(tf.concat([nothing, nothing], axis=-1), nothing, foreground, logit, nothing + 1, nothing)


def enlarged(maps: tf.Tensor, size: Any) -> tf.Tensor:
    """Maps [B, h, w, C] resized bilinearly to (H, W), with corners aligned to corners."""
    return tf.image.resize(maps, size)
