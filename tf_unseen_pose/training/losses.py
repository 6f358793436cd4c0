"""Per-example losses: every function returns [B], which is averaged once over the global batch.

A mean per replica would multiply the step by the number of replicas.

Convention: images are float32 [B, H, W, 3] in [-1, 1].
"""

import numpy as np
import tensorflow as tf
from scipy.linalg import convolution_matrix
from scipy.signal.windows import gaussian

# Added to every channel's standard deviation, so that channels that hardly vary do not dominate.
_DEVIATION_FLOOR = 0.1
# Weight of the background behind the source person; the rest can be copied.
_HOLE_WEIGHT = 4.0
# SSIM's Gaussian window: side and standard deviation in pixels. Its constants, for values that span 2.
_SSIM_WINDOW, _SSIM_DEVIATION = 11, 1.5
_SSIM_C1, _SSIM_C2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2


def l1(target: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference [B] of two [B, H, W, 3]."""
    return tf.reduce_mean(tf.abs(target - image), axis=[1, 2, 3])


@tf.function(jit_compile=True, autograph=False)
def ssim_loss(target: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """(1 - SSIM) / 2, the difference in structure of two images.

    The value is that of `tf.image.ssim`, whose depthwise convolutions took half of a training step. A Gaussian window
    is separable, so each axis is one product with a banded matrix, which is much faster (benchmarks/README.md).

    Args:
        target, image: [B, H, W, 3]; H and W at least 11.

    Returns:
        [B] in [0, 1].

    Source: Zhao et al., Loss Functions for Image Restoration with Neural Networks, 2017.
    """
    target, image = (tf.transpose(tf.cast(maps, tf.float32), [0, 3, 1, 2]) for maps in (target, image))
    means = [_windowed(maps) for maps in (target, image)]
    product, squares = means[0] * means[1], means[0] ** 2 + means[1] ** 2
    covariance = _windowed(target * image) - product
    variances = _windowed(target**2 + image**2) - squares
    luminance = (2 * product + _SSIM_C1) / (squares + _SSIM_C1)
    structure = (2 * covariance + _SSIM_C2) / (variances + _SSIM_C2)
    return (1 - tf.reduce_mean(luminance * structure, axis=[1, 2, 3])) / 2


def _windowed(maps):
    """Gaussian means of all windows within maps: [B, C, H, W] -> [B, C, H - 10, W - 10]."""
    for _ in range(2):
        maps = tf.linalg.matrix_transpose(tf.tensordot(maps, _windows(maps.shape[-1]), 1))
    return maps


def _windows(size):
    """Each column is one window along an axis: float32 [size, size - 10]."""
    bell = gaussian(_SSIM_WINDOW, _SSIM_DEVIATION)
    return convolution_matrix(bell / bell.sum(), size, "valid").T.astype(np.float32)


def perceptual(
    target_features: list[tf.Tensor], image_features: list[tf.Tensor], deviations: list[tf.Tensor]
) -> tf.Tensor:
    """Mean over feature maps of the absolute difference in units of each channel's deviation: [B].

    Args:
        target_features, image_features: lists of [B, h, w, C].
        deviations: for each map [C], the channel's standard deviation over the training set.

    Source: the paper, equation 4; the authors' `vgg_loss`.
    """
    terms = [
        tf.reduce_mean(tf.cast(tf.abs(a - b), tf.float32) / (deviation + _DEVIATION_FLOOR), axis=[1, 2, 3])
        for a, b, deviation in zip(target_features, image_features, deviations, strict=True)
    ]
    return tf.add_n(terms) / len(terms)


def adversarial(logits: tf.Tensor, real: bool) -> tf.Tensor:
    """Cross-entropy [B] of patch logits [B, h, w, 1] against "all real" or "all generated"."""
    labels = tf.ones_like(logits) if real else tf.zeros_like(logits)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits), axis=[1, 2, 3])


def mask_cross_entropy(mask: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy [B] of a predicted person mask [B, H, W, 1] against a soft true one, both in [0, 1]."""
    predicted = tf.clip_by_value(predicted, 1e-6, 1 - 1e-6)
    entropy = mask * tf.math.log(predicted) + (1 - mask) * tf.math.log(1 - predicted)
    return -tf.reduce_mean(entropy, axis=[1, 2, 3])


def background_l1(
    target_image: tf.Tensor, background: tf.Tensor, source_mask: tf.Tensor, target_mask: tf.Tensor
) -> tf.Tensor:
    """L1 [B] of the background where the target photograph shows it, weighted towards the source person's place.

    Args:
        target_image, background: [B, H, W, 3].
        source_mask, target_mask: [B, H, W, 1], person masks in [0, 1].
    """
    weight = (1 - target_mask) * (1 + (_HOLE_WEIGHT - 1) * source_mask)
    difference = tf.reduce_mean(tf.abs(target_image - background), axis=-1, keepdims=True)
    return tf.reduce_sum(weight * difference, axis=[1, 2, 3]) / (tf.reduce_sum(weight, axis=[1, 2, 3]) + 1e-6)


def blend_l1(target_image: tf.Tensor, blended: tf.Tensor, copied: tf.Tensor) -> tf.Tensor:
    """L1 [B] of the blended colours, weighted by the copied fraction.

    Args:
        target_image: [B, H, W, 3].
        blended: [B, h, w, 3], see `model.copying_generator`.
        copied: [B, H, W, 1], the copied fraction of every pixel, without gradient.
    """
    factor = target_image.shape[1] // blended.shape[1]
    target, weight = (tf.nn.avg_pool2d(maps, factor, factor, "VALID") for maps in (target_image, copied))
    return tf.reduce_mean(tf.stop_gradient(weight) * tf.abs(target - blended), axis=[1, 2, 3])


def replaced_part(replace: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """The fraction [B] of the picture in which the network's own colours replace copied ones.

    Such colours suit people and rooms like those of the training data; copied ones suit all.

    Args:
        replace: [B, H, W, 1] in [0, 1].
        alpha: [B, H, W, 1], the person, without gradient.
    """
    return tf.reduce_mean(tf.stop_gradient(alpha) * replace, axis=[1, 2, 3])


def squares(images: tf.Tensor, corners: tf.Tensor, side: int) -> tf.Tensor:
    """Cuts a square out of every image.

    Args:
        images: [B, H, W, 3].
        corners: int32 [B, 2], row and column of a square's first pixel.

    Returns:
        [B, side, side, 3].
    """
    rows, columns = (corners[:, axis, None] + tf.range(side) for axis in (0, 1))
    return tf.gather(tf.gather(images, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)
