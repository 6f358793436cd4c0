"""Training example number i: a pure function of the dataset, `config` and i.

A counter-based generator (Philox), keyed by the seed and i, determines two frames of one clip, or of lookalikes, and
their common augmentation and crop. Pictures are decoded once; canvases are cut out in 8 bits.
"""

import functools
from dataclasses import replace

import cv2
import numpy as np

from tf_unseen_pose.config import Config
from tf_unseen_pose.data import limb_maps
from tf_unseen_pose.data.augmentation import Augmentation
from tf_unseen_pose.data.background_swap import Backgrounds, Recomposition
from tf_unseen_pose.data.frame_cache import DecodedFrame, DecodedFrames
from tf_unseen_pose.data.lookalikes import Partners
from tf_unseen_pose.data.pair_choice import PairChoice
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.affine import compose, invert, transform_joints
from tf_unseen_pose.imaging.crop import common_crop
from tf_unseen_pose.imaging.resampling import cut_out
from tf_unseen_pose.known_skeletons import SKELETONS

# Size of the noise table, in canvases.
NOISE_CANVASES = 16


def example_parts(config: Config) -> dict[str, tuple[type, list[int]]]:
    """Types and static shapes of an example's parts, without the batch axis; see `pairs.pair_batches`."""
    canvas, joints = [config.model.height, config.model.width], (np.float32, [config.model.body.joint_count, 3])
    picture, mask, labels = ((np.uint8, [*canvas, *channels]) for channels in ([3], [1], []))
    number: tuple[type, list[int]] = (np.float32, [])
    parts: dict[str, tuple[type, list[int]]] = {
        "image": picture, "target_image": picture, "source_mask": mask, "target_mask": mask, "source_joints": joints,
        "target_joints": joints, "brightness": number, "mask_known": number, "noise_rows": (np.int32, canvas[:1]),
    }  # fmt: skip
    if config.loss.needs_limbs:
        parts |= {"source_limbs": labels, "target_limbs": labels, "limbs_known": number}
    if config.loss.needs_scene:
        parts |= {"scene": picture, "scene_known": number}
    if config.loss.features_crop:
        parts |= {"features_corner": (np.int32, [2])}
    return parts


