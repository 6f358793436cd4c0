"""Training examples: two frames of one clip, cropped alike, as a stream that any step can be picked up from.

Example i is a pure function of the dataset, `config` and i: a counter-based generator (Philox), keyed by the seed and
i, decides everything about it. A run that is resumed at step k therefore sees what an undisturbed one would have seen,
on any number of threads; the stream has no end and no epochs.

A network on a GPU wants hundreds of pairs a second, so each costs as little as it can: of a JPEG only the window that
the canvas shows is decoded, the canvas is sampled, brightened and scaled in one loop that XLA compiles, and noise is
looked up. Maps of the joints are not made here at all, but by the model.
"""

import functools
import os
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.augmentation import Augmentation, adjust_brightness
from tf_unseen_pose.data.crop import common_crop, compose, invert, transform_joints
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.resampling import packed, sample, visible_window
from tf_unseen_pose.errors import UserError

# The rows of noise are drawn from a table that would fill so many canvases.
_NOISE_CANVASES = 16


@dataclass(frozen=True)
class ClipPairs:
    """The ordered pairs of a clip's frames that lie far enough apart.

    Attributes:
        clip: position in the dataset.
        numbers: int [N], the frames' numbers.
        gap: least difference of the numbers of a pair.
        partners: int [N], cumulative: pairs whose source is this frame or an earlier one.
    """

    clip: int
    numbers: np.ndarray
    gap: float
    partners: np.ndarray

    @classmethod
    def find(cls, clip: int, numbers: np.ndarray, min_gap: float) -> "ClipPairs":
        gap = max(1.0, min_gap * np.ptp(numbers))
        ordered = np.sort(numbers)
        too_near = np.searchsorted(ordered, numbers + gap, "left") - np.searchsorted(ordered, numbers - gap, "right")
        return cls(clip, numbers, gap, np.cumsum(len(numbers) - too_near))

    def choose(self, generator: np.random.Generator) -> tuple[int, int]:
        """Source and target frame; every pair is as likely as another."""
        pair = generator.integers(self.partners[-1])
        source = int(np.searchsorted(self.partners, pair, "right"))
        far = np.flatnonzero(np.abs(self.numbers - self.numbers[source]) >= self.gap)
        return source, int(far[self.partners[source] - pair - 1])


def find_pairs(dataset: ClipDataset, min_gap: float) -> list[ClipPairs]:
    """The pairs of every training clip that has any; frames of a pair are at least `min_gap` of the clip's span apart.

    Raises:
        UserError: no training clip has a pair.
    """
    found = [
        ClipPairs.find(position, np.array([frame.number for frame in clip.frames]), min_gap)
        for position, clip in enumerate(dataset.clips)
        if clip.split == "train"
    ]
    found = [pairs for pairs in found if pairs.partners[-1] > 0]
    if not found:
        raise UserError(f"No training clip of {dataset.path} has two frames; training needs pairs: add longer clips.")
    return found


