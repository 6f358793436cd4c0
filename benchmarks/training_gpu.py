"""Training steps on a GPU: examples a second by precision, with and without XLA, as a part of what the GPU can do.

The step is the one that `train` takes, on batches that lie in the GPU's memory. What the GPU can do is measured in the
same run: one large matrix product, in bfloat16 and in float32 as TensorFlow computes it (TF32 on Ampere and later).
"""

import sys

import tensorflow as tf

from benchmarks.counting import multiply_accumulates
from benchmarks.report import option_parser, publish
from benchmarks.scenes import training_batch
from benchmarks.timing import elapsed, interleaved
from benchmarks.training_step import LOSSES, fresh_trainer

PRECISIONS = ("float32", "bfloat16")
# A call of a variant: so many steps, so that the time of starting and of waiting is small beside them.
_STEPS = 10


def peak_rate(precision: str, repeats: int, side: int) -> float:
    """TFLOP/s of a matrix product [side, side] x [side, side]."""
    first, second = (tf.cast(tf.random.stateless_normal([side, side], [0, i]), precision) for i in range(2))
    product = tf.function(lambda: tf.linalg.matmul(first, second))
    timing = interleaved({"product": product}, repeats, least=0.2)["product"]
    return 2e-12 * side**3 / timing.median


def measure(kind: tuple, size: int, batch_size: int, repeats: int) -> dict:
    """One row of the table."""
    preset, loss, precision, xla = kind
    settings = [f"train.precision={precision}", f"train.xla={xla}"]
    trainer = fresh_trainer(preset, loss, size, batch_size, *settings)
    batch = {name: tf.constant(value) for name, value in training_batch(size, batch_size).items()}
    batches = iter(tf.data.Dataset.from_tensors(batch).repeat())
    macs = multiply_accumulates(tf.function(trainer.train_step).get_concrete_function(batch))

    def steps():
        for _ in range(_STEPS):
            logs = trainer.train_function(batches)
        return logs

    start = elapsed(lambda: trainer.train_function(batches))
    tf.config.experimental.reset_memory_stats("GPU:0")
    seconds = interleaved({kind: steps}, repeats)[kind]
    return {
        "preset": preset,
        "loss": loss,
        "precision": precision,
        "XLA": "yes" if xla else "no",
        "batch": batch_size,
        "first step, s": start,
        "ms a step": 1e3 * seconds.median / _STEPS,
        "spread": seconds.spread,
        "examples/s": batch_size * _STEPS / seconds.median,
        "GMAC/example": 1e-9 * macs / batch_size,
        "TFLOP/s": 2e-12 * macs * _STEPS / seconds.median,
        "GPU memory, MB": tf.config.experimental.get_memory_info("GPU:0")["peak"] / 2**20,
    }


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("training_gpu", __doc__, repeats=5)
    parser.add_argument("--batch-size", type=int, nargs="+", default=[16], help="%(default)s")
    parser.add_argument("--size", type=int, default=256, help="side of the canvas (%(default)s)")
    parser.add_argument("--loss", nargs="+", choices=LOSSES, default=list(LOSSES), help="%(default)s")
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS), help="%(default)s")
    parser.add_argument("--xla", nargs="+", choices=("no", "yes"), default=["no", "yes"], help="%(default)s")
    options = parser.parse_args(arguments)
    if not tf.config.list_physical_devices("GPU"):
        sys.exit("TensorFlow finds no GPU here; training_step measures processors.")
    size = 64 if options.quick else options.size
    peak = {name: peak_rate(name, options.repeats, 1024 if options.quick else 8192) for name in options.precision}
    rows = []
    for batch_size in options.batch_size:
        for preset in options.preset:
            for loss in options.loss:
                for precision in options.precision:
                    for xla in options.xla:
                        kind = (preset, loss, precision, xla == "yes")
                        row = measure(kind, size, batch_size, options.repeats)
                        rows.append({**row, "part of peak": row["TFLOP/s"] / peak[precision]})
                        print(rows[-1], file=sys.stderr, flush=True)
    found = {f"{name} products, TFLOP/s": value for name, value in peak.items()}
    publish("training_gpu", options, rows, found, size=size)


if __name__ == "__main__":
    main()
