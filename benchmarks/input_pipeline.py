"""Training examples a second: our `tf.data` stream and the authors' Python generator on the same clips.

Both read the same JPEGs, crop and augment pairs of frames. The authors' generator also makes heatmaps, limb priors and
transforms, which our model makes for itself from joints; ours also makes noise and masks.

`released` computes the maps as the authors write them; `reference` gets the same numbers with fewer passes over memory:
the yardstick is not to be beaten for its slowest part alone.
"""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import ceiling
from benchmarks.reference_generator import reference_batches
from benchmarks.reference_inputs import released_gaussian_map
from benchmarks.report import option_parser, publish
from benchmarks.scenes import write_authors_layout
from benchmarks.timing import Timing, elapsed
from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.pairs import pair_batches
from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.records import ClipDataset


def streams(data: Path, folder: Path, presets: list[str], batch_size: int):
    """Name -> a function that starts a new stream of batches."""
    prepare([data], folder / "dataset", Options("posewarp", validation=0.0), progress=False)
    dataset = ClipDataset.open(folder / "dataset")
    configs = {preset: load_config(preset, [f"train.batch_size={batch_size}"]) for preset in presets}
    size = max(config.model.height for config in configs.values())

    def ours(config):
        return lambda: iter(pair_batches(dataset, config))

    return {
        "reference": lambda: reference_batches(data, size, batch_size),
        "released": lambda: reference_batches(data, size, batch_size, gaussian=released_gaussian_map),
        **{preset: ours(config) for preset, config in configs.items()},
    }


def timed_batches(stream: Iterator, count: int) -> float:
    """Seconds of `count` batches, after the first."""
    next(stream)
    return elapsed(lambda: [None for _ in itertools.islice(stream, count)])


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("input_pipeline", __doc__, repeats=5)
    parser.add_argument(
        "--data", type=Path, help="clips in the authors' layout (frames/, info/); drawn ones if not given"
    )
    parser.add_argument("--batch-size", type=int, default=4, help="(%(default)s)")
    parser.add_argument("--batches", type=int, default=100, help="batches a round (%(default)s)")
    options = parser.parse_args(arguments)
    batches = 1 if options.quick else options.batches
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = options.data or folder / "clips"
        if options.data is None:
            clips, frames, height, width = (1, 4, 96, 128) if options.quick else (2, 24, 720, 1280)
            write_authors_layout(data, clips, frames, height, width)
        started = streams(data, folder, options.preset, options.batch_size)
        seconds = {name: [] for name in started}
        # Every round starts its streams anew: one that goes on reading ahead would slow the others.
        for _ in range(options.repeats):
            for name, start in started.items():
                seconds[name].append(timed_batches(start(), batches))
    timings = {name: Timing(tuple(values)) for name, values in seconds.items()}
    samples = batches * options.batch_size
    rows = [
        {
            "stream": name,
            "ms a sample": 1e3 * timing.median / samples,
            "spread": timing.spread,
            "samples/s": samples / timing.median,
            "rate / reference": timings["reference"].median / timing.median,
            "rate / released": timings["released"].median / timing.median,
        }
        for name, timing in timings.items()
    ]
    found = ceiling.measure(options.repeats, options.quick)
    publish("input_pipeline", options, rows, found, batch_size=options.batch_size, data=str(options.data or "drawn"))


if __name__ == "__main__":
    main()
