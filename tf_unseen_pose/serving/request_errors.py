"""Why a request is not answered: a status code and one sentence for the client."""

import re
from collections.abc import Iterable

import grpc
import tensorflow as tf

# A status travels in a header, which clients limit to 8 kB.
_LONGEST_SENTENCE, _LONGEST_NAME = 500, 60


class RequestError(Exception):
    """A request that is not answered; nothing is wrong with the server.

    Attributes:
        code: what the client gets, a `grpc.StatusCode`.
        sentence: what is wrong and the way out.
    """

    def __init__(self, code: grpc.StatusCode, sentence: str):
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence[:_LONGEST_SENTENCE]


def invalid(sentence: str) -> RequestError:
    """The request itself is at fault: it would be on any day."""
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, sentence)


def not_found(sentence: str) -> RequestError:
    """There is no such model, version or label (now)."""
    return RequestError(grpc.StatusCode.NOT_FOUND, sentence)


def quoted(name: str) -> str:
    """A name that a client chose, for a sentence: cut when it is long, in quotes, control characters escaped."""
    return repr(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}...")


def listed(names: Iterable) -> str:
    """Names for a sentence; "none" when there are none."""
    return ", ".join(sorted(map(str, names))) or "none"


def from_model(error: Exception) -> Exception:
    """What a client is told of an error that a model raised; the error itself where the client is not to blame."""
    if isinstance(error, tf.errors.InvalidArgumentError | tf.errors.OutOfRangeError):
        return invalid(f"The model refuses these inputs: {_fault(str(error))}")
    if isinstance(error, tf.errors.ResourceExhaustedError | MemoryError):
        return RequestError(
            grpc.StatusCode.RESOURCE_EXHAUSTED, "The server has too little memory for this request; send fewer rows."
        )
    return error


def _fault(message: str) -> str:
    """The sentence in one of TensorFlow's messages: the line before the first mention of a node.

    Above it stands where the graph was built, below it what else failed in consequence.
    """
    lines = [line.strip() for line in re.split(r"\[\[|\[Op:", message)[0].splitlines()]
    sentence = next((line for line in reversed(lines) if line), "it does not say why.")
    sentence = re.sub(r"\{\{[^}]*\}\}|^\(\d+\) [A-Z_]+:", "", sentence).strip()
    # Of an assertion the author's own words, not the numbers that it prints behind them.
    return re.sub(r"^assertion failed: \[(.*?)\](?: \[.*)?$", r"\1", sentence)
