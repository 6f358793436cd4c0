"""What a model decides about a pose, and the picture that follows from it, at any resolution.

Networks see a canvas of 256 x 256 pixels. What they decide there (where in the photo to copy each pixel from, how to
correct its colour, where the person is) varies slowly; the pixels themselves do not. So decisions are made on the
canvas and carried out on the photo's own pixels, K times as many along a side:

    copied      the photo, and its person mask, at x + K * displacement(x)
    foreground  gain * copied + offset
    alpha       sigmoid(steepness * (alpha logit + logit(mask * coverage)))
    background  the photo, painted only in the hole that the source person leaves
    image       alpha * foreground + (1 - alpha) * background; the photo itself where nothing moves (stillness)

The person mask is linear in the photo's brightness, with coefficients that a guided filter finds on the canvas:
enlarged with the photo as the guide, it has the photo's own outline. Maps are enlarged bilinearly, the picture's
corners staying corners.

Training composes with K = 1. `imaging.compositing` is the twin for photos in NumPy and OpenCV, the page's shader the
one for browsers; tests hold both to this one.

Source: guided filter: He, Sun, Tang, 2010, in the form of He, Sun, Fast Guided Filter, 2015.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from tf_unseen_pose.geometry import warping

# Added to a mask and to what is left of it, before logits are taken.
MASK_FLOOR = 1e-2
# The same for an alpha that is painted, so that its logit is finite.
_ALPHA_FLOOR = 1e-6
# Of the guided filter: half of its window's side in canvas pixels, and how much variance (of brightness in 0..1) an
# edge has at least. With twice the radius held-out poses were found a little less often.
_RADIUS, _EPSILON = 1, 1e-3
# Rec. 601 weights of red, green and blue.
LUMA = (0.299, 0.587, 0.114)


class Decisions(NamedTuple):
    """How to make one pose of a source photo: float32 maps [B, h, w, C], h x w being the canvas's size or a part of it.

    Attributes:
        displacement: [B, h, w, 2], along x and y in canvas pixels, from a pixel to where it is copied from.
        gain: [B, h, w, 1], of what is copied.
        offset: [B, h, w, 3], added to it; colours are in [-1, 1].
        alpha: [B, h, w, 1], the logit of the person.
        coverage: [B, h, w, 1] in [0, 1], how far the limbs reach here.
        stillness: [B, h, w, 1] in [0, 1], how sure it is that neither the old person nor the new one moves here.
    """

    displacement: tf.Tensor
    gain: tf.Tensor
    offset: tf.Tensor
    alpha: tf.Tensor
    coverage: tf.Tensor
    stillness: tf.Tensor


# Channels of each of the decisions in one map that holds them all.
CHANNELS = dict(zip(Decisions._fields, (2, 1, 3, 1, 1, 1), strict=True))


def compose(
    photo: tf.Tensor, matte: tf.Tensor, hole: tf.Tensor, decisions: Decisions, height: int, steepness: float
) -> dict[str, tf.Tensor]:
    """Carries decisions out on the pixels of a photo.

    Args:
        photo: [B, K H, K W, 3] in [-1, 1], what the canvas [H, W] shows, K times as large.
        matte: [B, h, w, 2], see `guided_matte`.
        hole: [B, h, w, 4], painted colours times how much they are used, and that.
        height: H.
        steepness: factor of alpha's logit.

    Returns:
        foreground, background, image [B, K H, K W, 3], person, alpha, stillness [B, K H, K W, 1].
    """
    size = tf.shape(photo)[1:3]
    scale = tf.cast(size[0], tf.float32) / height
    maps = Decisions(*tf.split(enlarged(tf.concat(decisions, axis=-1), size), list(CHANNELS.values()), axis=-1))
    person = person_mask(photo, enlarged(matte, size))
    copied = warping.sample_displaced(tf.concat([photo, person], axis=-1), scale * maps.displacement)
    foreground = maps.gain * copied[..., :3] + maps.offset
    # A pixel that the photo calls the person's may be another limb's than the one that was moved here.
    mask = copied[..., 3:] * maps.coverage
    logit = maps.alpha + tf.math.log((mask + MASK_FLOOR) / (1 - mask + MASK_FLOOR))
    alpha = tf.sigmoid(steepness * logit)
    painted = enlarged(hole, size)
    background = painted[..., :3] + (1 - painted[..., 3:]) * photo
    image = alpha * foreground + (1 - alpha) * background
    image += maps.stillness * (photo - image)
    return {
        "person": person, "foreground": foreground, "background": background, "alpha": alpha,
        "stillness": maps.stillness, "image": image,
    }  # fmt: skip


def painted(foreground: tf.Tensor, alpha: tf.Tensor) -> Decisions:
    """The decisions of a network that paints the person and copies nothing.

    Args:
        foreground: [B, H, W, 3] in [-1, 1].
        alpha: [B, H, W, 1] in [0, 1].
    """
    nothing = tf.zeros_like(alpha)
    logit = tf.math.log((alpha + _ALPHA_FLOOR) / (1 - alpha + _ALPHA_FLOOR))
    return Decisions(tf.concat([nothing, nothing], axis=-1), nothing, foreground, logit, nothing + 1, nothing)


def unknown_matte(image: tf.Tensor) -> tf.Tensor:
    """The matte [B, H, W, 2] of a mask that is 1/2 everywhere, and says nothing.

    Args:
        image: [B, H, W, 3] in [-1, 1].
    """
    nothing = tf.zeros_like(image[..., :1])
    return tf.concat([nothing, nothing + 0.5], axis=-1)


def guided_matte(image: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """The person mask as a function of the photo's brightness that is linear within every small window.

    Args:
        image: [B, H, W, 3] in [-1, 1].
        mask: [B, H, W, 1] in [0, 1].

    Returns:
        [B, H, W, 2]: slope and intercept of the mask over the brightness in 0..1.
    """
    guide = brightness(image)
    mean, mask_mean, square, product = tf.split(
        _box_mean(tf.concat([guide, mask, guide * guide, guide * mask], axis=-1)), 4, axis=-1
    )
    slope = (product - mean * mask_mean) / (square - mean * mean + _EPSILON)
    return _box_mean(tf.concat([slope, mask_mean - slope * mean], axis=-1))


def person_mask(image: tf.Tensor, matte: tf.Tensor) -> tf.Tensor:
    """The mask [B, H, W, 1] in [0, 1] of an image [B, H, W, 3] and its matte [B, H, W, 2]."""
    return tf.clip_by_value(matte[..., :1] * brightness(image) + matte[..., 1:], 0, 1)


def brightness(image: tf.Tensor) -> tf.Tensor:
    """[B, H, W, 3] in [-1, 1] -> [B, H, W, 1] in [0, 1]."""
    red, green, blue = (image[..., i : i + 1] * (LUMA[i] / 2) for i in range(3))
    return red + green + blue + 0.5


def _box_mean(maps):
    """The mean of the window about every pixel, of what of it lies within the map."""
    return tf.nn.avg_pool2d(maps, 2 * _RADIUS + 1, 1, "SAME")


def enlarged(maps: tf.Tensor, size: Any) -> tf.Tensor:
    """Maps [B, h, w, C] at a size (H, W), bilinearly, the picture's corners staying corners."""
    return tf.image.resize(maps, size)
