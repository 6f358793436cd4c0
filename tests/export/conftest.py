import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_unseen_pose.config import load_config
from tf_unseen_pose.export.saved_model import export_run
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.training.run import Run


@pytest.fixture(scope="session")
def exported(tmp_path_factory, small_lite, decided):
    """A run, its first exported version, and the generator that the version's weights file holds."""
    folder = tmp_path_factory.mktemp("export")
    config = load_config("lite", small_lite)
    generator = build_generator(config.model)
    decided(generator)
    run = Run.create(folder / "run", config)
    run.save_weights(generator)
    version = export_run(run, folder / "models")
    return run, version, Run.open(version).load_generator()


@pytest.fixture(scope="session")
def signatures(exported):
    return tf.saved_model.load(str(exported[1])).signatures


@pytest.fixture(scope="session")
def as_file():
    """Picture uint8 [H, W, 3] -> the bytes of a file."""

    def encode(picture, kind="PNG", **options):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, kind, **options)
        return file.getvalue()

    return encode


@pytest.fixture(scope="session")
def from_file():
    return lambda content: np.asarray(Image.open(io.BytesIO(content)))
