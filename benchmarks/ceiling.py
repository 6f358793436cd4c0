"""The machine's own convolution ceiling: one large 3x3 convolution, as fast as TensorFlow and TFLite can do it.

256 x 256 pixels, 192 channels to 64: the shape of the heaviest convolution of the paper's network. No network on this
machine and this runtime is faster a multiply-accumulate, so a network's rate as a part of this one says how much of
its time goes into anything else.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from benchmarks.lite_runtime import THREADS, open_function
from benchmarks.report import option_parser, publish
from benchmarks.timing import Timing, interleaved

_CHANNELS_IN, _CHANNELS_OUT, _KERNEL = 192, 64, 3
TENSORFLOW, TFLITE = "TensorFlow", f"TFLite, {THREADS} threads"


def calls(quick: bool) -> dict[str, Callable]:
    """The convolution in each runtime, to be timed among other calls."""
    side = _side(quick)
    rng = np.random.default_rng(0)
    image = rng.standard_normal((1, side, side, _CHANNELS_IN)).astype(np.float32)
    kernel = rng.standard_normal((_KERNEL, _KERNEL, _CHANNELS_IN, _CHANNELS_OUT)).astype(np.float32)

    @tf.function(input_signature=[tf.TensorSpec(image.shape, tf.float32, name="image")])
    def convolve(image):
        return {"image": tf.nn.conv2d(image, kernel, 1, "SAME")}

    lite = open_function(convolve)["serving_default"]
    tensor = tf.constant(image)
    return {TENSORFLOW: lambda: convolve(tensor), TFLITE: lambda: lite(image=image)}


def rates(timings: dict[str, Timing], quick: bool) -> dict[str, float]:
    """GFLOP/s of each runtime (a multiply-accumulate is two operations)."""
    macs = _side(quick) ** 2 * _CHANNELS_IN * _CHANNELS_OUT * _KERNEL**2
    return {f"{name}, GFLOP/s": 2e-9 * macs / timings[name].median for name in (TENSORFLOW, TFLITE)}


def measure(repeats: int, quick: bool) -> dict[str, float]:
    """`rates`, timed by themselves."""
    return rates(_timed(calls(quick), repeats), quick)


def _timed(limits: dict[str, Callable], repeats: int) -> dict[str, Timing]:
    """One runtime after the other: TensorFlow's threads go on spinning after a call and take TFLite's cores away."""
    return {name: interleaved({name: call}, repeats)[name] for name, call in limits.items()}


def _side(quick: bool) -> int:
    return 32 if quick else 256


def main(arguments: list[str] | None = None) -> None:
    options = option_parser("ceiling", __doc__, repeats=15).parse_args(arguments)
    timings = _timed(calls(options.quick), options.repeats)
    found = rates(timings, options.quick)
    rows = [
        {"runtime": name, "ms": 1e3 * timing.median, "spread": timing.spread, "GFLOP/s": found[f"{name}, GFLOP/s"]}
        for name, timing in timings.items()
    ]
    publish("ceiling", options, rows, found)


if __name__ == "__main__":
    main()
