"""Training examples: two frames of one clip, cropped alike, as a stream that any step can be picked up from.

Example i is a pure function of the dataset, `config` and i: a counter-based generator (Philox), keyed by the seed and
i, decides everything about it. A run that is resumed at step k therefore sees what an undisturbed one would have seen,
on any number of threads; the stream has no end and no epochs.

A network on a GPU wants hundreds of pairs a second, so each costs as little as it can: pictures are decoded once, a
canvas is cut out of them in 8 bits, and in 8 bits it travels. The device that trains does the rest (`expanded`): it
brightens, scales and looks the noise up. Maps of the joints are made there, too, by the model.
"""

import functools
import os
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.augmentation import Augmentation, adjust_brightness
from tf_unseen_pose.data.crop import common_crop, compose, invert, transform_joints
from tf_unseen_pose.data.looks import Partners
from tf_unseen_pose.data.pair_choice import find_pairs
from tf_unseen_pose.data.pictures import DecodedFrame, DecodedFrames
from tf_unseen_pose.data.recomposition import Backgrounds, Recomposition
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.resampling import cut_out
from tf_unseen_pose.errors import UserError

# The rows of noise are drawn from a table that would fill so many canvases.
_NOISE_CANVASES = 16


class Share(NamedTuple):
    """Of the `total` equal parts of every batch, those from `first` on, `count` of them: what one machine works on."""

    first: int = 0
    count: int = 1
    total: int = 1


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
        A dataset of dicts of static shape, on the canvas of `config.model` (H, W) and with the joints of its skeleton
        (J), to be `expanded` where they are used:
        - image, target_image: uint8 [B, H, W, 3] RGB.
        - source_mask, target_mask: uint8 [B, H, W, 1], the person; zeros where mask_known is 0.
        - source_joints, target_joints: float32 [B, J, 3] in canvas pixels; some may lie outside the canvas.
        - brightness: float32 [B], the factor by which both images are to be multiplied.
        - mask_known: float32 [B], 1 where both frames have a mask.
        - noise_rows: int32 [B, H]: which row of a table each row of the noise is.

    Raises:
        UserError: no pairs, or a dataset of another skeleton.
    """
    _check_skeleton(dataset, config)
    example, batch_size = _Examples(dataset, config, augment), config.train.batch_size // share.total

    def batch(number):
        step, part = divmod(int(number), share.count)
        first = (step * share.total + share.first + part) * batch_size
        examples = [example(number) for number in range(first, first + batch_size)]
        return tuple(np.stack([example[name] for example in examples]) for name in _EXAMPLE_TYPES)

    shapes = _example_shapes(config)

    def named(number):
        parts = tf.numpy_function(batch, [number], list(_EXAMPLE_TYPES.values()))
        named = zip(_EXAMPLE_TYPES, parts, strict=True)
        return {name: tf.ensure_shape(part, [batch_size, *shapes[name]]) for name, part in named}

    first = first_step * share.count
    last = np.iinfo(np.int64).max if steps is None else first + steps * share.count
    return _in_parallel(tf.data.Dataset.range(first, last), named)


class _Examples:
    """Makes example number i of the endless stream."""

    def __init__(self, dataset: ClipDataset, config: Config, augment: bool):
        data = config.data
        self._config, self._augment = config, augment
        self._pairs, self._frames = find_pairs(dataset, data.min_gap, data.actions), DecodedFrames(dataset)
        across, swapped = (augment and part > 0 for part in (data.across, data.background_swap))
        clips = [pairs.clip for pairs in self._pairs]
        self._partners = Partners(dataset, self._frames, clips, data.across) if across else None
        self._backgrounds = Backgrounds(dataset, self._frames) if across or swapped else None

    def __call__(self, number: int) -> dict[str, np.ndarray]:
        config = self._config
        generator = np.random.Generator(np.random.Philox(key=np.array([config.train.seed, number], np.uint64)))
        pairs = self._pairs[generator.integers(len(self._pairs))]
        chosen = [self._frames.read(pairs.clip, frame) for frame in pairs.choose(generator)]
        change = Augmentation.draw(generator, config.data)
        noise_rows = _draw_noise_rows(generator, config)
        if not self._augment:
            return {**_example(chosen, config), "noise_rows": noise_rows}
        other, partner = Recomposition.draw(generator, config.data, config.model.body.joint_count), None
        if self._partners and chosen[0].mask is not None:
            partner = self._partners.choose(generator, pairs.clip)
        if partner:
            # Another clip's camera stood elsewhere: what is behind the two must not be compared.
            chosen[1], other = self._frames.read(*partner), replace(other, swapped=True)
        pair = _example(chosen, config, change, other, self._backgrounds, one_camera=partner is None)
        return {**pair, "noise_rows": noise_rows}


def _in_parallel(numbers: tf.data.Dataset, batch_of) -> tf.data.Dataset:
    """Batches in the order of their numbers, made ahead of their use."""
    # Twice the cores, as some wait for Python or the disk; in threads of their own, which do not spin while they wait.
    workers = 2 * os.cpu_count()
    # Not left to tf.data's autotuning: its thread sleeps up to a minute before it lets an iterator go.
    options = tf.data.Options()
    options.autotune.enabled = False
    options.threading.private_threadpool_size = workers
    batches = numbers.map(batch_of, num_parallel_calls=workers, deterministic=True)
    return batches.prefetch(2).with_options(options)


def evaluation_pair(
    dataset: ClipDataset, config: Config, clip: int, source_index: int, target_index: int
) -> dict[str, tf.Tensor]:
    """One chosen pair, not augmented, as a batch of one, `expanded`.

    Args:
        clip, source_index, target_index: positions in the dataset's index; source and target may be the same.

    Raises:
        UserError: a dataset of another skeleton.
    """
    _check_skeleton(dataset, config)
    frames = DecodedFrames(dataset)
    chosen = [frames.read(clip, frame) for frame in (source_index, target_index)]
    noise_rows = _draw_noise_rows(np.random.default_rng([clip, source_index, target_index]), config)
    pair = {**_example(chosen, config), "noise_rows": noise_rows}
    return expanded({name: tf.constant(pair[name])[None] for name in _EXAMPLE_TYPES}, config)


def expanded(batch: dict[str, tf.Tensor], config: Config) -> dict[str, tf.Tensor]:
    """A batch of `pair_batches` as the networks and the losses want it; one that is so already is returned as it is.

    Returns:
        A dict, all float32:
        - image, target_image [B, H, W, 3]: RGB in [-1, 1].
        - source_joints, target_joints [B, J, 3] in canvas pixels.
        - noise [B, H, W, 3]: standard normal, not clipped.
        - source_mask, target_mask [B, H, W, 1] in [0, 1].
        - mask_known [B].
    """
    if "noise" in batch:
        return batch
    batch = dict(batch)
    pictures = (batch.pop(name) for name in ("image", "target_image", "source_mask", "target_mask"))
    image, target_image, source_mask, target_mask = _scaled(*pictures, batch.pop("brightness"))
    noise = tf.gather(_noise_table(config.model.height, config.model.width), batch.pop("noise_rows"))
    return {
        **batch,
        "image": image,
        "target_image": target_image,
        "noise": tf.reshape(noise, tf.shape(image)),
        "source_mask": source_mask,
        "target_mask": target_mask,
    }


def _check_skeleton(dataset: ClipDataset, config: Config) -> None:
    if dataset.skeleton != config.model.body:
        raise UserError(
            f"{dataset.path} has the joints of '{dataset.skeleton.name}', the model those of "
            f"'{config.model.skeleton}'; set model.skeleton or prepare other data."
        )


# What an element of a batch has; see `pair_batches`.
_EXAMPLE_TYPES = {
    "image": tf.uint8,
    "target_image": tf.uint8,
    "source_mask": tf.uint8,
    "target_mask": tf.uint8,
    "source_joints": tf.float32,
    "target_joints": tf.float32,
    "brightness": tf.float32,
    "mask_known": tf.float32,
    "noise_rows": tf.int32,
}


def _example_shapes(config: Config) -> dict[str, list[int]]:
    canvas, joints = [config.model.height, config.model.width], [config.model.body.joint_count, 3]
    shapes = {name: [*canvas, 3] for name in ("image", "target_image")}
    shapes |= {name: [*canvas, 1] for name in ("source_mask", "target_mask")}
    shapes |= dict.fromkeys(("source_joints", "target_joints"), joints)
    return shapes | {"brightness": [], "mask_known": [], "noise_rows": canvas[:1]}


def _example(
    frames: list[DecodedFrame],
    config: Config,
    change: Augmentation = Augmentation(),  # noqa: B008  It cannot be changed.
    recomposition: Recomposition = Recomposition(),  # noqa: B008
    backgrounds: Backgrounds | None = None,
    one_camera: bool = True,
) -> dict[str, np.ndarray]:
    """Cuts both frames of a pair out alike: an element of a batch, without its noise."""
    model = config.model
    groups = [frames] * 2 if one_camera else [[frame] for frame in frames]
    crops = [_crop(group, config) for group in groups]
    moved = invert(change.canvas_transform(model.height, model.width))
    to_images = [compose(crop, moved) for crop in crops]
    joints = [
        change.relabelled(transform_joints(invert(to_image), frame.joints), model.body)
        for to_image, frame in zip(to_images, frames, strict=True)
    ]
    cut = functools.partial(cut_out, height=model.height, width=model.width)
    images = [cut(frame.image, to_image) for frame, to_image in zip(frames, to_images, strict=True)]
    known = all(frame.mask is not None for frame in frames)
    nothing = np.zeros((model.height, model.width), np.uint8)
    masks = [cut(frame.mask, to_image) if known else nothing for frame, to_image in zip(frames, to_images, strict=True)]
    if known:
        images, masks = recomposition.pictures(images, masks, backgrounds)
    size = min(model.height, model.width)
    joints = [recomposition.joints(of_frame, number, size) for number, of_frame in enumerate(joints)]
    return {
        "image": images[0],
        "target_image": images[1],
        "source_mask": masks[0][..., None],
        "target_mask": masks[1][..., None],
        "source_joints": joints[0],
        "target_joints": joints[1],
        "brightness": np.float32(change.brightness),
        "mask_known": np.float32(known),
    }


def _crop(frames: list[DecodedFrame], config: Config) -> np.ndarray:
    """From the canvas to the frames' picture, [2, 3]."""
    model = config.model
    joints, boxes = [frame.joints for frame in frames], [frame.box for frame in frames]
    return common_crop(joints, model.body, model.height, model.width, config.data.crop_factor, boxes)


@tf.function(jit_compile=True)
def _scaled(image, target_image, source_mask, target_mask, brightness):
    """Brightened images, float32 [B, H, W, 3] in [-1, 1]; masks, float32 [B, H, W, 1] in [0, 1]."""

    def photo(image):
        image = adjust_brightness(tf.cast(image, tf.float32), brightness[:, None, None, None])
        # Clipped because compiled division may be off by a last digit.
        return tf.clip_by_value(image / 127.5 - 1, -1, 1)

    def mask(mask):
        return tf.cast(mask, tf.float32) / 255

    return photo(image), photo(target_image), mask(source_mask), mask(target_mask)


@functools.cache
def _noise_table(height: int, width: int) -> np.ndarray:
    """Rows of standard normal numbers, float32 [R, 3 W]."""
    return np.random.default_rng(0).standard_normal((_NOISE_CANVASES * height, 3 * width), np.float32)


def _draw_noise_rows(generator: np.random.Generator, config: Config) -> np.ndarray:
    """int32 [H]: which row of the table each row of an example's noise is."""
    return generator.integers(_NOISE_CANVASES * config.model.height, size=config.model.height, dtype=np.int32)
