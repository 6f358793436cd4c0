"""Metrics of one result, as pure functions.

Convention:
    - Pictures are uint8 [H, W, 3] RGB; results are measured after rounding to 8 bits. "In parts of the range" means on
      a scale where black is 0 and white 1.
    - A weight is float [H, W] in [0, 1] per pixel: the person's soft mask for "inside the person", its complement for
      "outside". A mean over less than one pixel's weight is NaN.
    - Joints are [J, 3 or more] in pixels of the picture: x, y, visibility (0 = absent).
"""

import numpy as np
import tensorflow as tf

from tf_unseen_pose.imaging.person_measures import person_height
from tf_unseen_pose.skeleton import Skeleton
from tf_unseen_pose.training.losses import perceptual

# tf.image.ssim's window is 11 pixels wide and stays within the border.
SSIM_BORDER = 5
# Pictures that are equal have no finite PSNR; 8-bit pictures that differ in one value of 256 x 256 have 101 dB.
MOST_PSNR = 100.0
# A joint is found within this fraction of the head's length.
PCKH_PART = 0.5
# Least head length as a fraction of the person's size: people who look down or into the camera foreshorten it. Over
# 822 photographs the median was 0.15, and a tenth of them were below 0.1.
LEAST_HEAD = 0.1


def unit(image: np.ndarray) -> tf.Tensor:
    """uint8 pictures [..., 3] as float32 [..., 3] in [0, 1]."""
    return tf.constant(image, tf.float32) / 255


def weighted_mean(values: np.ndarray, weight: np.ndarray) -> float:
    """The mean of [H, W] or [H, W, C] over pixels by their weight [H, W]; NaN where less than one pixel counts."""
    total = weight.sum(dtype=np.float64)
    if total < 1:
        return float("nan")
    flat = values if values.ndim == 2 else values.mean(axis=-1)
    return float((flat * weight).sum(dtype=np.float64) / total)