def pair_batches(
    dataset: ClipDataset, config: Config, first_step: int = 0, augment: bool = True, steps: int | None = None
) -> tf.data.Dataset:
    """Batches of training examples, B = `config.train.batch_size`.

    Args:
        first_step: the stream begins with the batch of this step.
        augment: whether pairs are changed at random; the choice of pairs is the same either way.
        steps: how many batches; without end when None.

    Returns:
        A dataset of dicts, all float32 and of static shape, on the canvas of `config.model` (H, W) and with the joints
        of its skeleton (J):
        - image, target_image [B, H, W, 3]: RGB in [-1, 1].
        - source_joints, target_joints [B, J, 3]: canvas pixels; some may lie outside the canvas.
        - noise [B, H, W, 3]: standard normal, not clipped; its rows are drawn from one table.
        - source_mask, target_mask [B, H, W, 1]: the person, in [0, 1]; zeros where mask_known is 0.
        - mask_known [B]: 1 where both frames have a mask.

    Raises:
        UserError: no pairs, or a dataset of another skeleton.
    """
    _check_skeleton(dataset, config)
    pairs = find_pairs(dataset, config.data.min_gap)
    seed, batch_size = config.train.seed, config.train.batch_size

    def read(number):
        generator = np.random.Generator(np.random.Philox(key=np.array([seed, number], np.uint64)))
        of_clip = pairs[generator.integers(len(pairs))]
        source, target = of_clip.choose(generator)
        change = Augmentation.draw(generator, config.data)
        noise_rows = _draw_noise_rows(generator, config)
        pair = _read_pair(dataset, config, of_clip.clip, source, target, change if augment else Augmentation())
        return *pair, noise_rows

    masks = any(frame.has_mask for clip in dataset.clips for frame in clip.frames)

    def example(number):
        *pair, noise_rows = tf.numpy_function(read, [number], [*_PAIR_TYPES, tf.int32])
        return _example(pair, noise_rows, config, augment, masks)

    def finished(batch):
        return _with_noise(batch, config)

    first = first_step * batch_size
    last = np.iinfo(np.int64).max if steps is None else first + steps * batch_size
    numbers = tf.data.Dataset.range(first, last)
    # Twice the cores, as some wait for Python or the disk; in threads of their own, which do not spin while they wait.
    workers = 2 * os.cpu_count()
    examples = numbers.map(example, num_parallel_calls=workers, deterministic=True)
    # Not left to tf.data's autotuning: its thread sleeps up to a minute before it lets an iterator go.
    options = tf.data.Options()
    options.autotune.enabled = False
    options.threading.private_threadpool_size = workers
    batches = examples.batch(batch_size, drop_remainder=True).map(finished)
    return batches.prefetch(2).with_options(options)


def evaluation_pair(
    dataset: ClipDataset, config: Config, clip: int, source_index: int, target_index: int
) -> dict[str, tf.Tensor]:
    """One chosen pair, not augmented, as a batch of one in the form of `pair_batches`.

    Args:
        clip, source_index, target_index: positions in the dataset's index; source and target may be the same.

    Raises:
        UserError: a dataset of another skeleton.
    """
    _check_skeleton(dataset, config)
    noise_rows = _draw_noise_rows(np.random.default_rng([clip, source_index, target_index]), config)
    pair = _read_pair(dataset, config, clip, source_index, target_index, Augmentation())
    # As in the stream, whatever device is there.
    with tf.device("CPU"):
        example = _example([tf.constant(part) for part in pair], noise_rows, config, augment=False, masks=True)
        return _with_noise({name: value[None] for name, value in example.items()}, config)


def _check_skeleton(dataset: ClipDataset, config: Config) -> None:
    if dataset.skeleton != config.model.body:
        raise UserError(
            f"{dataset.path} has the joints of '{dataset.skeleton.name}', the model those of "
            f"'{config.model.skeleton}'; set model.skeleton or prepare other data."
        )


# What `_read_pair` returns, in this order; see there.
_PAIR_TYPES = [tf.string] * 2 + [tf.int32] + [tf.float32] * 4


def _read_pair(dataset, config: Config, clip: int, source: int, target: int, change: Augmentation) -> tuple:
    """Reads two frames and settles everything that is not done on pixels.

    Returns:
        jpegs [2] and masks [2], encoded ('' where unknown), the windows of them that are seen, int32 [2, 4], and from
        canvas to window, float32 [2, 2, 3]; source and target joints, brightness.
    """
    frames = dataset.read_frame(clip, source), dataset.read_frame(clip, target)
    entries = [dataset.clips[clip].frames[frame] for frame in (source, target)]
    model = config.model
    crop = common_crop(
        [frame.joints for frame in frames],
        model.body,
        model.height,
        model.width,
        config.data.crop_factor,
        [frame.box for frame in frames],
    )
    canvas_to_image = compose(crop, invert(change.canvas_transform(model.height, model.width)))
    image_to_canvas = invert(canvas_to_image)
    joints = (change.relabelled(transform_joints(image_to_canvas, frame.joints), model.body) for frame in frames)
    windows = [
        visible_window(canvas_to_image, entry.height, entry.width, model.height, model.width) for entry in entries
    ]
    canvas_to_window = np.tile(canvas_to_image, (2, 1, 1))
    canvas_to_window[..., 2] -= [window[1::-1] for window in windows]
    return (
        np.array([frame.jpeg for frame in frames], object),
        np.array([frame.mask_png or b"" for frame in frames], object),
        np.stack(windows),
        canvas_to_window.astype(np.float32),
        *joints,
        np.float32(change.brightness),
    )


