"""Training examples: two frames of one clip, cropped alike, as a stream that any step can be picked up from.

Example i is a pure function of the dataset, `config` and i: a counter-based generator (Philox), keyed by the seed and
i, decides everything about it. A run that is resumed at step k therefore sees what an undisturbed one would have seen,
on any number of threads; the stream has no end and no epochs.
"""

import os
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.augmentation import Augmentation, adjust_brightness
from tf_unseen_pose.data.crop import common_crop, compose, invert, transform_joints
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.resampling import resample
from tf_unseen_pose.errors import UserError


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
        - noise [B, H, W, 3]: standard normal, not clipped.
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
        change = Augmentation.draw(generator, config.data) if augment else Augmentation()
        return _read_pair(dataset, config, of_clip.clip, source, target, change)

    def example(number):
        return _example(tf.numpy_function(read, [number], _PAIR_TYPES), tf.stack([seed, number]), config, augment)

    first = first_step * batch_size
    last = np.iinfo(np.int64).max if steps is None else first + steps * batch_size
    numbers = tf.data.Dataset.range(first, last)
    examples = numbers.map(example, num_parallel_calls=os.cpu_count(), deterministic=True)
    # Not left to tf.data's autotuning: its thread sleeps up to a minute before it lets an iterator go.
    options = tf.data.Options()
    options.autotune.enabled = False
    return examples.batch(batch_size, drop_remainder=True).prefetch(2).with_options(options)


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
    pair = _read_pair(dataset, config, clip, source_index, target_index, Augmentation())
    noise_seed = np.random.SeedSequence([clip, source_index, target_index]).generate_state(2).astype(np.int64)
    example = _example([tf.constant(part) for part in pair], noise_seed, config, augment=False)
    return {name: value[None] for name, value in example.items()}


def _check_skeleton(dataset: ClipDataset, config: Config) -> None:
    if dataset.skeleton != config.model.body:
        raise UserError(
            f"{dataset.path} has the joints of '{dataset.skeleton.name}', the model those of "
            f"'{config.model.skeleton}'; set model.skeleton or prepare other data."
        )


# What `_read_pair` returns: two JPEGs, two masks ('' where unknown), canvas_to_image, two poses, brightness.
_PAIR_TYPES = [tf.string] * 4 + [tf.float32] * 4


def _read_pair(dataset, config: Config, clip: int, source: int, target: int, change: Augmentation) -> tuple:
    """Reads two frames and settles the geometry: everything that is not done on pixels."""
    frames = dataset.read_frame(clip, source), dataset.read_frame(clip, target)
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
    return (
        *(frame.jpeg for frame in frames),
        *(frame.mask_png or b"" for frame in frames),
        canvas_to_image.astype(np.float32),
        *joints,
        np.float32(change.brightness),
    )


def _example(pair, noise_seed, config: Config, augment: bool) -> dict[str, tf.Tensor]:
    """Decodes and resamples what `_read_pair` returned."""
    source_jpeg, target_jpeg, source_mask, target_mask, canvas_to_image, *joints, brightness = pair
    height, width, joint_count = config.model.height, config.model.width, config.model.body.joint_count
    canvas_to_image = tf.ensure_shape(canvas_to_image, [2, 3])
    layers = tf.stack(
        [
            resample(_decode(jpeg, mask), canvas_to_image, height, width)
            for jpeg, mask in ((source_jpeg, source_mask), (target_jpeg, target_mask))
        ]
    )
    images, masks = layers[..., :3], layers[..., 3:] / 255
    if augment:
        images = adjust_brightness(images, tf.ensure_shape(brightness, []))
    images = images / 127.5 - 1
    mask_known = (tf.strings.length(source_mask) > 0) & (tf.strings.length(target_mask) > 0)
    mask_known = tf.ensure_shape(tf.cast(mask_known, tf.float32), [])
    return {
        "image": images[0],
        "target_image": images[1],
        "source_joints": tf.ensure_shape(joints[0], [joint_count, 3]),
        "target_joints": tf.ensure_shape(joints[1], [joint_count, 3]),
        "noise": tf.random.stateless_normal([height, width, 3], noise_seed),
        "source_mask": masks[0] * mask_known,
        "target_mask": masks[1] * mask_known,
        "mask_known": mask_known,
    }


def _decode(jpeg, mask):
    """float32 [H, W, 4] in [0, 255]: RGB and the mask, zeros where it is unknown."""
    # The accurate method gives the same pixels on every stack.
    image = tf.cast(tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE"), tf.float32)
    mask = tf.cond(
        tf.strings.length(mask) > 0,
        lambda: tf.cast(tf.io.decode_png(mask, channels=1), tf.float32),
        lambda: tf.zeros_like(image[..., :1]),
    )
    return tf.concat([image, mask], axis=-1)
