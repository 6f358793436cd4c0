"""Training examples: pairs of frames, cropped alike, as an endless stream that can start at any step.

Example i is a pure function of the dataset, `config` and i (`examples`), so a resumed run sees the same examples, on
any number of threads or processes.

A GPU needs hundreds of pairs per second, so examples are cheap and sent in 8 bits. The training device does the rest
(`expanded`): brightness, scaling and noise; the model makes the heatmaps.
"""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.byte_cache import byte_cache
from tf_unseen_pose.data.example_workers import FEW_CORES, batch_maker, worker_count
from tf_unseen_pose.data.examples import NOISE_CANVASES, cut_example, draw_corner, draw_noise_rows, example_parts
from tf_unseen_pose.data.frame_cache import DecodedFrames
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.geometry.pixels import from_bytes


@dataclass(frozen=True)
class Share:
    """The parts of every batch for one machine: `count` of the `total` equal parts, from `first` on."""

    first: int = 0
    count: int = 1
    total: int = 1


def pair_batches(
    dataset: ClipDataset,
    config: Config,
    first_step: int = 0,
    augment: bool = True,
    steps: int | None = None,
    share: Share = Share(),
) -> tf.data.Dataset:
    """Batches of training examples, B = `config.train.batch_size` / `share.total`.

    Args:
        first_step: the stream begins with the batch of this step.
        augment: whether to augment; the choice of pairs is the same either way.
        steps: number of steps; None for no end.
        share: the parts of the batches, each as a batch of its own, those of a step in succession.

    Returns:
        A dataset of dicts of static shape, on the canvas of `config.model` (H, W) and with the joints of its skeleton
        (J), to be `expanded` where they are used:
        - image, target_image: uint8 [B, H, W, 3] RGB.
        - source_mask, target_mask: uint8 [B, H, W, 1], the person; zeros where mask_known is 0.
        - source_joints, target_joints: float32 [B, J, 3] in canvas pixels; some may lie outside the canvas.
        - brightness: float32 [B], the factor by which both images are to be multiplied.
        - mask_known: float32 [B], 1 where both frames have a mask.
        - noise_rows: int32 [B, H]: the table's row for each row of the noise.

        And if a loss of `config` needs them:
        - source_limbs, target_limbs: uint8 [B, H, W], see `limb_maps`; zeros where limbs_known is 0.
        - limbs_known: float32 [B], 1 where both frames have a limb map.
        - scene: uint8 [B, H, W, 3], what both frames show behind the person; zeros where scene_known is 0.
        - scene_known: float32 [B], 1 where that is known without the person.
        - features_corner: int32 [B, 2], row and column of the first pixel of the square that the VGG loss compares.

    Raises:
        UserError: no pairs, or a dataset that cannot be read as one of the model's skeleton (`ClipDataset.as_of`).
    """
    # Checked now, not in a worker.
    dataset.as_of(config.model.body)
    make, batch_size = batch_maker(dataset, config, augment), config.train.batch_size // share.total

    def batch(number):
        step, part = divmod(int(number), share.count)
        return make((step * share.total + share.first + part) * batch_size, batch_size)

    parts = example_parts(config)

    def named(number):
        made = tf.numpy_function(batch, [number], [kind for kind, _ in parts.values()])
        return {
            name: tf.ensure_shape(part, [batch_size, *shape])
            for part, (name, (_, shape)) in zip(made, parts.items(), strict=True)
        }

    first = first_step * share.count
    last = np.iinfo(np.int64).max if steps is None else first + steps * share.count
    return _in_parallel(tf.data.Dataset.range(first, last), named, worker_count(config))


def _in_parallel(numbers: tf.data.Dataset, batch_of: Callable, processes: int) -> tf.data.Dataset:
    """Batches in order, computed ahead."""
    # Threads of their own, which do not spin while they wait: for a process, or for Python and the disk.
    workers = processes + 2 if processes else 2 * min(os.cpu_count() or 1, FEW_CORES)
    # Without tf.data's autotuning, whose thread delays the end of an iterator by up to a minute.
    options = tf.data.Options()
    options.autotune.enabled = False
    options.threading.private_threadpool_size = workers
    batches = numbers.map(batch_of, num_parallel_calls=workers, deterministic=True)
    return batches.prefetch(2).with_options(options)