def _example(pair, noise_rows, config: Config, augment: bool, masks: bool) -> dict[str, tf.Tensor]:
    """Decodes and resamples what `_read_pair` returned."""
    height, width, joint_count = config.model.height, config.model.width, config.model.body.joint_count
    shapes = [[2], [2], [2, 4], [2, 2, 3], [joint_count, 3], [joint_count, 3], []]
    pair = [tf.ensure_shape(part, shape) for part, shape in zip(pair, shapes, strict=True)]
    jpegs, pngs, windows, canvas_to_window, source_joints, target_joints, brightness = pair

    def image(i):
        # The accurate method gives the same pixels on every stack.
        window = tf.image.decode_and_crop_jpeg(jpegs[i], windows[i], channels=3, dct_method="INTEGER_ACCURATE")
        seen = packed(window, canvas_to_window[i], height, width)
        return _photo_canvas(*seen, brightness, height, width, augment)

    def mask(i):
        top, left, rows, columns = tf.unstack(windows[i])
        window = tf.io.decode_png(pngs[i], channels=1)[top : top + rows, left : left + columns]
        return _mask_canvas(*packed(window, canvas_to_window[i], height, width), height, width)

    known = tf.reduce_all(tf.strings.length(pngs) > 0)
    unknown = [tf.zeros([height, width, 1])] * 2
    source_mask, target_mask = tf.cond(known, lambda: [mask(0), mask(1)], lambda: unknown) if masks else unknown
    return {
        "image": image(0),
        "target_image": image(1),
        "source_joints": source_joints,
        "target_joints": target_joints,
        "noise_rows": tf.ensure_shape(noise_rows, [height]),
        "source_mask": source_mask,
        "target_mask": target_mask,
        "mask_known": tf.cast(known, tf.float32),
    }


@tf.function(jit_compile=True)
def _photo_canvas(pixels, size, canvas_to_window, brightness, height, width, augment):
    """float32 [H, W, 3] in [-1, 1]."""
    canvas = sample(pixels, size, canvas_to_window, height, width)
    if augment:
        canvas = adjust_brightness(canvas[None], brightness)[0]
    # Clipped because compiled division may be off by a last digit.
    return tf.clip_by_value(canvas / 127.5 - 1, -1, 1)


@tf.function(jit_compile=True)
def _mask_canvas(pixels, size, canvas_to_window, height, width):
    """float32 [H, W, 1] in [0, 1]."""
    return sample(pixels, size, canvas_to_window, height, width) / 255


@functools.cache
def _noise_table(height: int, width: int) -> np.ndarray:
    """Rows of standard normal numbers, float32 [R, 3 W]."""
    return np.random.default_rng(0).standard_normal((_NOISE_CANVASES * height, 3 * width), np.float32)


def _draw_noise_rows(generator: np.random.Generator, config: Config) -> np.ndarray:
    """int32 [H]: which row of the table each row of an example's noise is."""
    return generator.integers(_NOISE_CANVASES * config.model.height, size=config.model.height, dtype=np.int32)


def _with_noise(batch: dict[str, tf.Tensor], config: Config) -> dict[str, tf.Tensor]:
    """Looks the rows of noise up, for a whole batch at once: a hundred times as fast as drawing numbers."""
    table = _noise_table(config.model.height, config.model.width)
    noise = tf.gather(table, batch.pop("noise_rows"))
    return {**batch, "noise": tf.reshape(noise, [-1, config.model.height, config.model.width, 3])}
