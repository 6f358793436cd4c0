"""Times that can be compared: every variant runs once a round, round after round, so that noise hits all alike.

A machine that slows down for a while (another process, heat) slows whatever runs then. Timing one variant to the end
before the next begins would book that on one of them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Timing:
    """Seconds of several runs of one variant."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def spread(self) -> float:
        """Distance of the quartiles as a part of the median."""
        low, high = np.percentile(self.seconds, [25, 75])
        return float((high - low) / self.median)


def interleaved(calls: dict, repeats: int, warmups: int = 1, least: float = 0.0) -> dict:
    """Times calls in turn: A B C A B C ...

    Args:
        calls: functions of no arguments, by name; what they return is waited for.
        repeats: rounds that count.
        warmups: rounds before, in which graphs are traced and memory is taken.
        least: seconds for which a call is repeated within a round. Its last run counts, which finds the caches as a
            stream of such calls does.

    Returns:
        A `Timing` for each name.
    """
    seconds = {name: [] for name in calls}
    for number in range(warmups + repeats):
        for name, call in calls.items():
            taken = spent = elapsed(call)
            while spent < least:
                taken = elapsed(call)
                spent += taken
            if number >= warmups:
                seconds[name].append(taken)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def elapsed(call: Callable) -> float:
    """Seconds that a function of no arguments takes, until what it returns is there."""
    start = time.perf_counter()
    wait_for(call())
    return time.perf_counter() - start


def wait_for(outputs) -> None:
    """Returns when tensors are computed: an accelerator answers before it is done, one number of each makes it wait."""
    for tensor in tf.nest.flatten(outputs):
        if isinstance(tensor, tf.Tensor):
            tensor[(0,) * tensor.shape.rank].numpy()