def evaluation_pair(
    dataset: ClipDataset, config: Config, clip: int, source_index: int, target_index: int
) -> dict[str, tf.Tensor]:
    """One chosen pair, not augmented, as a batch of one; see `expanded`.

    Args:
        clip, source_index, target_index: positions in the dataset's index; source and target may be the same.

    Raises:
        UserError: as `ClipDataset.as_of`.
    """
    frames, generator = (
        DecodedFrames(dataset.as_of(config.model.body)),
        np.random.default_rng([clip, source_index, target_index]),
    )
    chosen = [frames.read(clip, frame) for frame in (source_index, target_index)]
    pair = cut_example(chosen, config, scene=frames.background(clip))
    pair |= {"noise_rows": draw_noise_rows(generator, config)} | draw_corner(generator, pair["target_joints"], config)
    return expanded({name: tf.constant(pair[name])[None] for name in example_parts(config)}, config)


def expanded(batch: dict[str, tf.Tensor], config: Config) -> dict[str, tf.Tensor]:
    """A batch as networks and losses need it; an expanded batch is returned unchanged.

    Args:
        batch: of `pair_batches`: image [B, H, W, 3] and so on.

    Returns:
        A dict, float32:
        - image, target_image [B, H, W, 3]: RGB in [-1, 1].
        - source_joints, target_joints [B, J, 3] in canvas pixels.
        - noise [B, H, W, 3]: standard normal, not clipped.
        - source_mask, target_mask [B, H, W, 1] in [0, 1].
        - mask_known [B].
        - scene [B, H, W, 3], where it is asked for: RGB in [-1, 1].

        What else a loss asks for stays as it is.
    """
    if "noise" in batch:
        return batch
    batch = dict(batch)
    photos = {name: batch.pop(name) for name in ("image", "target_image", "scene") if name in batch}
    masks = {name: batch.pop(name) for name in ("source_mask", "target_mask")}
    scaled = _scaled(photos, masks, batch.pop("brightness"))
    noise = tf.gather(_noise_table(config.model.height, config.model.width), batch.pop("noise_rows"))
    return {**batch, **scaled, "noise": tf.reshape(noise, tf.shape(scaled["image"]))}


@tf.function(jit_compile=True)
def _scaled(photos, masks, brightness):
    """Brightened images, float32 [B, H, W, 3] in [-1, 1]; masks, float32 [B, H, W, 1] in [0, 1]."""

    def photo(image):
        image = adjust_brightness(tf.cast(image, tf.float32), brightness[:, None, None, None])
        # Clipped because the compiled product may be off by a last digit.
        return tf.clip_by_value(from_bytes(image), -1, 1)

    def mask(mask):
        return tf.cast(mask, tf.float32) / 255

    return {name: photo(part) for name, part in photos.items()} | {name: mask(part) for name, part in masks.items()}


def adjust_brightness(images: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Multiplies float pictures [B, H, W, 3] in [0, 255] by `factor` [B, 1, 1, 1] or [], clipped to that range.

    keras-cv's `RandomBrightness` draws its own change and adds it. Training must be a function of seed and step alone,
    so the layer gets the change from us: factor * image is image + (factor - 1) * image.
    """
    images = tf.convert_to_tensor(images)
    return _brightness_layer().augment_images(images, transformations=(factor - 1) * images)


@functools.cache
def _brightness_layer():
    # keras-cv takes long to import, and only training needs it.
    import keras_cv

    with tf.init_scope():
        return keras_cv.layers.RandomBrightness(0.0, value_range=(0, 255))


@byte_cache(2**29)
def _noise_table(height: int, width: int) -> np.ndarray:
    """Rows of standard normal numbers, float32 [R, 3 W]."""
    return np.random.default_rng(0).standard_normal((NOISE_CANVASES * height, 3 * width), np.float32)
