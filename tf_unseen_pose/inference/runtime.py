"""Which of TensorFlow and LiteRT runs a model."""

import os
from enum import StrEnum
from pathlib import Path

from tf_unseen_pose.assets.shipped import has_tflite_file
from tf_unseen_pose.errors import UserError


class Runtime(StrEnum):
    """`auto`, or the one that is meant."""

    auto = "auto"
    litert = "litert"
    tensorflow = "tensorflow"


def chosen_runtime(path: Path | str, runtime: Runtime | str = Runtime.auto, xla: bool = False) -> Runtime:
    """The runtime of a model: by itself LiteRT where the model has a .tflite file and no GPU is there.

    LiteRT starts in a twentieth of a second. TensorFlow takes seconds, but knows GPUs, and runs all models.

    Args:
        path: as `Reposer.load`.
        runtime: what is asked for.
        xla: whether compiled networks are, which TensorFlow alone has.

    Raises:
        UserError: there is no such runtime, or LiteRT is to compile networks.
    """
    if runtime not in list(Runtime):
        raise UserError(f"There is no runtime '{runtime}'; choose auto, litert or tensorflow.")
    if runtime == Runtime.litert and xla:
        raise UserError("XLA is TensorFlow's; leave it out, or choose the runtime tensorflow.")
    if runtime != Runtime.auto:
        return Runtime(runtime)
    return Runtime.litert if has_tflite_file(path) and not (xla or _has_gpu()) else Runtime.tensorflow


def _has_gpu() -> bool:
    """Whether TensorFlow is likely to find a GPU; asking it would take the seconds that are to be saved."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return not hidden and any(Path("/dev", name).exists() for name in ("nvidia0", "dxg", "kfd"))
