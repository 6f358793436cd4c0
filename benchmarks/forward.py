"""Forward passes: milliseconds a call of every preset, part and runtime, beside the authors' network.

A preset's parts are `encode` (once a photo), `render` (once a target pose) and `whole` (both). They run as a TensorFlow
graph, compiled by XLA, and in TFLite. The yardstick of each row is the authors' network (`reference`), whose every
output costs its whole, with the same batch and runtime; TFLite is measured against its TensorFlow graph. Its inputs
are ready-made (heatmaps, limb priors and transforms are not on its clock), ours are made from joints within the graph.
`released` is the authors' network with their own, slower upsampling.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import tensorflow as tf

from benchmarks import ceiling
from benchmarks.counting import multiply_accumulates, parameters
from benchmarks.lite_runtime import SIGNATURES, open_generator
from benchmarks.reference import build_reference, copy_weights
from benchmarks.reference_inputs import network_inputs
from benchmarks.report import option_parser, publish
from benchmarks.scenes import canvas_pair
from benchmarks.timing import interleaved
from tf_unseen_pose.config import load_config
from tf_unseen_pose.geometry.pixels import from_bytes
from tf_unseen_pose.known_skeletons import person_joints
from tf_unseen_pose.model import PoseModel, build_generator

PARTS = ("whole", "encode", "render")
RUNTIMES = ("graph", "xla", "tflite")
# How long a call is repeated in each round: frames come in streams.
_LEAST_SECONDS = 0.2
# The reference fills the background's hole with zeros.
_SETTINGS = {"paper": ["model.background_fill=zero"]}


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    network: str
    part: str
    batch: int
    runtime: str
    call: Callable
    macs: int


def variants_of(preset: str, generator: PoseModel, options) -> Iterator[Variant]:
    """Every part of a preset on every runtime."""
    functions = {part: tf.function(function) for part, function in parts_of(generator).items()}
    compiled = {part: tf.function(function, jit_compile=True) for part, function in parts_of(generator).items()}
    for batch in options.batch:
        canvas, *poses = canvas_pair(generator.config.height, batch)
        source, target = (tf.constant(person_joints(pose, generator.body)) for pose in poses)
        image = from_bytes(tf.constant(canvas))
        state = functions["encode"](image, source)
        inputs = {"whole": (image, source, target), "encode": (image, source), "render": (state, target)}
        macs = {part: _macs(functions[part], inputs[part]) for part in PARTS}
        for part in PARTS:
            yield Variant(preset, part, batch, "graph", partial(functions[part], *inputs[part]), macs[part])
            if "xla" in options.runtime:
                yield Variant(preset, part, batch, "xla", partial(compiled[part], *inputs[part]), macs[part])
        if "tflite" in options.runtime and batch == 1:
            lite = open_generator(generator)
            named = _named(inputs, state)
            for part in PARTS:
                yield Variant(preset, part, 1, "tflite", partial(lite[SIGNATURES[part]], **named[part]), macs[part])


def parts_of(generator: PoseModel) -> dict[str, Callable]:
    """The three parts as functions of tensors."""

    def whole(image, source_joints, target_joints):
        return generator.render(generator.encode_source(image, source_joints), target_joints)

    return {"whole": whole, "encode": generator.encode_source, "render": generator.render}


def _macs(function, inputs) -> int:
    return multiply_accumulates(function.get_concrete_function(*inputs))


def _named(inputs, state) -> dict[str, dict[str, np.ndarray]]:
    """Each part's inputs as TFLite wants them."""
    image, source, target = (tensor.numpy() for tensor in inputs["whole"])
    stored = {name: part.numpy() for name, part in state._asdict().items()}
    # No depth is known.
    target = np.concatenate([target, np.zeros_like(target[..., :1])], axis=-1)
    return {
        "whole": {"image": image, "source_joints": source, "target_joints": target},
        "encode": {"image": image, "source_joints": source},
        "render": {**stored, "target_joints": target},
    }


def reference_variants(reference, released, options) -> Iterator[Variant]:
    """The authors' network on TensorFlow's runtimes."""
    function, compiled = tf.function(reference), tf.function(reference, jit_compile=True)
    slower = tf.function(released)
    for batch in options.batch:
        inputs = reference_batch(reference.inputs[0].shape[1], batch)
        macs = _macs(function, [inputs])
        yield Variant("reference", "whole", batch, "graph", partial(function, inputs), macs)
        yield Variant("released", "whole", batch, "graph", partial(slower, inputs), macs)
        if "xla" in options.runtime:
            yield Variant("reference", "whole", batch, "xla", partial(compiled, inputs), macs)


