"""Errors of requests: a status code and one sentence for the client."""

import re
from collections.abc import Iterable

import grpc
import tensorflow as tf

# A status is sent in a header, which clients limit to 8 kB.
_LONGEST_SENTENCE, _LONGEST_NAME = 500, 60


class RequestError(Exception):
    """A rejected request.

    Attributes:
        code: a `grpc.StatusCode` for the client.
        sentence: the fault and the way out.
    """

    def __init__(self, code: grpc.StatusCode, sentence: str):
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence[:_LONGEST_SENTENCE]


def invalid(sentence: str) -> RequestError:
    """The request is invalid, and a retry cannot help."""
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, sentence)


def not_found(sentence: str) -> RequestError:
    """There is currently no such model, version or label."""
    return RequestError(grpc.StatusCode.NOT_FOUND, sentence)


def quoted(name: str) -> str:
    """A client's name for messages: shortened, in quotes, with control characters escaped."""
    return repr(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}...")


def listed(names: Iterable) -> str:
    """Names for a message; "none" without any."""
    return ", ".join(sorted(map(str, names))) or "none"


def from_model(error: Exception) -> Exception:
    """The client's error for an error of a model; the error itself if the client did not cause it."""
    if isinstance(error, tf.errors.InvalidArgumentError | tf.errors.OutOfRangeError):
        return invalid(f"The model refuses these inputs: {_fault(str(error))}")
    if isinstance(error, tf.errors.ResourceExhaustedError | MemoryError):
        return RequestError(
            grpc.StatusCode.RESOURCE_EXHAUSTED, "The server has too little memory for this request; send fewer rows."
        )
    return error


def _fault(message: str) -> str:
    """The sentence in a message of TensorFlow: the line before the first mention of a node.

    The lines above say where the graph was built, the lines below what else failed.
    """
    lines = [line.strip() for line in re.split(r"\[\[|\[Op:", message)[0].splitlines()]
    sentence = next((line for line in reversed(lines) if line), "it does not say why.")
    sentence = re.sub(r"\{\{[^}]*\}\}|^\(\d+\) [A-Z_]+:", "", sentence).strip()
    # For an assertion, the author's words without the numbers after them.
    return re.sub(r"^assertion failed: \[(.*?)\](?: \[.*)?$", r"\1", sentence)