class Examples:
    """Makes example number i of the endless stream. May be shared among threads.

    Raises:
        UserError: no pairs, or no masks, lookalikes, limb maps or scenes where `config` needs them.
    """

    def __init__(self, dataset: ClipDataset, config: Config, augment: bool):
        data, dataset = config.data, dataset.as_of(config.model.body)
        self._config, self._augment = config, augment
        self._choose, self._frames = PairChoice(dataset, data), DecodedFrames(dataset)
        _check_needs(dataset, self._choose.clips, config)
        across, swapped = (augment and part > 0 for part in (data.across, data.background_swap))
        self._partners = Partners(dataset, self._frames, self._choose.clips, data.across) if across else None
        self._backgrounds = Backgrounds(dataset, self._frames) if across or swapped else None

    def __call__(self, number: int) -> dict[str, np.ndarray]:
        """Example `number`, as `pairs.pair_batches` has it without the axis B."""
        config = self._config
        generator = np.random.Generator(np.random.Philox(key=np.array([config.train.seed, number], np.uint64)))
        pair = self._choose(number, generator)
        chosen = [self._frames.read(pair.clip, frame) for frame in (pair.source, pair.target)]
        change = Augmentation.draw(generator, config.data)
        noise_rows = draw_noise_rows(generator, config)
        scene = self._frames.background(pair.clip) if config.loss.needs_scene else None
        if not self._augment:
            example = cut_example(chosen, config, scene=scene)
        else:
            other, partner = Recomposition.draw(generator, config.data, config.model.body.joint_count), None
            if self._partners and chosen[0].mask is not None and not pair.near:
                partner = self._partners.choose(generator, pair.clip)
            if partner:
                # Another clip has another camera, so backgrounds must not be compared.
                chosen[1], other = self._frames.read(*partner), replace(other, swapped=True)
            one_camera = partner is None
            example = cut_example(chosen, config, change, other, self._backgrounds, one_camera, scene)
        example |= {"noise_rows": noise_rows} | draw_corner(generator, example["target_joints"], config)
        # Drawn last: pairs stay the same.
        if self._augment and generator.random() < config.data.fine_dropout:
            coarse = ~config.model.body.fine[:, None]
            example |= {name: example[name] * coarse for name in ("source_joints", "target_joints")}
        return example

    def batch(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        """Examples number `first` and on, stacked: for each of `example_parts` one [count, ...]."""
        examples = [self(number) for number in range(first, first + count)]
        return tuple(np.stack([example[name] for example in examples]) for name in example_parts(self._config))


def _check_needs(dataset: ClipDataset, clips: list[int], config: Config) -> None:
    entries = [dataset.clips[clip] for clip in clips]
    if config.loss.needs_limbs:
        stored, read = SKELETONS[dataset.index.skeleton], dataset.skeleton
        mapped = any(frame.has_limbs for entry in entries for frame in entry.frames)
        if not mapped or limb_maps.conversion(stored, read) is None:
            raise UserError(
                f"No training clip of {dataset.path} has limb maps of '{read.name}', which loss.limbs and "
                "loss.choice need; set them to 0."
            )
    if config.loss.needs_scene and not any(entry.background for entry in entries):
        raise UserError(
            f"No training clip of {dataset.path} has its scene without the person, which loss.scene needs; set it to 0."
        )


def cut_example(
    frames: list[DecodedFrame],
    config: Config,
    change: Augmentation = Augmentation(),  # noqa: B008  It cannot be changed.
    recomposition: Recomposition = Recomposition(),  # noqa: B008
    backgrounds: Backgrounds | None = None,
    one_camera: bool = True,
    scene: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Cuts out both frames of a pair.

    Args:
        frames: source and target.
        one_camera: whether one crop serves both; else each gets its own.
        scene: uint8 [H, W, 3], that of the source without the person; None where unknown.

    Returns:
        An element of a batch as `pair_batches` has it, without B and without what is drawn (noise_rows,
        features_corner): image and target_image [H, W, 3] and so on.

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
    images, masks, known = _pictures(frames, to_images, model.height, model.width)
    behind = None
    if scene is not None and one_camera:
        behind = cut_out(scene, to_images[0], model.height, model.width)
    if known:
        images, masks, exchanged = recomposition.pictures(images, masks, backgrounds)
        behind = exchanged if recomposition.swapped else behind
    size = min(model.height, model.width)
    joints = [recomposition.joints(of_frame, number, size) for number, of_frame in enumerate(joints)]
    example = {
        "image": images[0],
        "target_image": images[1],
        "source_mask": masks[0][..., None],
        "target_mask": masks[1][..., None],
        "source_joints": joints[0],
        "target_joints": joints[1],
        "brightness": np.float32(change.brightness),
        "mask_known": np.float32(known),
    }
    if config.loss.needs_limbs:
        example |= _limb_maps(frames, to_images, config, change)
    if config.loss.needs_scene:
        example |= {
            "scene": np.zeros_like(images[0]) if behind is None else behind,
            "scene_known": np.float32(behind is not None),
        }
    return example


def _pictures(
    frames: list[DecodedFrame], to_images: list[np.ndarray], height: int, width: int
) -> tuple[list[np.ndarray], list[np.ndarray], bool]:
    """Both frames and their person masks on the canvas, and whether both masks are known; else they are empty."""
    cut = functools.partial(cut_out, height=height, width=width)
    known = all(frame.mask is not None for frame in frames)
    nothing = np.zeros((height, width), np.uint8)
    places = list(zip(frames, to_images, strict=True))
    images = [cut(frame.image, to_image) for frame, to_image in places]
    return images, [cut(frame.mask, to_image) if known else nothing for frame, to_image in places], known


def _limb_maps(
    frames: list[DecodedFrame], to_images: list[np.ndarray], config: Config, change: Augmentation
) -> dict[str, np.ndarray]:
    """Both frames' limb maps on the canvas, mirrored with it."""
    model = config.model
    known = all(frame.limbs is not None for frame in frames)
    maps = {}
    for name, frame, to_image in zip(("source_limbs", "target_limbs"), frames, to_images, strict=True):
        maps[name] = np.zeros((model.height, model.width), np.uint8)
        if known:
            cut = limb_maps.cut_out(frame.limbs, to_image, model.height, model.width)
            maps[name] = cv2.LUT(cut, limb_maps.mirroring(model.body)) if change.flip else cut
    return {**maps, "limbs_known": np.float32(known)}


def _crop(frames: list[DecodedFrame], config: Config) -> np.ndarray:
    """From the canvas to the frames' picture, [2, 3]."""
    model = config.model
    joints, boxes = [frame.joints for frame in frames], [frame.box for frame in frames]
    return common_crop(joints, model.body, model.height, model.width, config.data.crop_factor, boxes)


def draw_noise_rows(generator: np.random.Generator, config: Config) -> np.ndarray:
    """int32 [H]: the table's row for each row of an example's noise."""
    return generator.integers(NOISE_CANVASES * config.model.height, size=config.model.height, dtype=np.int32)


def draw_corner(generator: np.random.Generator, joints: np.ndarray, config: Config) -> dict[str, np.ndarray]:
    """features_corner, int32 [2]: row and column of the square's first pixel; empty without a square.

    Its centre is drawn from the box around the joints.

    Args:
        joints: [J, 3], the target's in canvas pixels.
    """
    side, size = config.loss.features_crop, np.array([config.model.height, config.model.width])
    if not side:
        return {}
    seen = np.clip(joints[joints[:, 2] > 0, 1::-1], 0, size - 1)
    low, high = seen.min(axis=0), seen.max(axis=0)
    centre = low + generator.random(2) * (high - low)
    return {"features_corner": np.int32(np.clip(np.rint(centre - (side - 1) / 2), 0, size - side))}