def reference_batch(size: int, batch: int) -> list[tf.Tensor]:
    """The reference's inputs for the scene that the presets see."""
    canvas, source, target = canvas_pair(size, batch)
    examples = [
        network_inputs(canvas[i, ..., ::-1], source[i, :, :2].astype(float), target[i, :, :2].astype(float))
        for i in range(batch)
    ]
    return [tf.constant(np.concatenate(parts)) for parts in zip(*examples, strict=True)]


def differences(variants: list[Variant], outputs_equal: bool) -> dict[str, float]:
    """Largest differences between what should be equal: TFLite and TensorFlow, `paper` and the reference."""
    picture = {
        (v.network, v.runtime): _picture(v.call())
        for v in variants
        if v.part == "whole" and v.batch == min_batch(variants)
    }
    found = {}
    for (network, runtime), image in picture.items():
        if runtime != "graph":
            found[f"{network}, {runtime} and graph differ by"] = float(np.abs(image - picture[network, "graph"]).max())
    if outputs_equal:
        difference = np.abs(picture["paper", "graph"] - picture["reference", "graph"][..., ::-1])
        found["paper and reference differ by"] = float(difference.max())
    return found


def min_batch(variants: list[Variant]) -> int:
    return min(variant.batch for variant in variants)


def _picture(outputs) -> np.ndarray:
    return np.asarray(outputs["image"] if isinstance(outputs, dict) else outputs)


def _rows(variants, timings, found) -> list[dict]:
    def reference_time(variant):
        runtime = "graph" if variant.runtime == "tflite" else variant.runtime
        return next(
            timings[v].median
            for v in variants
            if (v.network, v.batch, v.runtime) == ("reference", variant.batch, runtime)
        )

    rows = []
    for variant in variants:
        time = timings[variant]
        rate = 2e-9 * variant.macs / time.median
        runtime = ceiling.TFLITE if variant.runtime == "tflite" else ceiling.TENSORFLOW
        rows.append(
            {
                "network": variant.network,
                "part": variant.part,
                "batch": variant.batch,
                "runtime": variant.runtime,
                "ms": 1e3 * time.median,
                "spread": time.spread,
                "frames/s": variant.batch / time.median,
                "GMAC": 1e-9 * variant.macs,
                "GFLOP/s": rate,
                "of ceiling": rate / found[f"{runtime}, GFLOP/s"],
                "time / reference": time.median / reference_time(variant),
            }
        )
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("forward", __doc__)
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 4], help="batch sizes (%(default)s)")
    parser.add_argument("--runtime", nargs="+", choices=RUNTIMES, default=list(RUNTIMES), help="%(default)s")
    options = parser.parse_args(arguments)
    options.runtime = [runtime for runtime in RUNTIMES if runtime in {"graph", *options.runtime}]
    generators = {
        preset: build_generator(load_config(preset, _SETTINGS.get(preset, [])).model) for preset in options.preset
    }
    size = max(generator.config.height for generator in generators.values())
    reference, released = build_reference(size), build_reference(size, "gather")
    if "paper" in generators:
        copy_weights(generators["paper"], reference)

    variants = list(reference_variants(reference, released, options))
    for preset, generator in generators.items():
        variants += variants_of(preset, generator, options)
    # Those of one batch and runtime, which are compared, run close to each other.
    variants.sort(key=lambda variant: (variant.batch, RUNTIMES.index(variant.runtime)))
    equal = differences(variants, "paper" in generators)
    limits = ceiling.calls(options.quick)
    timings = {}
    # TFLite apart from TensorFlow, whose threads go on spinning for a while after a call and take its cores away.
    for limit, lite in ((ceiling.TENSORFLOW, False), (ceiling.TFLITE, True)):
        calls = {variant: variant.call for variant in variants if (variant.runtime == "tflite") == lite}
        timings |= interleaved({**calls, limit: limits[limit]}, options.repeats, least=_LEAST_SECONDS)
    found = ceiling.rates(timings, options.quick)
    sizes = {f"{preset}, parameters in millions": 1e-6 * parameters(net) for preset, net in generators.items()}
    publish("forward", options, _rows(variants, timings, found), found, **sizes, **equal)


if __name__ == "__main__":
    main()
