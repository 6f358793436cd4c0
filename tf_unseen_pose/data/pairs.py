"""Training examples: two frames of one clip, cropped alike, as a stream that any step can be picked up from.

Example i is a pure function of the dataset, `config` and i: a counter-based generator (Philox), keyed by the seed and
i, decides everything about it. A run that is resumed at step k therefore sees what an undisturbed one would have seen,
on any number of threads; the stream has no end and no epochs.

A network on a GPU wants hundreds of pairs a second, so each costs as little as it can: pictures are decoded once, a
canvas is cut out of them in 8 bits, a whole batch is brightened and scaled in one compiled loop, and noise is looked
up. Maps of the joints are not made here at all, but by the model.
"""

import functools
import os
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.augmentation import Augmentation, adjust_brightness
from tf_unseen_pose.data.crop import common_crop, compose, invert, transform_joints
from tf_unseen_pose.data.pictures import DecodedFrame, DecodedFrames
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.resampling import cut_out
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


class Share(NamedTuple):
    """Of the `total` equal parts of every batch, those from `first` on, `count` of them: what one machine works on."""

    first: int = 0
    count: int = 1
    total: int = 1


def find_pairs(dataset: ClipDataset, min_gap: float, actions: tuple[str, ...] = ()) -> list[ClipPairs]:
    """The pairs of every training clip that has any; frames of a pair are at least `min_gap` of the clip's span apart.

    Args:
        actions: take clips of these actions only; of all when empty.

    Raises:
        UserError: no training clip has a pair, or an action that the dataset does not have.
    """
    known = sorted({clip.action for clip in dataset.clips})
    for action in actions:
        if action not in known:
            raise UserError(f"{dataset.path} has no clip of the action '{action}'; it has {', '.join(known)}.")
    found = [
        ClipPairs.find(position, np.array([frame.number for frame in clip.frames]), min_gap)
        for position, clip in enumerate(dataset.clips)
        if clip.split == "train" and (not actions or clip.action in actions)
    ]
    found = [pairs for pairs in found if pairs.partners[-1] > 0]
    if not found:
        of = f" of {', '.join(actions)}" if actions else ""
        raise UserError(
            f"No training clip{of} in {dataset.path} has two frames; training needs pairs: add longer clips."
        )
    return found


