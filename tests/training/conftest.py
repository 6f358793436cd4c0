import h5py
import numpy as np
import pytest

from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare

# Name, channels in, channels out of VGG19's first convolutions.
VGG19 = [
    (f"block{block}_conv{i + 1}", before if i == 0 else channels, channels)
    for block, before, channels, count in ((1, 3, 64, 2), (2, 64, 128, 2), (3, 128, 256, 4), (4, 256, 512, 4))
    for i in range(count)
]


@pytest.fixture(scope="session")
def vgg19_layers():
    return VGG19


@pytest.fixture(scope="session")
def vgg19_file(tmp_path_factory):
    """Random weights of VGG19 in the layout of Keras Applications' file."""
    path = tmp_path_factory.mktemp("vgg") / "vgg19_notop.h5"
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for name, ins, outs in VGG19:
            group = file.create_group(f"{name}/{name}")
            group["kernel:0"] = rng.normal(0, np.sqrt(2 / (9 * ins)), (3, 3, ins, outs)).astype(np.float32)
            group["bias:0"] = rng.normal(0, 0.1, outs).astype(np.float32)
    return path


@pytest.fixture(scope="session")
def dataset_path(tmp_path_factory):
    """Two synthetic clips of eight frames."""
    path = tmp_path_factory.mktemp("data") / "clips"
    prepare([], path, Options("synthetic", clips=2, frames=8, size=64, seed=3), progress=False)
    return path
