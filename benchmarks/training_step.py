"""Training steps: time and memory of a step of every preset, for the cheapest loss (L1) and the dearest (VGG + GAN).

The step is the one that `train` takes, on one batch over and over; the input pipeline has a benchmark of its own. VGG19
has random weights: they cost what ImageNet's do. Batch, canvas and machine are the same for all. Peak memory is that of
a process of its own that takes a few steps and nothing else, TensorFlow itself included.
"""

import functools
import multiprocessing
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import tensorflow as tf

from benchmarks import ceiling
from benchmarks.memory import peak_memory
from benchmarks.report import option_parser, publish
from benchmarks.scenes import training_batch
from benchmarks.timing import interleaved
from tf_unseen_pose.compat import layer_precision
from tf_unseen_pose.config import load_config
from tf_unseen_pose.model.perceptual import PerceptualFeatures
from tf_unseen_pose.training.trainer import Trainer

LOSSES = ("l1", "vgg_gan")
# After the first, which traces, memory still grows a little.
_STEPS_FOR_MEMORY = 3
# Channels and number of convolutions of VGG19's first blocks.
_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4))


def training_call(preset: str, loss: str, size: int, batch_size: int) -> Callable:
    """One step of a fresh trainer, as `fit` takes it."""
    trainer = fresh_trainer(preset, loss, size, batch_size)
    batches = iter(tf.data.Dataset.from_tensors(training_batch(size, batch_size)).repeat())
    return lambda: trainer.train_function(batches)


def fresh_trainer(preset: str, loss: str, size: int, batch_size: int, *settings: str) -> Trainer:
    """A trainer whose `train_function` is ready; `settings` are overrides of the configuration."""
    stage = [f"train.stages=[{{loss: {loss}, steps: 1}}]", f"train.batch_size={batch_size}"]
    config = load_config(preset, [*stage, f"model.height={size}", f"model.width={size}", *settings])
    features = None if loss == "l1" else random_features(config.train.precision)
    deviations = features and [np.ones(channels, np.float32) for channels in features.channels]
    trainer = Trainer(config, features, deviations)
    trainer.compile()
    trainer.make_train_function()
    return trainer


@functools.cache
def random_features(precision: str = "float32") -> PerceptualFeatures:
    with tempfile.TemporaryDirectory() as folder, layer_precision(precision):
        return PerceptualFeatures(random_vgg19(Path(folder) / "vgg19.h5"))


def random_vgg19(path: Path) -> Path:
    """A weights file in the layout of Keras Applications'."""
    rng = np.random.default_rng(0)
    channels_in = 3
    with h5py.File(path, "w") as file:
        for block, (channels, count) in enumerate(_BLOCKS, start=1):
            for number in range(1, count + 1):
                kernel = rng.normal(0, np.sqrt(2 / (9 * channels_in)), (3, 3, channels_in, channels))
                group = file.create_group(f"block{block}_conv{number}")
                group["kernel:0"], group["bias:0"] = kernel.astype(np.float32), np.zeros(channels, np.float32)
                channels_in = channels
    return path


def memory_of(*training) -> float:
    """Megabytes at most in use by a new process that takes steps of `training_call(*training)`."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_use_memory, *training).result()


def _use_memory(*training) -> float:
    step = training_call(*training)
    for _ in range(_STEPS_FOR_MEMORY):
        step()
    return peak_memory()


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("training_step", __doc__, repeats=3)
    parser.add_argument("--batch-size", type=int, default=4, help="(%(default)s)")
    parser.add_argument("--size", type=int, default=256, help="side of the canvas (%(default)s)")
    parser.add_argument("--loss", nargs="+", choices=LOSSES, default=list(LOSSES), help="%(default)s")
    options = parser.parse_args(arguments)
    size = 64 if options.quick else options.size
    kinds = [(preset, loss) for loss in options.loss for preset in options.preset]
    calls = {kind: training_call(*kind, size, options.batch_size) for kind in kinds}
    timings = interleaved(calls, options.repeats)
    rows = []
    for (preset, loss), timing in timings.items():
        first = timings[options.preset[0], loss].median
        rows.append(
            {
                "preset": preset,
                "loss": loss,
                "ms a step": 1e3 * timing.median,
                "spread": timing.spread,
                "examples/s": options.batch_size / timing.median,
                f"time / {options.preset[0]}": timing.median / first,
                "peak memory MB": memory_of(preset, loss, size, options.batch_size),
            }
        )
    found = ceiling.measure(options.repeats, options.quick)
    publish("training_step", options, rows, found, batch_size=options.batch_size, size=size)


if __name__ == "__main__":
    main()
