"""The authors' training data, made their way: a Python generator over JPEGs, NumPy and OpenCV, one example at a time.

Two frames of a clip are read, cropped by resizing the whole picture, and augmented step after step (mirror, resize,
shift, rotate, brighten), each step a pass over the pixels; then the maps of `reference_inputs` are computed.

Source: what the authors' released code does for a batch; ranges as in `config.DataConfig`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import scipy.io

from benchmarks.reference_inputs import (
    crop,
    crop_scale,
    gaussian_map,
    joint_heatmaps,
    limb_transforms,
    log_limb_priors,
)
from tf_unseen_pose.known_skeletons import PERSON

_MIN_GAP = 0.02
_SCALE, _ROTATION, _SHIFT, _BRIGHTNESS = (0.90, 1.05), 5.0, 5.0, (0.95, 1.05)


@dataclass(frozen=True)
class _Clip:
    pictures: Path
    points: np.ndarray  # [14, 2, N], counted from 1
    boxes: np.ndarray  # [N, 4]


def reference_batches(
    root: Path, size: int, batch_size: int, seed: int = 0, gaussian=gaussian_map
) -> Iterator[tuple[list, np.ndarray]]:
    """Batches without end: the reference's five inputs and the target pictures [B, size, size, 3], float64, BGR.

    Args:
        root: folder in the authors' layout, with .jpg frames; see `data.posewarp_format`.
        gaussian: how a map is computed: `gaussian_map`, or in the authors' slower way by `released_gaussian_map`.
    """
    clips = []
    for info in sorted((root / "info").glob("*.mat")):
        data = scipy.io.loadmat(info)["data"][0, 0]
        clips.append(_Clip(root / "frames" / info.stem, data["X"], data["bbox"]))
    rng = np.random.default_rng(seed)
    while True:
        examples = [_example(clips[rng.integers(len(clips))], size, rng, gaussian) for _ in range(batch_size)]
        *inputs, targets = (np.stack(parts) for parts in zip(*examples, strict=True))
        yield inputs, targets


def _example(clip: _Clip, size: int, rng: np.random.Generator, gaussian) -> tuple:
    count = clip.points.shape[2]
    source, target = rng.choice(count, 2, replace=False)
    while count > 2 and abs(source - target) / count <= _MIN_GAP:
        source, target = rng.choice(count, 2, replace=False)
    images = [cv2.imread(str(clip.pictures / f"{frame + 1}.jpg")) for frame in (source, target)]
    poses = [clip.points[..., frame] - 1.0 for frame in (source, target)]
    centre = np.mean([clip.boxes[frame, :2] + clip.boxes[frame, 2:] / 2 for frame in (source, target)], axis=0)
    scale = crop_scale(poses, size)

    change = rng.random(6)
    made = []
    for image, pose in zip(images, poses, strict=True):
        canvas, shift = crop(image, centre, scale, size)
        made.append(_augmented((canvas / 255.0 - 0.5) * 2, pose * scale + shift, change))
    (source_image, source_pose), (target_image, target_pose) = made
    return (
        source_image,
        joint_heatmaps(source_pose, size, gaussian),
        joint_heatmaps(target_pose, size, gaussian),
        log_limb_priors(source_pose, size, gaussian),
        limb_transforms(source_pose, target_pose),
        target_image,
    )


def _augmented(image: np.ndarray, pose: np.ndarray, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A canvas and its pose after one draw; `change` are six numbers in [0, 1)."""
    size = image.shape[0]
    flip, scale, right, down, rotation, brightness = change
    if flip < 0.5:
        image, pose = image[:, ::-1], pose[PERSON.mirrored] * [-1, 1] + [size - 1, 0]
    scale = _SCALE[0] + scale * (_SCALE[1] - _SCALE[0])
    image, pose = cv2.resize(np.ascontiguousarray(image), None, fx=scale, fy=scale), pose * scale
    shift = (2 * np.array([right, down]) - 1) * _SHIFT
    image = cv2.warpAffine(image, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), (size, size))
    pose = pose + shift
    turn = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), (2 * rotation - 1) * _ROTATION, 1)
    image = cv2.warpAffine(image, turn, (size, size))
    pose = pose @ turn[:, :2].T + turn[:, 2]
    image = image * (_BRIGHTNESS[0] + brightness * (_BRIGHTNESS[1] - _BRIGHTNESS[0]))
    return np.minimum(image, 1), pose
