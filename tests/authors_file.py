"""Weights in the layout of the paper's authors."""

import h5py
import numpy as np

from tf_unseen_pose.model.posewarp_import import convolutions


def write_authors_file(generator, path, change=lambda n, kernel, bias: (kernel, bias), count=52):
    """A file with zeros of the right shapes, nested and named as old Keras did.

    Args:
        change: called with each convolution's number and zeros; returns what is written.
        count: how many convolutions there are in it.
    """
    layers = [weights for network in generator.networks for _, *weights in convolutions(network)][:count]
    with h5py.File(path, "w") as file:
        for n, weights in enumerate(layers, start=1):
            kernel, bias = change(n, *(np.zeros(tuple(w.shape), np.float32) for w in weights))
            group = file.create_group(f"model_weights/conv2d_{n}/conv2d_{n}")
            group["kernel:0"], group["bias:0"] = kernel, bias
