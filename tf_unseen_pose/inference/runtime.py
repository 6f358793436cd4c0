"""The choice between TensorFlow and LiteRT."""

import os
from enum import StrEnum
from pathlib import Path

from tf_unseen_pose.assets.shipped import has_tflite_file
from tf_unseen_pose.errors import UserError


class Runtime(StrEnum):
    """A runtime, or `auto`."""

    auto = "auto"
    litert = "litert"
    tensorflow = "tensorflow"


def chosen_runtime(path: Path | str, runtime: Runtime | str = Runtime.auto, xla: bool = False) -> Runtime:
    """The runtime of a model; `auto` is LiteRT if the model has a .tflite file and there is no GPU.

    LiteRT starts in 50 ms. TensorFlow takes seconds, but uses GPUs and runs all models.

    Args:
        path: as `Reposer.load`.
        runtime: the requested one.
        xla: whether to compile networks, which only TensorFlow can.

    Raises:
        UserError: an unknown runtime, or compiled networks in LiteRT.
    """
    if runtime not in list(Runtime):
        raise UserError(f"There is no runtime '{runtime}'; choose auto, litert or tensorflow.")
    if runtime == Runtime.litert and xla:
        raise UserError("XLA is TensorFlow's; leave it out, or choose the runtime tensorflow.")
    if runtime != Runtime.auto:
        return Runtime(runtime)
    return Runtime.litert if has_tflite_file(path) and not (xla or _has_gpu()) else Runtime.tensorflow


def _has_gpu() -> bool:
    """Whether TensorFlow will probably find a GPU; asking it would take seconds."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return not hidden and any(Path("/dev", name).exists() for name in ("nvidia0", "dxg", "kfd"))