def pair_batches(
    dataset: ClipDataset,
    config: Config,
    first_step: int = 0,
    augment: bool = True,
    steps: int | None = None,
    share: Share = Share(),  # noqa: B008  It cannot be changed.
) -> tf.data.Dataset:
    """Batches of training examples, B = `config.train.batch_size` / `share.total`.

    Args:
        first_step: the stream begins with the batch of this step.
        augment: whether pairs are changed at random; the choice of pairs is the same either way.
        steps: for how many steps; without end when None.
        share: which parts of the batches; they come as batches of their own, those of a step in succession.

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
    pairs, frames = find_pairs(dataset, config.data.min_gap, config.data.actions), DecodedFrames(dataset)
    seed, batch_size = config.train.seed, config.train.batch_size // share.total

    def example(number):
        generator = np.random.Generator(np.random.Philox(key=np.array([seed, number], np.uint64)))
        of_clip = pairs[generator.integers(len(pairs))]
        chosen = [frames.read(of_clip.clip, frame) for frame in of_clip.choose(generator)]
        change = Augmentation.draw(generator, config.data)
        noise_rows = _draw_noise_rows(generator, config)
        return *_example(chosen, config, change if augment else Augmentation()), noise_rows

    def batch(number):
        step, part = divmod(int(number), share.count)
        first = (step * share.total + share.first + part) * batch_size
        examples = [example(number) for number in range(first, first + batch_size)]
        return tuple(np.stack(parts) for parts in zip(*examples, strict=True))

    shapes = [[batch_size, *shape] for shape in _example_shapes(config)]

    def finished(number):
        parts = tf.numpy_function(batch, [number], _EXAMPLE_TYPES)
        parts = [tf.ensure_shape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        return _finished(parts, config)

    first = first_step * share.count
    last = np.iinfo(np.int64).max if steps is None else first + steps * share.count
    # Twice the cores, as some wait for Python or the disk; in threads of their own, which do not spin while they wait.
    workers = 2 * os.cpu_count()
    # Not left to tf.data's autotuning: its thread sleeps up to a minute before it lets an iterator go.
    options = tf.data.Options()
    options.autotune.enabled = False
    options.threading.private_threadpool_size = workers
    batches = tf.data.Dataset.range(first, last).map(finished, num_parallel_calls=workers, deterministic=True)
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
    frames = DecodedFrames(dataset)
    chosen = [frames.read(clip, frame) for frame in (source_index, target_index)]
    noise_rows = _draw_noise_rows(np.random.default_rng([clip, source_index, target_index]), config)
    parts = *_example(chosen, config, Augmentation()), noise_rows
    # As in the stream, whatever device is there.
    with tf.device("CPU"):
        return _finished([tf.constant(part)[None] for part in parts], config)


def _check_skeleton(dataset: ClipDataset, config: Config) -> None:
    if dataset.skeleton != config.model.body:
        raise UserError(
            f"{dataset.path} has the joints of '{dataset.skeleton.name}', the model those of "
            f"'{config.model.skeleton}'; set model.skeleton or prepare other data."
        )


# What `_example` returns, in this order, and the rows of noise; see there.
_EXAMPLE_TYPES = [tf.uint8] * 4 + [tf.float32] * 4 + [tf.int32]


def _example_shapes(config: Config) -> list:
    height, width, joint_count = config.model.height, config.model.width, config.model.body.joint_count
    return [[height, width, 3]] * 2 + [[height, width]] * 2 + [[joint_count, 3]] * 2 + [[], [], [height]]


def _example(frames: list[DecodedFrame], config: Config, change: Augmentation) -> tuple:
    """Cuts both frames of a pair out alike.

    Returns:
        source and target image, uint8 [H, W, 3]; their masks, uint8 [H, W], empty where one is unknown; their joints
        [J, 3]; brightness; mask_known.
    """
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
    cut = functools.partial(cut_out, output_to_input=canvas_to_image, height=model.height, width=model.width)
    images = [cut(frame.image) for frame in frames]
    known = all(frame.mask is not None for frame in frames)
    masks = [cut(frame.mask) if known else np.zeros((model.height, model.width), np.uint8) for frame in frames]
    return *images, *masks, *joints, np.float32(change.brightness), np.float32(known)


def _finished(parts, config: Config) -> dict[str, tf.Tensor]:
    """A batch of what `_example` returned, as `pair_batches` describes it."""
    *pictures, source_joints, target_joints, brightness, known, noise_rows = parts
    image, target_image, source_mask, target_mask = _scaled(*pictures, brightness)
    noise = tf.gather(_noise_table(config.model.height, config.model.width), noise_rows)
    return {
        "image": image,
        "target_image": target_image,
        "source_joints": source_joints,
        "target_joints": target_joints,
        "noise": tf.reshape(noise, image.shape),
        "source_mask": source_mask,
        "target_mask": target_mask,
        "mask_known": known,
    }


@tf.function(jit_compile=True)
def _scaled(image, target_image, source_mask, target_mask, brightness):
    """Brightened images, float32 [B, H, W, 3] in [-1, 1]; masks, float32 [B, H, W, 1] in [0, 1]."""

    def photo(image):
        image = adjust_brightness(tf.cast(image, tf.float32), brightness[:, None, None, None])
        # Clipped because compiled division may be off by a last digit.
        return tf.clip_by_value(image / 127.5 - 1, -1, 1)

    def mask(mask):
        return tf.cast(mask, tf.float32)[..., None] / 255

    return photo(image), photo(target_image), mask(source_mask), mask(target_mask)


@functools.cache
def _noise_table(height: int, width: int) -> np.ndarray:
    """Rows of standard normal numbers, float32 [R, 3 W]."""
    return np.random.default_rng(0).standard_normal((_NOISE_CANVASES * height, 3 * width), np.float32)


def _draw_noise_rows(generator: np.random.Generator, config: Config) -> np.ndarray:
    """int32 [H]: which row of the table each row of an example's noise is."""
    return generator.integers(_NOISE_CANVASES * config.model.height, size=config.model.height, dtype=np.int32)
