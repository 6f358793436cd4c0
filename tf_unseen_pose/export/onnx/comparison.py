"""Compares ONNX files in onnxruntime with their TensorFlow functions."""

from collections.abc import Callable

import numpy as np

from tf_unseen_pose.config import Config
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.differences import largest
from tf_unseen_pose.export.tflite.sample_inputs import bundled_examples

# Tolerance relative to a channel's range: float32 additions in another order.
TOLERANCE = 1e-4
_EXAMPLES = 4


def checked_inputs(config: Config) -> dict[str, np.ndarray]:
    """Inputs of `synthesize` for the comparison: several examples, every other one with depth.

    Raises:
        UserError: a skeleton that the bundled person cannot have.
    """
    examples = list(bundled_examples(config, _EXAMPLES, seed=1))
    found = {name: np.concatenate([each[name] for each in examples]) for name in examples[0]}
    joints = found["target_joints"]
    joints[::2, :, 3] = np.linspace(-0.15, 0.15, joints.shape[1]) * config.model.height
    return found


def require_same(name: str, content: bytes, function: Callable, inputs: dict[str, np.ndarray]) -> float:
    """Compares a file with its function, on one example and on all at once.

    Args:
        inputs: by name, in the function's order.

    Returns:
        The largest difference relative to the channel's range; a range below 1 counts as 1.

    Raises:
        UserError: it is beyond rounding.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names, found = [output.name for output in session.get_outputs()], 0.0
    for rows in (1, None):
        given = {key: value[:rows] for key, value in inputs.items()}
        expected = {key: part.numpy() for key, part in function(*given.values()).items()}
        made = dict(zip(names, session.run(None, given), strict=True))
        found = max(found, *(_difference(key, made[key], part) for key, part in expected.items()))
    if not found <= TOLERANCE:
        raise UserError(
            f"{name}.onnx differs from TensorFlow by {found:.3g} of the range; nothing was exported: try the other "
            "TensorFlow stack, and report this."
        )
    return found


def _difference(name: str, found: np.ndarray, expected: np.ndarray) -> float:
    if found.shape != expected.shape:
        return float("inf")
    others = tuple(range(expected.ndim - 1))
    return largest(name, np.abs(found - expected) / np.maximum(np.ptp(expected, axis=others), 1))
