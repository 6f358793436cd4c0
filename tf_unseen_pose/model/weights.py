"""A generator's weights on disk: HDF5, NETWORK/LAYER/WEIGHT, the same on every TensorFlow stack.

Keras's own weight files name layers by their position in the saved object, which Keras 2 and 3 count differently. Here
layers have the names that `unet` gives them.
"""

from pathlib import Path

import h5py
import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing
from tf_unseen_pose.model.pose_model import PoseModel


def save_weights(generator: PoseModel, path: Path, half: bool = False) -> None:
    """Writes all weights of a generator atomically, optionally in half precision."""
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        for name, variable in _named_variables(generator):
            file[name] = variable.numpy().astype(np.float16 if half else np.float32)


def load_weights(generator: PoseModel, path: Path) -> None:
    """Loads weights that `save_weights` wrote.

    Raises:
        UserError: a missing or damaged file, or one of another network; the message names the first wrong weight.
    """
    try:
        with h5py.File(path, "r") as file:
            values = {name: np.array(file[name], np.float32) for name, _ in _named_variables(generator) if name in file}
    except FileNotFoundError as error:
        raise UserError(f"There is no weights file {path}; train the model first.") from error
    except (OSError, RuntimeError) as error:
        raise UserError(f"The weights file {path} is damaged; train the run again.") from error
    for name, variable in _named_variables(generator):
        found = values[name].shape if name in values else "none"
        if found != tuple(variable.shape):
            raise UserError(
                f"The weights {name} of {path} have the shape {found}, the configuration asks for "
                f"{tuple(variable.shape)}; the two belong to different runs."
            )
        variable.assign(values[name])


def _named_variables(generator):
    for network in generator.networks:
        for layer in network.layers:
            for variable in layer.weights:
                # Keras 2 says "stem/kernel:0", Keras 3 "kernel".
                weight = variable.name.split("/")[-1].split(":")[0]
                yield f"{network.name}/{layer.name}/{weight}", variable
