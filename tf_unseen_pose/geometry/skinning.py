"""Places that pixels are copied from, blended of the limbs' transforms.

Source: linear blend skinning, as of Lewis, Cordner, Fong, Pose space deformation, 2000.
"""

import tensorflow as tf

# Powers of the coverage in a limb's weight and in that of staying where all that another limb covers is missed, and
# what is added to the coverage. Staying where no person was copies the scene, so that it counts far less there.
_MISSED_POWER, _STAYING_POWER, _LEAST_COVERAGE = 2.0, 12.0, 1e-2


def blended_displacement(target_to_source: tf.Tensor, weights: tf.Tensor, factor: int) -> tf.Tensor:
    """Displacement of every pixel by the limbs' blended transforms (linear blend skinning).

    Args:
        target_to_source: [B, L, 2, 3], in pixels of the canvas.
        weights: [B, h, w, L], summing to 1, for a map at 1 / factor of the canvas.

    Returns:
        [B, h, w, 2], along x and y, in pixels of the canvas: the blended source point minus the pixel itself.
    """
    along_x, along_y = _displacements(target_to_source, weights, factor)
    return tf.stack([tf.reduce_sum(weights * along, axis=-1) for along in (along_x, along_y)], axis=-1)


def blended_colours(layers: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The warped layers' colours, blended by the limb weights.

    Not part of the picture: training compares it with the target, since its gradient tells the weights directly which
    limb has the right colour, while a sample of the photo only tells about its neighbourhood.

    Args:
        layers: [B, L, h, w, 4], colours times a mask, and that mask.
        weights: [B, 2 h, 2 w, L], summing to 1.

    Returns:
        [B, h, w, 3].
    """
    weights = tf.transpose(tf.nn.avg_pool2d(weights, 2, 2, "VALID"), [0, 3, 1, 2])
    mixed = tf.reduce_sum(weights[..., None] * layers, axis=1)
    return mixed[..., :3] / (mixed[..., 3:] + _LEAST_COVERAGE)


def agreeing_weights(target_to_source: tf.Tensor, weights: tf.Tensor, factor: int, radius: float) -> tf.Tensor:
    """Weights of limbs without those that would copy from far away of the likeliest limb's place.

    A mean of two places that are far apart shows neither limb, but what lies between them.

    Args:
        target_to_source: [B, L, 2, 3], in pixels of the canvas.
        weights: [B, h, w, L], summing to 1, for a map at 1 / factor of the canvas.
        radius: standard deviation of a Gaussian about the likeliest limb's place, in pixels of the canvas.

    Returns:
        [B, h, w, L], summing to 1.
    """
    likeliest = tf.cast(weights >= tf.reduce_max(weights, axis=-1, keepdims=True), weights.dtype)
    likeliest /= tf.reduce_sum(likeliest, axis=-1, keepdims=True)
    squared = 0.0
    for along in _displacements(target_to_source, weights, factor):
        squared += (along - tf.reduce_sum(likeliest * along, axis=-1, keepdims=True)) ** 2
    # Positive, for two equally likely limbs that are far apart.
    weights *= tf.exp(-squared / (2 * radius**2)) + 1e-6
    return weights / tf.reduce_sum(weights, axis=-1, keepdims=True)


def covering_weights(weights: tf.Tensor, coverage: tf.Tensor) -> tf.Tensor:
    """Weights of limbs with less for those that do not cover a pixel which another limb covers.

    An arm before a chest is chosen beyond its outline too, where it would copy the scene beside the arm. Staying is
    also chosen where no person was, which leaves holes in a leg that moved.

    Args:
        weights: [B, h, w, L + 1], summing to 1; of limbs, and last of staying.
        coverage: [B, h, w, L + 1] in [0, 1], how much of each limb's mask is at the place that it leads to. Evidence
            alone: masks get no gradient by it.

    Returns:
        [B, h, w, L + 1], summing to 1.
    """
    shown = tf.reduce_sum(weights * coverage, axis=-1, keepdims=True)
    missed = tf.nn.relu(tf.reduce_max(coverage[..., :-1], axis=-1, keepdims=True) - shown)
    powers = tf.constant([_MISSED_POWER] * (weights.shape[-1] - 1) + [_STAYING_POWER], weights.dtype)
    # A power of the coverage, larger the more is missed.
    weights *= tf.stop_gradient(tf.exp(powers * missed * tf.math.log(coverage + _LEAST_COVERAGE)))
    return weights / tf.reduce_sum(weights, axis=-1, keepdims=True)


def _displacements(target_to_source, weights, factor):
    """Of every limb, along x and along y: [B, h, w, L] each."""
    height, width = weights.shape[1:3]
    half, dtype = (factor - 1) / 2, weights.dtype
    x = (factor * tf.range(width, dtype=dtype) + half)[None, None, :, None]
    y = (factor * tf.range(height, dtype=dtype) + half)[None, :, None, None]
    # Unstacked at once: slices would be many operations of TFLite files.
    entries = tf.reshape(target_to_source, [-1, 1, 1, target_to_source.shape[1], 6])
    xx, xy, right, yx, yy, down = tf.unstack(entries, axis=-1)
    return (xx - 1) * x + xy * y + right, yx * x + (yy - 1) * y + down
