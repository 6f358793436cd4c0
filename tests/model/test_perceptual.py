import h5py
import numpy as np
import pytest
from scipy.signal import correlate

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model import perceptual
from tf_unseen_pose.model.perceptual import PerceptualFeatures


@pytest.fixture(scope="module")
def kernels():
    rng = np.random.default_rng(0)
    ins, stored = 3, {}
    for block, (channels, count) in enumerate(((64, 2), (128, 2), (256, 4), (512, 4)), start=1):
        for i in range(1, count + 1):
            kernel = rng.normal(0, np.sqrt(2 / (9 * ins)), (3, 3, ins, channels)).astype(np.float32)
            stored[f"block{block}_conv{i}"] = kernel, rng.normal(0, 0.1, channels).astype(np.float32)
            ins = channels
    return stored


def write(path, kernels, name="kernel:0", prefix=""):
    with h5py.File(path, "w") as file:
        for layer, (kernel, bias) in kernels.items():
            group = file.create_group(f"{prefix}{layer}/{layer}")
            group[name], group[name.replace("kernel", "bias").replace("W", "b")] = kernel, bias
    return path


def numpy_features(image, kernels):
    """The first five outputs, by scipy's correlation."""
    x = (image[..., ::-1] + 1) * 127.5 - [103.939, 116.779, 123.68]
    outputs = []
    for name in ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1"):
        if name.endswith("conv1") and name != "block1_conv1":
            h, w, c = x.shape
            x = x.reshape(h // 2, 2, w // 2, 2, c).mean((1, 3))
        kernel, bias = kernels[name]
        padded = np.pad(x, [(1, 1), (1, 1), (0, 0)])
        x = np.stack([correlate(padded, kernel[..., c], "valid")[..., 0] for c in range(kernel.shape[-1])], -1) + bias
        x = np.maximum(x, 0)
        outputs.append(x)
    return outputs


def test_features_equal_a_direct_computation(tmp_path, kernels):
    features = PerceptualFeatures(write(tmp_path / "vgg.h5", kernels))
    image = np.random.default_rng(1).uniform(-1, 1, (2, 8, 12, 3)).astype(np.float32)
    outputs = features(image)
    assert len(outputs) == 12 and features.channels == [x.shape[-1] for x in outputs]
    for mine, expected in zip(outputs, numpy_features(image[1], kernels), strict=False):
        np.testing.assert_allclose(mine[1], expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_reads_files_that_name_their_weights_otherwise(tmp_path, kernels):
    image = np.random.default_rng(2).uniform(-1, 1, (1, 16, 16, 3)).astype(np.float32)
    plain = PerceptualFeatures(write(tmp_path / "a.h5", kernels))(image)
    other = PerceptualFeatures(write(tmp_path / "b.h5", kernels, "W_1:0", "model_weights/"))(image)
    for a, b in zip(plain, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_refuses_other_files(tmp_path, kernels):
    with pytest.raises(UserError, match="no weights file"):
        PerceptualFeatures(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(UserError, match="not a readable HDF5"):
        PerceptualFeatures(tmp_path / "text.h5")
    short = {name: value for name, value in kernels.items() if name != "block3_conv4"}  # VGG16 has three there
    with pytest.raises(UserError, match="no layer block3_conv4"):
        PerceptualFeatures(write(tmp_path / "vgg16.h5", short))


def test_without_network_and_file_both_ways_out_are_named(monkeypatch):
    def fail(**_):
        raise Exception("URL fetch failure on https://...")

    monkeypatch.setattr(perceptual.keras.applications, "VGG19", fail)
    with pytest.raises(UserError, match="connect to the network.*features_weights=FILE.*loss.kind=l1"):
        PerceptualFeatures()
