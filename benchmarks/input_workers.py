"""Training examples a second by the number of worker processes, and the processor time that an example takes.

The pictures are more than the caches hold, as in a large dataset. Processor time hardly depends on what else runs, and
says what more cores would do: workers make examples side by side, while one process takes all of them in.
"""

import itertools
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psutil

from benchmarks.report import option_parser, publish
from benchmarks.scenes import write_large_dataset
from benchmarks.timing import Timing, elapsed
from tf_unseen_pose.config import Config, load_config
from tf_unseen_pose.data.pairs import pair_batches
from tf_unseen_pose.data.records import ClipDataset

# The recipe of `saved_models/lite` on data of one kind, without the maps and scenes of avatars.
_RECIPE = "configs/lite.yaml"
_ONE_KIND = ["data.shares.avatars=0", "data.shares.video=0", "loss.limbs=0", "loss.choice=0", "loss.scene=0"]
# More batches than any stream reads ahead.
_AHEAD = 16


def configuration(name: str, workers: int, batch_size: int) -> Config:
    """The configuration of a row."""
    settings = [f"train.workers={workers}", f"train.batch_size={batch_size}"]
    return load_config(name, settings + (_ONE_KIND if name == _RECIPE else []))


def measure(dataset: ClipDataset, config: Config, batches: int) -> dict[str, float]:
    """Seconds of an example: of the clock, and of the processors in this process and in its workers."""
    # As many before, in which caches fill, and some behind, which are read ahead.
    stream = iter(pair_batches(dataset, config, steps=2 * batches + _AHEAD))
    for _ in range(batches):
        next(stream)
    before = _processor_times()
    seconds = elapsed(lambda: [None for _ in itertools.islice(stream, batches)])
    after = _processor_times()
    own, *others = (after[process] - before[process] for process in before)
    for _ in stream:
        pass
    count = batches * config.train.batch_size
    return {"clock": seconds / count, "own": own / count, "workers": sum(others) / count}


def _processor_times() -> Mapping[int, float]:
    """Seconds of this process, first, and of its children."""
    process = psutil.Process()
    return {one.pid: sum(one.cpu_times()[:2]) for one in (process, *process.children())}


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("input_workers", __doc__, repeats=3)
    parser.set_defaults(preset=["lite"])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2], help="their numbers (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=16, help="(%(default)s)")
    parser.add_argument("--batches", type=int, default=40, help="batches a round (%(default)s)")
    options = parser.parse_args(arguments)
    frames, side, batches = (40, 96, 2) if options.quick else (4000, 512, options.batches)
    variants = list(itertools.product([*options.preset, _RECIPE], [0, 1] if options.quick else options.workers))
    found: dict[tuple[str, int], list[dict[str, float]]] = {variant: [] for variant in variants}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset"
        write_large_dataset(path, frames, side)
        dataset = ClipDataset.open(path)
        for _, variant in itertools.product(range(options.repeats), variants):
            config = configuration(*variant, options.batch_size)
            found[variant].append(measure(dataset, config, batches))
    rows = [_row(*variant, measured) for variant, measured in found.items()]
    publish("input_workers", options, rows, {}, batch_size=options.batch_size, frames=frames, side=side)


def _row(name: str, workers: int, measured: list[dict[str, float]]) -> dict[str, str | int | float]:
    clock, own, others = (Timing(tuple(one[key] for one in measured)) for key in ("clock", "own", "workers"))
    return {
        "configuration": name,
        "workers": workers,
        "examples/s": 1 / clock.median,
        "spread": clock.spread,
        "processor of the training process, ms an example": 1e3 * own.median,
        "processor of the workers, ms an example": 1e3 * others.median,
    }


if __name__ == "__main__":
    main()
