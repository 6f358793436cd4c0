import subprocess
import sys

import numpy as np
import pytest
from authors_file import write_authors_file

from tf_unseen_pose.config import load_config
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.model.posewarp_import import load_posewarp_weights


@pytest.fixture(scope="module")
def generator():
    return build_generator(load_config("paper", ["model.background_fill=zero"]).model)


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "golden" / "posewarp_parity.npz")


@pytest.fixture(scope="module")
def authors_file(shared, tmp_path_factory):
    folder = shared / "golden"
    path = tmp_path_factory.mktemp("posewarp") / "vgg_100000.h5"
    script = [sys.executable, folder / "make_posewarp_h5.py", folder / "posewarp_parity.npz", path]
    subprocess.run(script, check=True)
    return path


def test_parity_with_the_authors_network(generator, authors_file, golden):
    load_posewarp_weights(generator, authors_file)
    source, target = (
        np.c_[golden[key], np.ones(14)][None].astype(np.float32) for key in ("source_joints", "target_joints")
    )
    image = (golden["image_bgr"][None, ..., ::-1] / 127.5 - 1).astype(np.float32)
    stages = generator.explain({"image": image, "source_joints": source, "target_joints": target})
    np.testing.assert_allclose(stages["masks"][0, ::4, ::4], golden["mask"], atol=1e-4)
    stack = np.transpose(stages["warped_layers"][0, :, ::4, ::4, ::-1], [1, 2, 0, 3]).reshape(64, 64, 30)
    np.testing.assert_allclose(stack, golden["fg_stack"], atol=1e-4)
    np.testing.assert_allclose(stages["image"][0, ..., ::-1], golden["y"], atol=1e-4)
    assert np.abs(golden["y"]).max() > 0.3  # a comparison of something


def test_colours_are_permuted_where_the_network_sees_or_makes_them(generator, tmp_path):
    def numbered(n, kernel, bias):
        if kernel.shape[2] in (3, 4, 30):
            kernel = kernel + np.arange(kernel.shape[2])[None, None, :, None]
        if bias.shape[0] == 3:
            bias = bias + [10, 20, 30]
        return kernel, bias

    write_authors_file(generator, tmp_path / "numbered.h5", numbered)
    load_posewarp_weights(generator, tmp_path / "numbered.h5")

    def seen(network):
        return next(layer for layer in network.layers if layer.weights).get_weights()[0][0, 0, :, 0].tolist()

    assert seen(generator.segmentation) == [2, 1, 0]
    assert seen(generator.background) == [2, 1, 0, 3]
    assert seen(generator.foreground)[:7] == [2, 1, 0, 5, 4, 3, 8]
    assert generator.foreground.get_layer("heads").biases["image"].numpy().tolist() == [30, 20, 10]
    assert generator.background.get_layer("heads").biases["image"].numpy().tolist() == [30, 20, 10]


def test_names_the_layer_that_is_wrong(generator, tmp_path):
    write_authors_file(
        generator, tmp_path / "bad.h5", lambda n, kernel, bias: (kernel[..., :-1] if n == 20 else kernel, bias)
    )
    with pytest.raises(UserError, match="Layer conv2d_20 .*background network needs"):
        load_posewarp_weights(generator, tmp_path / "bad.h5")


def test_refuses_other_files(generator, tmp_path):
    with pytest.raises(UserError, match="no weights file"):
        load_posewarp_weights(generator, tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(UserError, match="not a readable HDF5"):
        load_posewarp_weights(generator, tmp_path / "text.h5")
    write_authors_file(generator, tmp_path / "short.h5", count=51)
    with pytest.raises(UserError, match="51 convolutions, the paper's network has 52"):
        load_posewarp_weights(generator, tmp_path / "short.h5")
