"""Pictures and poses to measure with, drawn on the spot: no benchmark needs sample data."""

from pathlib import Path

import numpy as np
import scipy.io

from tf_unseen_pose.data.clips import Clip, Frame, encode_picture
from tf_unseen_pose.data.dataset_writer import DatasetWriter
from tf_unseen_pose.data.staging import stage_clip
from tf_unseen_pose.data.synthetic import SyntheticFrame, synthetic_clip
from tf_unseen_pose.imaging.image_files import from_uint8

_SEED = 11


def canvas_pair(size: int, batch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Canvases uint8 [B, size, size, 3] with their poses [B, 14, 3] and as many other poses of the same people."""
    frames = list(synthetic_clip(_SEED, 2 * batch, size, size))
    return (
        np.stack([frame.image for frame in frames[:batch]]),
        np.stack([frame.joints for frame in frames[:batch]]),
        np.stack([frame.joints for frame in frames[batch:]]),
    )


def training_batch(size: int, batch: int) -> dict[str, np.ndarray]:
    """A batch as `data.pairs` makes them, with person masks."""
    frames = list(synthetic_clip(_SEED, 2 * batch, size, size))
    sources, targets = frames[:batch], frames[batch:]
    rng = np.random.default_rng(_SEED)

    def stacked(frames: list[SyntheticFrame], name: str) -> np.ndarray:
        return np.stack([getattr(frame, name) for frame in frames]).astype(np.float32)

    return {
        "image": from_uint8(stacked(sources, "image")),
        "target_image": from_uint8(stacked(targets, "image")),
        "source_joints": stacked(sources, "joints"),
        "target_joints": stacked(targets, "joints"),
        "noise": rng.standard_normal((batch, size, size, 3)).astype(np.float32),
        "source_mask": stacked(sources, "mask")[..., None] / 255,
        "target_mask": stacked(targets, "mask")[..., None] / 255,
        "mask_known": np.ones(batch, np.float32),
    }


def write_authors_layout(root: Path, clips: int, frames: int, height: int, width: int) -> None:
    """Clips as the authors' data comes: frames/NAME/N.jpg and info/NAME.mat; see `data.posewarp_format`."""
    (root / "info").mkdir(parents=True)
    for clip in range(clips):
        pictures = root / "frames" / f"clip{clip}"
        pictures.mkdir(parents=True)
        points, boxes = [], []
        for number, frame in enumerate(synthetic_clip(_SEED + clip, frames, height, width), start=1):
            (pictures / f"{number}.jpg").write_bytes(encode_picture(frame.image, "JPEG"))
            # MATLAB counts pixels from 1.
            joints = frame.joints[:, :2].astype(np.float64) + 1
            points.append(joints)
            boxes.append([*joints.min(axis=0), *np.ptp(joints, axis=0)])
        data = {"X": np.stack(points, axis=2), "bbox": np.array(boxes)}
        scipy.io.savemat(root / "info" / f"clip{clip}.mat", {"data": data})


def write_large_dataset(path: Path, frame_count: int, side: int, clip_length: int = 20) -> None:
    """A dataset of `frame_count` frames of `side` x `side` pixels with masks, two clips a scene.

    One clip is drawn and written again and again, since drawing takes longer than reading.
    """
    drawn = [
        Frame(encode_picture(frame.image, "JPEG"), frame.joints, number, mask_png=encode_picture(frame.mask, "PNG"))
        for number, frame in enumerate(synthetic_clip(_SEED, clip_length, side, side))
    ]
    writer = DatasetWriter(path, "person", {"frames": frame_count, "side": side})
    for position in range(frame_count // clip_length):
        clip = Clip(f"clip {position}", "stretch", 25.0, lambda: iter(drawn), scene=f"scene {position // 2}")
        writer.settle(position, stage_clip(writer.stage, position, clip))
    writer.finish()


def driven_photo(height: int, width: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photo uint8 [H, W, 3], the pose [14, 3] of the person in it, and `count` driving poses [T, 14, 3] for it.

    A few frames are drawn, the motion between them is interpolated and repeated: drawing takes longer than rendering.
    """
    frames = list(synthetic_clip(_SEED, 16, height, width))
    keys = np.stack([frame.joints for frame in frames])
    position = np.linspace(0, count / 48 * (len(keys) - 1), count) % (len(keys) - 1)
    first = position.astype(int)
    part = (position - first)[:, None, None].astype(np.float32)
    return frames[0].image, frames[0].joints, (1 - part) * keys[first] + part * keys[first + 1]
