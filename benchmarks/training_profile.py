"""Operations of a training step: the processor's time by kind of operation and batch size, from TensorFlow's profiler.

The step is `training_step`'s. Times are summed over all cores, so that their sum exceeds the step's own time.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks import ceiling
from benchmarks.memory import peak_memory
from benchmarks.report import option_parser, publish
from benchmarks.timing import interleaved
from benchmarks.training_step import LOSSES, training_call

_STEPS = 3
# Operations are events "NAME:KIND"; others ("ExecutorState::Process", "Function: NAME") are left out.
_OPERATION = re.compile(r"[^ :]+:(_?[A-Z]\w*)")


def seconds_by_kind(call: Callable) -> Counter:
    """Processor seconds a call by kind of operation."""
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            for _ in range(_STEPS):
                call()
        (file,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())
    seconds: Counter = Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            if kind := _OPERATION.fullmatch(plane.event_metadata[event.metadata_id].name):
                seconds[kind[1]] += 1e-12 * event.duration_ps / _STEPS
    return seconds


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("training_profile", __doc__, repeats=3)
    parser.add_argument("--batch-size", type=int, nargs="+", default=[4, 16], help="(%(default)s)")
    parser.add_argument("--size", type=int, default=256, help="side of the canvas (%(default)s)")
    parser.add_argument("--loss", choices=LOSSES, default="l1", help="(%(default)s)")
    parser.add_argument("--rows", type=int, default=15, help="kinds of operations, the slowest (%(default)s)")
    options = parser.parse_args(arguments)
    size, preset = 64 if options.quick else options.size, options.preset[-1]
    calls = {batch: training_call(preset, options.loss, size, batch) for batch in options.batch_size}
    timings = interleaved(calls, options.repeats)
    found = {batch: seconds_by_kind(call) for batch, call in calls.items()}

    def row(name: str, value: Callable) -> dict:
        return {"": name, **{f"batch {batch}": value(batch) for batch in calls}}

    slowest = sum(found.values(), Counter()).most_common(options.rows)
    rows = [
        row("examples/s", lambda batch: batch / timings[batch].median),
        row("step, ms an example", lambda batch: 1e3 * timings[batch].median / batch),
        row("all operations", lambda batch: 1e3 * found[batch].total() / batch),
        *(row(kind, lambda batch, kind=kind: 1e3 * found[batch][kind] / batch) for kind, _ in slowest),
    ]
    ceilings = ceiling.measure(options.repeats, options.quick)
    publish("training_profile", options, rows, ceilings, preset=preset, loss=options.loss, size=size,
            peak_memory_MB=peak_memory())  # fmt: skip


if __name__ == "__main__":
    main()