def ssim_map(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Structural similarity of two [H, W, 3] about every pixel at least 5 from the border.

    The convention is that of `tf.image.ssim`: on RGB in [0, 1], an 11 x 11 Gaussian window of standard deviation 1.5,
    k1 = 0.01, k2 = 0.03, the mean of the three channels. Its mean is what `tf.image.ssim` returns.

    Args:
        image, other: uint8 [H, W, 3].

    Returns:
        float32 [H - 10, W - 10], at most 1.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004.
    """
    return tf.image.ssim(unit(image), unit(other), 1.0, return_index_map=True).numpy()


def without_border(weight: np.ndarray) -> np.ndarray:
    """The weight of the pixels that `ssim_map` has: [H - 10, W - 10]."""
    return weight[SSIM_BORDER:-SSIM_BORDER, SSIM_BORDER:-SSIM_BORDER]


def psnr(image: np.ndarray, other: np.ndarray, weight: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, 100 at most: -10 log10 of the weighted mean squared difference.

    Args:
        image, other: uint8 [H, W, 3].
        weight: [H, W].
    """
    error = weighted_mean(np.square(difference(image, other)), weight)
    return float(np.minimum(-10 * np.log10(np.maximum(error, 1e-30)), MOST_PSNR))


def difference(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """One [H, W, 3] less the other [H, W, 3]: float32 [H, W, 3], in parts of the range."""
    return (image.astype(np.float32) - other.astype(np.float32)) / 255


def perceptual_error(
    target_features: list[tf.Tensor],
    image_features: list[tf.Tensor],
    deviations: list[tf.Tensor],
    weight: tf.Tensor,
) -> tf.Tensor:
    """The loss's VGG error over a part of the picture: [B].

    Every map's error is averaged by the weight, reduced to the map's size; the mean of the maps is taken as
    in `training.losses.perceptual`, which this is where the weight is the same everywhere.

    Args:
        target_features, image_features: lists of [B, h, w, C].
        deviations: for each map [C].
        weight: [B, H, W].

    Returns:
        [B]; NaN where less than one pixel counts.
    """
    enough = tf.reduce_sum(weight, axis=[1, 2]) >= 1

    def weighted(feature_map):
        # Weights of mean 1, so that the loss's plain mean over pixels is the weighted one.
        reduced = tf.image.resize(weight[..., None], feature_map.shape[1:3], method="area")
        return feature_map * tf.math.divide_no_nan(reduced, tf.reduce_mean(reduced, axis=[1, 2, 3], keepdims=True))

    error = perceptual([weighted(a) for a in target_features], [weighted(b) for b in image_features], deviations)
    return tf.where(enough, error, tf.fill(tf.shape(error), np.float32("nan")))


def background_difference(image: np.ndarray, source: np.ndarray, people: np.ndarray) -> float:
    """Change of the scene: mean absolute difference from the source outside of people, in parts of the range.

    Args:
        image, source: uint8 [H, W, 3].
        people: [H, W], where a person is in the source or should be in the result, grown.
    """
    return weighted_mean(np.abs(difference(image, source)), 1 - people)


def flicker(
    image: np.ndarray, previous: np.ndarray, truth: np.ndarray, previous_truth: np.ndarray, weight: np.ndarray
) -> float:
    """Flicker: how the change of a result from frame to frame differs from the truth's.

    The weighted mean of |(x_t - x_(t-1)) - (y_t - y_(t-1))|, x being the result and y the truth, in parts of the
    range. A static fault does not count; a still picture gets the truth's motion.

    Args:
        image, previous, truth, previous_truth: uint8 [H, W, 3].
        weight: [H, W].

    Source: dtSSD of Erofeev et al., "Perceptually motivated benchmark for video matting", BMVC 2015.
    Deviation: absolute differences of colours in place of the root of squared ones of alpha.
    """
    change = difference(image, previous) - difference(truth, previous_truth)
    return weighted_mean(np.abs(change), weight)


def head_length(joints: np.ndarray, skeleton: Skeleton) -> float:
    """The length from neck to the top of the head, but at least a tenth of the person's size, in pixels.

    Where head or neck is absent it is that tenth. The size is `imaging.person_measures.person_height`.

    Args:
        joints: [J, 3 or 4].

    Raises:
        UserError: fewer than two joints are visible, or all of them coincide.
    """
    head, neck = joints[skeleton.joint_index("head", "neck")]
    length = np.hypot(*(head - neck)[:2]) if head[2] > 0 and neck[2] > 0 else 0.0
    return float(max(length, LEAST_HEAD * person_height(joints[:, :3], skeleton)))


def counted_joints(target: np.ndarray, height: int, width: int) -> np.ndarray:
    """bool [J]: the target's joints that are visible and lie on the picture; no detector can find the others."""
    x, y = target[:, 0], target[:, 1]
    return (target[:, 2] > 0) & (x >= -0.5) & (y >= -0.5) & (x < width - 0.5) & (y < height - 0.5)


def pckh(found: np.ndarray | None, target: np.ndarray, head: float, counted: np.ndarray) -> float:
    """PCKh@0.5: the fraction of the counted joints found within half the head's length of their target.

    Args:
        found: [J, 3 or 4] of the detected person; None without one, which counts as no joint found.
        target: [J, 3 or 4].
        head: the head's length in pixels.
        counted: bool [J]. NaN is returned where none counts.

    Source: Andriluka et al., "2D human pose estimation: new benchmark and state of the art analysis", CVPR 2014.
    Deviation: the head is measured between our joints, from the neck to the top (MPII measures the diagonal of a box).
    """
    if not counted.any():
        return float("nan")
    if found is None:
        return 0.0
    distance = np.hypot(*(found[:, :2] - target[:, :2]).T)
    return float(((distance <= PCKH_PART * head) & (found[:, 2] > 0))[counted].mean())


def joint_error(found: np.ndarray | None, target: np.ndarray, counted: np.ndarray) -> float:
    """Mean distance in pixels of the counted joints that were found to their target; NaN where none was; see `pckh`."""
    if found is None:
        return float("nan")
    both = counted & (found[:, 2] > 0)
    return float(np.hypot(*(found[both, :2] - target[both, :2]).T).mean()) if both.any() else float("nan")
