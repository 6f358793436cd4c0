"""Imports the weights that the authors of the paper released (`vgg_100000.h5`, `vgg+gan_5000.h5`).

They are full-model HDF5 files of Keras 2.0-2.2. Their convolutions are named conv2d_N in the order of construction:
segmentation, background, foreground, each from the image down and up again, heads last, as in our sub-models.

Convention: the authors' images are BGR, ours RGB; convolutions with colour inputs or outputs are permuted.
"""

import re
from pathlib import Path

import h5py
import keras
import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model.generator import Generator
from tf_unseen_pose.model.layers import Heads


def load_posewarp_weights(generator: Generator, path: Path) -> None:
    """Fills a generator of preset `paper` with the authors' weights.

    Raises:
        UserError: the file is missing or of another kind, or a layer has another shape (the message names it).
    """
    stored = _read_convolutions(path)
    ours = [(network, *convolution) for network in generator.networks for convolution in convolutions(network)]
    if len(stored) != len(ours):
        raise UserError(
            f"{path} holds {len(stored)} convolutions, the paper's network has {len(ours)}; "
            "name the authors' vgg_100000.h5 or vgg+gan_5000.h5."
        )
    for (network, own_name, *variables), (name, *values) in zip(ours, stored, strict=True):
        shapes = [tuple(value.shape) for value in values]
        expected = [tuple(variable.shape) for variable in variables]
        if shapes != expected:
            raise UserError(
                f"Layer {name} of {path} has the shapes {shapes[0]} and {shapes[1]}, the {network.name} network "
                f"needs {expected[0]} and {expected[1]}; the file is of another network."
            )
        for variable, value in zip(variables, to_rgb(own_name, *values), strict=True):
            variable.assign(value)


def convolutions(network: keras.Model) -> list[tuple]:
    """(name, kernel, bias) of a sub-model's convolutions as the authors built them: the trunk, then the heads."""
    trunk, heads = [], []
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            trunk.append((layer.name, layer.kernel, layer.bias))
        elif isinstance(layer, Heads):
            heads += [(name, layer.kernels[name], layer.biases[name]) for name in layer.heads]
    return trunk + heads


def _read_convolutions(path: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, kernel, bias) of every conv2d_N, by N."""
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            names = sorted((n for n in root if re.fullmatch(r"conv2d_\d+", n)), key=lambda n: int(n.split("_")[1]))
            return [(name, *_kernel_and_bias(root[name], name, path)) for name in names]
    except FileNotFoundError as error:
        raise UserError(f"There is no weights file {path}; name the authors' .h5 file.") from error
    except OSError as error:
        raise UserError(f"{path} is not a readable HDF5 file; download the authors' .h5 again.") from error


def _kernel_and_bias(group, name, path):
    found = {}
    group.visititems(lambda key, item: found.update({key.rsplit("/", 1)[-1]: item}))
    if "kernel:0" not in found or "bias:0" not in found:
        raise UserError(f"Layer {name} of {path} has no kernel and bias; the file is of another network.")
    return np.array(found["kernel:0"]), np.array(found["bias:0"])


def to_rgb(name: str, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reverses the colour channels of a convolution's input (the stem) or output (an image head).

    Args:
        name: the convolution's name in our sub-models.
        kernel: [h, w, C, N].
        bias: [N].

    Returns:
        Kernel [h, w, C, N] and bias [N].
    """
    if name == "stem":
        colours = kernel.shape[2] // 3 * 3
        order = np.arange(kernel.shape[2])
        order[:colours] = order[:colours].reshape(-1, 3)[:, ::-1].ravel()
        kernel = kernel[:, :, order]
    if name == "image":
        kernel, bias = kernel[..., ::-1], bias[::-1]
    return kernel, bias
