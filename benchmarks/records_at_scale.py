"""Memory and time of reading by a dataset's number of frames: opening, the first example, thousands more.

Each size is read by a process of its own, as a worker of `train` reads it. What opening leaves grows with the index,
what examples add is bounded by the caches: memory at the end must be that in the middle. Processor time hardly depends
on what else runs.
"""

import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.memory import memory, peak_memory
from benchmarks.report import option_parser, publish
from benchmarks.scenes import write_large_dataset
from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.dataset_index import INDEX_NAME
from tf_unseen_pose.data.examples import Examples
from tf_unseen_pose.data.records import ClipDataset

# With pictures of this side the caches are full after some 4000 examples.
_SIDE, _BATCH = 128, 20


def measure(path: Path, count: int) -> dict[str, float]:
    """One row: opens the dataset and makes `count` examples."""
    config, before, start = load_config("tiny"), memory(), time.process_time()
    dataset = ClipDataset.open(path)
    opened, left, most = time.process_time(), memory() - before, peak_memory() - before
    examples = Examples(dataset, config, augment=True)
    examples.batch(0, 1)
    first = time.process_time()
    frames = sum(len(clip.frames) for clip in dataset.clips)
    used = []
    for half in (0, 1):
        for number in range(half * count // 2, (half + 1) * count // 2, _BATCH):
            examples.batch(number, _BATCH)
        used.append(memory() - before)
    return {
        "frames": frames,
        "file, bytes a frame": (path / INDEX_NAME).stat().st_size / frames,
        "open, processor s": opened - start,
        "first example, processor ms": 1e3 * (first - opened),
        "opened, MB": left,
        "opening at most, MB": most,
        "opened, bytes a frame": left * 2**20 / frames,
        "half of the examples, MB": used[0],
        "all examples, MB": used[1],
    }


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("records_at_scale", __doc__, repeats=1)
    parser.add_argument("--frames", type=int, nargs="+", default=[1000, 10_000, 100_000], help="sizes (%(default)s)")
    parser.add_argument("--examples", type=int, default=10_000, help="examples of each size (%(default)s)")
    options = parser.parse_args(arguments)
    sizes, count = ([40, 80], 80) if options.quick else (options.frames, options.examples)
    rows, context = [], multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        for frames in sizes:
            path = Path(folder) / str(frames)
            write_large_dataset(path, frames, _SIDE)
            with ProcessPoolExecutor(1, context) as process:
                rows.append(process.submit(measure, path, count).result())
    publish("records_at_scale", options, rows, {}, examples=count, side=_SIDE)


if __name__ == "__main__":
    main()
