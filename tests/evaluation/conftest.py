import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_networks import LITE, TINY

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.clips import Clip, Frame, encode_picture
from tf_unseen_pose.data.dataset_writer import DatasetWriter
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.staging import stage_clip
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.evaluation.compared_models import Model
from tf_unseen_pose.evaluation.evaluate import Options, evaluate
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.training.run import Run


def drawn_clip(name, seed, action, frame_count=6, masks=True, **fields):
    """A synthetic clip of 80 x 96 pixels; a pure function of its arguments."""

    def frames():
        for number, drawn in enumerate(synthetic_clip(seed, frame_count, 80, 96, action)):
            mask = encode_picture(drawn.mask, "PNG") if masks else None
            yield Frame(encode_picture(drawn.image, "JPEG"), drawn.joints, number, mask_png=mask)

    return Clip(name, action, fields.pop("fps", 25.0), frames, **fields)


def write_dataset(path, clips):
    writer = DatasetWriter(path, "person", {"clips": [clip.name for clip in clips]})
    for position, clip in enumerate(clips):
        writer.settle(position, stage_clip(writer.stage, position, clip))
    writer.finish()
    return ClipDataset.open(path)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Clip 0 is for training; of clips 1 to 3, for validation, the last one has no masks and shows stills."""
    path = tmp_path_factory.mktemp("evaluation") / "clips"
    return write_dataset(
        path,
        [
            drawn_clip("one", 1, "walk"),
            drawn_clip("two & <b>", 2, "kick", split="validation"),
            drawn_clip("three", 3, "wave", split="validation"),
            drawn_clip("four", 4, "kick", 2, masks=False, fps=0.0, split="validation"),
        ],
    )


@pytest.fixture(scope="session")
def make_run(tmp_path_factory):
    """Writes an untrained run of preset tiny; returns its path."""

    def make(name, *settings):
        config = load_config("tiny", [*TINY, *settings])
        run = Run.create(tmp_path_factory.mktemp("runs") / name, config)
        run.save_weights(build_generator(config.model))
        return run.path

    return make


@pytest.fixture(scope="session")
def run_path(make_run):
    return make_run("tiny")


@pytest.fixture(scope="session")
def body_model():
    """Untrained, of preset lite with 23 joints: it chooses limbs."""
    config = load_config("lite", [*LITE, "model.skeleton=body"])
    return Model(build_generator(config.model), config, Path("body"))


@pytest.fixture(scope="session")
def config():
    return load_config("tiny")


@pytest.fixture(scope="session")
def evaluation(dataset, run_path):
    """One model on all pairs, without poses and without VGG."""
    options = Options(pairs=7, seed=5, across=True, poses=False)
    return evaluate(dataset, {"judged": Model.open(run_path, Reposer.of)}, options, progress=False)


@pytest.fixture
def picture():
    """Random smooth pictures, uint8 [H, W, 3]."""

    def make(seed, height=20, width=26):
        small = np.random.default_rng(seed).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), dtype=np.uint8)
        return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))

    return make


@pytest.fixture
def embedded():
    """The size of a picture that a data URI holds."""

    def size(uri):
        import base64

        return Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))).size

    return size
