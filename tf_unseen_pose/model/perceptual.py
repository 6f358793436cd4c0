"""VGG19 features: what the perceptual loss compares instead of pixels.

The first 16 layers of VGG19: 12 convolutions of blocks 1 to 4, with average instead of max pooling so that the
gradient reaches every pixel.

Source: the paper, section 3.4; Simonyan & Zisserman (2015) for VGG19.
"""

from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf

from tf_unseen_pose.errors import UserError

# Channels and number of convolutions of each block.
_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4))
# Mean of ImageNet in the order that VGG was trained with: blue, green, red, of 0..255.
_IMAGENET_BGR_MEAN = (103.939, 116.779, 123.68)


class PerceptualFeatures:
    """A frozen VGG19 trunk. Not a Keras object: a trainer that holds one neither trains nor saves it.

    Args:
        weights: a Keras VGG19 `.h5` (with or without top); None takes Keras Applications' ImageNet weights, which
            are downloaded at first use.

    Raises:
        UserError: no such file, a file of another network, or no weights to be downloaded.
    """

    def __init__(self, weights: Path | None = None):
        self._network = _average_pooled_vgg19()
        kernels = _imagenet_kernels() if weights is None else _read_kernels(weights, self._network)
        for layer in _convolutions(self._network):
            layer.set_weights(kernels[layer.name])
        self._network.trainable = False

    @property
    def channels(self) -> list[int]:
        """Channels of each output."""
        return [layer.filters for layer in _convolutions(self._network)]

    def __call__(self, images) -> list[tf.Tensor]:
        """[B, H, W, 3] RGB in [-1, 1] -> 12 maps, [B, H / 2^k, W / 2^k, C], after ReLU."""
        scaled = (images[..., ::-1] + 1) * 127.5 - tf.constant(_IMAGENET_BGR_MEAN)
        return self._network(scaled)


def _average_pooled_vgg19():
    image = keras.Input((None, None, 3))
    x, outputs = image, []
    for block, (channels, count) in enumerate(_BLOCKS, start=1):
        if block > 1:
            x = keras.layers.AveragePooling2D(2, name=f"block{block - 1}_pool")(x)
        for i in range(1, count + 1):
            name = f"block{block}_conv{i}"
            x = keras.layers.Conv2D(channels, 3, padding="same", activation="relu", name=name)(x)
            outputs.append(x)
    return keras.Model(image, outputs, name="vgg19_features")


def _convolutions(network):
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


def _imagenet_kernels():
    try:
        vgg = keras.applications.VGG19(include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails.
        raise UserError(
            "The ImageNet weights of VGG19 could not be downloaded; connect to the network once, or give a local file "
            "with --set loss.features_weights=FILE, or train with --set loss.kind=l1."
        ) from error
    return {layer.name: layer.get_weights() for layer in vgg.layers}


def _read_kernels(path: Path, network):
    """Kernel and bias of each convolution, told apart by their rank: files differ in what they call them."""
    kernels = {}
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            for layer in _convolutions(network):
                found = {}
                if layer.name in root:
                    root[layer.name].visititems(
                        lambda _, item, f=found: f.update({len(getattr(item, "shape", ())): item})
                    )
                kernels[layer.name] = [np.array(found[rank]) for rank in (4, 1) if rank in found]
                if [weight.shape for weight in kernels[layer.name]] != [tuple(w.shape) for w in layer.weights]:
                    raise UserError(f"{path} has no layer {layer.name} of VGG19's shape; name a Keras VGG19 .h5 file.")
    except FileNotFoundError as error:
        raise UserError(f"There is no weights file {path}; name a Keras VGG19 .h5 file.") from error
    except OSError as error:
        raise UserError(f"{path} is not a readable HDF5 file; name a Keras VGG19 .h5 file.") from error
    return kernels
