"""Losses from limb maps: the limb of each source pixel, and the limb that each target pixel is copied from.

Convention: labels are integers [B, H, W] on the canvas, see `data.limb_maps`; losses are [B], as those of `losses`.

Among limbs, each counts by the square root of its area: a hand is a hundredth of a person, and would be worth no
mistake of a chest. Whether a pixel is a person's counts equally everywhere, since person masks would grow otherwise.
"""

import tensorflow as tf

from tf_unseen_pose.skeleton import REFERENCE_SIZE

# Least probability, so that logarithms are finite; limb priors have the same.
_LEAST_PROBABILITY = 1e-10
# Choices that lead to places nearer than about this, in pixels of a canvas of `REFERENCE_SIZE`, count as equal, since
# joints are not more exact.
_SAME_PLACE = 2.0


def label_shares(labels: tf.Tensor, count: int, factor: int) -> tf.Tensor:
    """The fraction of each label in every map pixel, which covers `factor` x `factor` canvas pixels.

    Args:
        labels: [B, H, W], below `count`.

    Returns:
        float32 [B, H / factor, W / factor, count], summing to 1.
    """
    places = [(row, column) for row in range(factor) for column in range(factor)]
    return tf.add_n([tf.one_hot(labels[:, row::factor, column::factor], count) for row, column in places]) / factor**2


def limb_cross_entropy(labels: tf.Tensor, masks: tf.Tensor) -> tf.Tensor:
    """Cross-entropy [B] of the segmentation's masks against the limbs of the source.

    It is the mean of that of person and background, plus the person's part of the area times that of the limbs of a
    person, by the root of each one's area. A mask pixel covers several canvas pixels and multiplies their mean colour,
    so its target is the limb's fraction of them: labels are averaged, not picked.

    Args:
        labels: [B, H, W].
        masks: [B, h, w, 1 + L] in [0, 1], background first, summing to 1.
    """
    shares = label_shares(labels, masks.shape[-1], labels.shape[1] // masks.shape[1])
    # The sum, whose gradient is finite where 1 - background is rounded to 0.
    background, person = masks[..., :1], tf.reduce_sum(masks[..., 1:], axis=-1, keepdims=True)
    known = shares[..., :1]
    whole = -(
        known * tf.math.log(background + _LEAST_PROBABILITY) + (1 - known) * tf.math.log(person + _LEAST_PROBABILITY)
    )
    limbs = tf.math.log(person + _LEAST_PROBABILITY) - tf.math.log(masks[..., 1:] + _LEAST_PROBABILITY)
    area = tf.reduce_mean(1 - known, axis=[1, 2, 3])
    return tf.reduce_mean(whole, axis=[1, 2, 3]) + area * _by_root_of_area(shares[..., 1:], limbs)


def choice_cross_entropy(
    source_labels: tf.Tensor, target_labels: tf.Tensor, weights: tf.Tensor, target_to_source: tf.Tensor
) -> tf.Tensor:
    """Cross-entropy [B] of the limb weights that copy each pixel of the target person, by the root of each one's area.

    The pixel's own limb is right, and so is every choice that leads to the same place in the source: another limb with
    the same motion, or staying if the limb does not move. So all weights are added up, each by how close its place is
    to the right one. Pixels whose limb the source does not show at that place do not count, nor does the background.

    Args:
        source_labels, target_labels: [B, H, W].
        weights: [B, h, w, K], summing to 1; the first L are the limbs'.
        target_to_source: [B, K, 2, 3], the transform of each choice, in canvas pixels.
    """
    (height, width, choices), factor = weights.shape[1:], target_labels.shape[1] // weights.shape[1]
    picked = slice(factor // 2, None, factor)
    own = tf.cast(target_labels[:, picked, picked], tf.int32)
    is_own = tf.one_hot(own - 1, choices)
    places = _places(target_to_source, height, width, factor)
    right = [tf.reduce_sum(is_own * along, axis=-1) for along in places]
    squared = tf.add_n([(along - true[..., None]) ** 2 for along, true in zip(places, right, strict=True)])
    unit = _SAME_PLACE * min(target_labels.shape[1:3]) / REFERENCE_SIZE
    probability = tf.reduce_sum(weights * tf.exp(-squared / unit**2), axis=-1)
    counts = tf.where(own > 0, _shown(source_labels, own, right, choices), 0.0)
    return _by_root_of_area(counts[..., None] * is_own, -tf.math.log(probability + _LEAST_PROBABILITY)[..., None])


def _by_root_of_area(shares, entropy):
    """Mean [B] of `entropy` over what `shares` [B, h, w, C] count, each label C by the root of its area; 0 if it is 0.

    Args:
        entropy: [B, h, w, C], or the same for each label.
    """
    roots = tf.sqrt(tf.reduce_sum(shares, axis=[1, 2]))
    sums = tf.math.divide_no_nan(tf.reduce_sum(shares * entropy, axis=[1, 2]), roots)
    return tf.math.divide_no_nan(tf.reduce_sum(sums, axis=-1), tf.reduce_sum(roots, axis=-1))


def _places(transforms, height, width, factor):
    """Pixels of a map under transforms [B, K, 2, 3], x and y in canvas pixels: two of [B, h, w, K]."""
    x, y = (factor * tf.range(size, dtype=transforms.dtype) + (factor - 1) / 2 for size in (width, height))
    x, y = x[None, None, :, None], y[None, :, None, None]
    return [
        transforms[:, None, None, :, row, 0] * x
        + transforms[:, None, None, :, row, 1] * y
        + transforms[:, None, None, :, row, 2]
        for row in (0, 1)
    ]


def _shown(labels, own, places, count):
    """1 where the source has the label `own` (below `count`) at a place or in an adjacent map pixel, else 0.

    Args:
        labels: [B, H, W], the source's.
        own: [B, h, w].
        places: x and y in canvas pixels, [B, h, w] each.

    Returns:
        [B, h, w].
    """
    height, width = own.shape[1:]
    factor = labels.shape[1] // height
    column, row = (tf.cast(tf.round((along - (factor - 1) / 2) / factor), tf.int32) for along in places)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    near = tf.nn.max_pool2d(label_shares(labels, count, factor), 3, 1, "SAME")
    index = (row * width + column) * count + own
    found = tf.gather(tf.reshape(near, [-1, height * width * count]), tf.where(inside, index, 0), batch_dims=1)
    return tf.where(inside & (found > 0), 1.0, 0.0)
