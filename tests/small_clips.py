"""Small clips that are cheap to write and easy to tell apart."""

import io

import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.data.clips import Clip, Frame, encode_picture
from tf_unseen_pose.data.dataset_writer import DatasetWriter
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.staging import stage_clip

# A person seen from the front who raises the left arm; the right side is on the viewer's left. No two joints share a
# coordinate.
STANDING = np.array(
    [
        [101, 40], [103, 64],
        [81, 70], [71, 97], [65, 121],
        [125, 72], [147, 55], [163, 33],
        [88, 125], [84, 163], [79, 203],
        [118, 127], [121, 166], [127, 207],
    ],
    np.float32,
)  # fmt: skip


def picture(seed: int, height: int, width: int) -> np.ndarray:
    """A smooth random picture, uint8 [H, W, 3], nowhere symmetric."""
    small = np.random.default_rng(seed).integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def moving_clip(name: str, frame_count: int = 3, height: int = 240, width: int = 200, **fields) -> Clip:
    """A clip whose person moves by (2, 1) pixels a frame before a still picture."""
    seed = sum(name.encode())

    def frames():
        for number in range(frame_count):
            joints = np.concatenate([STANDING + np.float32([2, 1]) * number, np.ones((14, 1), np.float32)], axis=1)
            mask = np.zeros((height, width), np.uint8)
            mask[40 + number : 200, 60:150] = 255
            jpeg = encode_picture(picture(seed, height, width), "JPEG")
            yield Frame(jpeg, joints, number, mask_png=encode_picture(mask, "PNG"))

    return Clip(name, fields.pop("action", "stretch"), fields.pop("fps", 12.5), frames, **fields)


@pytest.fixture
def standing():
    """float32 [14, 3], all visible, in a picture of 240 x 200."""
    return np.concatenate([STANDING, np.ones((14, 1), np.float32)], axis=1)


@pytest.fixture
def make_picture():
    return picture


@pytest.fixture
def make_clip():
    return moving_clip


@pytest.fixture
def make_dataset(tmp_path):
    """Writes clips to a dataset and opens it."""

    def make(clips, name="dataset", **options):
        recipe = {"clips": [clip.name for clip in clips]}
        writer = DatasetWriter(tmp_path / name, clips[0].skeleton.name, recipe, **options)
        for position, clip in enumerate(clips):
            writer.settle(position, stage_clip(writer.stage, position, clip))
        writer.finish()
        return ClipDataset.open(tmp_path / name)

    return make


@pytest.fixture
def decode():
    """An encoded picture as an array."""
    return lambda data: np.asarray(Image.open(io.BytesIO(data)))
