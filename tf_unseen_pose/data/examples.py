"""Training example number i: a pure function of the dataset, `config` and i.

A counter-based generator (Philox), keyed by the seed and i, decides everything about it: two frames of one clip, or of
who looks alike, changed and cropped alike. Pictures are decoded once, a canvas is cut out of them in 8 bits.
"""

import functools
from dataclasses import replace

import numpy as np

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.augmentation import Augmentation
from tf_unseen_pose.data.background_swap import Backgrounds, Recomposition
from tf_unseen_pose.data.frame_cache import DecodedFrame, DecodedFrames
from tf_unseen_pose.data.lookalikes import Partners
from tf_unseen_pose.data.pair_choice import find_pairs
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.imaging.crop import common_crop, compose, invert, transform_joints
from tf_unseen_pose.imaging.resampling import cut_out

# The rows of noise are drawn from a table that would fill so many canvases.
NOISE_CANVASES = 16
# What an example has, without a batch's axis; see `pairs.pair_batches`.
EXAMPLE_TYPES = {
    "image": np.uint8,
    "target_image": np.uint8,
    "source_mask": np.uint8,
    "target_mask": np.uint8,
    "source_joints": np.float32,
    "target_joints": np.float32,
    "brightness": np.float32,
    "mask_known": np.float32,
    "noise_rows": np.int32,
}


def example_shapes(config: Config) -> dict[str, list[int]]:
    """The static shape of each of `EXAMPLE_TYPES`."""
    canvas, joints = [config.model.height, config.model.width], [config.model.body.joint_count, 3]
    shapes = {name: [*canvas, 3] for name in ("image", "target_image")}
    shapes |= {name: [*canvas, 1] for name in ("source_mask", "target_mask")}
    shapes |= dict.fromkeys(("source_joints", "target_joints"), joints)
    return shapes | {"brightness": [], "mask_known": [], "noise_rows": canvas[:1]}


class Examples:
    """Makes example number i of the endless stream. May be shared among threads.

    Raises:
        UserError: no pairs, or no masks or lookalikes where `config` needs them.
    """

    def __init__(self, dataset: ClipDataset, config: Config, augment: bool):
        data, dataset = config.data, dataset.as_of(config.model.body)
        self._config, self._augment = config, augment
        self._pairs, self._frames = find_pairs(dataset, data.min_gap, data.actions), DecodedFrames(dataset)
        across, swapped = (augment and part > 0 for part in (data.across, data.background_swap))
        clips = [pairs.clip for pairs in self._pairs]
        self._partners = Partners(dataset, self._frames, clips, data.across) if across else None
        self._backgrounds = Backgrounds(dataset, self._frames) if across or swapped else None

    def __call__(self, number: int) -> dict[str, np.ndarray]:
        """Example `number`, as `pairs.pair_batches` has it without the axis B."""
        config = self._config
        generator = np.random.Generator(np.random.Philox(key=np.array([config.train.seed, number], np.uint64)))
        pairs = self._pairs[generator.integers(len(self._pairs))]
        chosen = [self._frames.read(pairs.clip, frame) for frame in pairs.choose(generator)]
        change = Augmentation.draw(generator, config.data)
        noise_rows = draw_noise_rows(generator, config)
        if not self._augment:
            return {**cut_example(chosen, config), "noise_rows": noise_rows}
        other, partner = Recomposition.draw(generator, config.data, config.model.body.joint_count), None
        if self._partners and chosen[0].mask is not None:
            partner = self._partners.choose(generator, pairs.clip)
        if partner:
            # Another clip's camera stood elsewhere: what is behind the two must not be compared.
            chosen[1], other = self._frames.read(*partner), replace(other, swapped=True)
        pair = cut_example(chosen, config, change, other, self._backgrounds, one_camera=partner is None)
        return {**pair, "noise_rows": noise_rows}

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        """Examples number `first` and on, stacked: for each of `EXAMPLE_TYPES` one [count, ...]."""
        examples = [self(number) for number in range(first, first + count)]
        return tuple(np.stack([example[name] for example in examples]) for name in EXAMPLE_TYPES)


def cut_example(
    frames: list[DecodedFrame],
    config: Config,
    change: Augmentation = Augmentation(),  # noqa: B008  It cannot be changed.
    recomposition: Recomposition = Recomposition(),  # noqa: B008
    backgrounds: Backgrounds | None = None,
    one_camera: bool = True,
) -> dict[str, np.ndarray]:
    """Cuts both frames of a pair out alike.

    Args:
        frames: source and target.
        one_camera: whether one crop serves both; else each gets its own.

    Returns:
        An element of a batch as `pair_batches` has it, without B and without noise_rows: image and target_image
        [H, W, 3] and so on.

    Raises:
        UserError: a pose for which no crop can be found.
    """
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


def draw_noise_rows(generator: np.random.Generator, config: Config) -> np.ndarray:
    """int32 [H]: which row of the table each row of an example's noise is."""
    return generator.integers(NOISE_CANVASES * config.model.height, size=config.model.height, dtype=np.int32)
