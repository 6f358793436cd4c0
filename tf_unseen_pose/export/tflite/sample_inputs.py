"""Inputs of `synthesize` for measurements: pairs of a dataset, or the bundled photo.

Convention: an example has the inputs of `synthesize`: image float32 [1, H, W, 3] in [-1, 1], source joints [1, J, 3]
and target joints [1, J, 4], all on the canvas.
"""

from collections.abc import Iterator

import numpy as np

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.evaluation import evaluation_pairs
from tf_unseen_pose.evaluation.example_pictures import Example, ExampleReader
from tf_unseen_pose.export.parity import as_skeleton
from tf_unseen_pose.imaging.affine import compose, invert, transform_joints
from tf_unseen_pose.imaging.crop import common_crop
from tf_unseen_pose.imaging.image_files import from_uint8
from tf_unseen_pose.inference.bundled import bundled
from tf_unseen_pose.inference.cutting import cut_out

# Variations of the bundled photo: scale, shift (as a fraction of the canvas) and brightness.
_SCALE, _SHIFT, _BRIGHTNESS = (0.85, 1.2), 0.06, (0.7, 1.3)


def dataset_pairs(dataset: ClipDataset, config: Config, split: str, count: int) -> list[Example]:
    """At most `count` pairs of a split.

    Raises:
        UserError: the split has none, or the dataset is of another skeleton.
    """
    reader = ExampleReader(dataset.as_of(config.model.body), config)
    clips = evaluation_pairs.clips_of_split(dataset, split)
    return [
        reader.within(pair) for pair in evaluation_pairs.pairs_within(dataset, clips, count, 0, config.data.min_gap)
    ]


def called_with(example: Example) -> dict[str, np.ndarray]:
    """A pair as inputs of `synthesize`."""
    return _batch(example.image, example.source_joints, example.target_joints)


def bundled_examples(config: Config, count: int, seed: int = 0) -> Iterator[dict[str, np.ndarray]]:
    """The bundled photo in its bundled poses, mirrored, moved, scaled and brightened.

    Raises:
        UserError: a skeleton that the bundled person cannot have.
    """
    skeleton, size = config.model.body, (config.model.height, config.model.width)
    photo, source, motion = bundled()
    source, poses = as_skeleton(skeleton, source[:, :3]), as_skeleton(skeleton, motion.joints[..., :3])
    rng = np.random.default_rng(seed)
    for i in range(count):
        target = poses[i * len(poses) // count]
        picture, joints = photo, (source, target)
        if i % 2:
            picture, joints = _mirrored(photo, joints, skeleton.mirrored)
        crop = common_crop(joints, skeleton, *size, config.data.crop_factor)
        crop = compose(crop, _jitter(rng, size))
        canvas = np.clip(cut_out(picture, crop, *size) * rng.uniform(*_BRIGHTNESS), 0, 255)
        yield _batch(from_uint8(canvas), *(transform_joints(invert(crop), part) for part in joints))


def _mirrored(photo, joints, counterparts):
    swapped = []
    for pose in joints:
        pose = pose[counterparts].copy()
        pose[:, 0] = photo.shape[1] - 1 - pose[:, 0]
        swapped.append(pose)
    return np.ascontiguousarray(photo[:, ::-1]), swapped


def _jitter(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A transform of canvas pixels: a scale about the centre and a shift."""
    scale, extent = rng.uniform(*_SCALE), np.array(size[::-1])
    shift = (1 - scale) * (extent - 1) / 2 + rng.uniform(-_SHIFT, _SHIFT, 2) * extent
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def _batch(image: np.ndarray, source: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
    depth = np.zeros((len(target), 4 - target.shape[1]), np.float32)
    return {
        "image": np.float32(image)[None],
        "source_joints": np.float32(source)[None, :, :3],
        "target_joints": np.concatenate([target, depth], axis=1).astype(np.float32)[None],
    }
