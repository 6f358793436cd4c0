"""The variants of a TFLite model: the same graph with weights and convolutions in fewer bits.

    float32   as converted
    float16   weights in half precision, computation in float32: half the size, the same picture
    dynamic   weights in int8; convolutions quantize their input by its current range
    int8      convolutions, and the operations between them (upsampling, additions and concatenations of their maps),
              in int8 by calibrated ranges

Coordinates, transforms, warps, softmax and blending stay float32 in every variant; int8 is too coarse for them.
"""

import contextlib
import io
import logging
from collections.abc import Iterable, Sequence

import numpy as np

from tf_unseen_pose.inference.lite_file import LiteFile

VARIANTS = ("float32", "float16", "dynamic", "int8")
# Keras's names for the operations between convolutions.
_BETWEEN = "up_sampling2d|add|concatenate"

Example = dict[str, np.ndarray]


def quantized(content: bytes, variant: str, networks: Sequence[str], examples: Iterable[Example]) -> bytes:
    """A variant of a float32 model from `conversion.convert`.

    Args:
        variant: one of `VARIANTS`.
        networks: names of the Keras models within.
        examples: inputs of `synthesize` for calibrating int8; else unused.

    Raises:
        UserError: LiteRT cannot read the content.
    """
    if variant == "float32":
        return content
    # A slow import that only exports need.
    from ai_edge_quantizer.quantizer import Quantizer

    with _silence():
        quantizer = Quantizer(bytearray(content))
        quantizer.load_quantization_recipe(_recipe(variant, networks))
        ranges = None
        if variant == "int8":
            # NumPy takes most of the time; with one thread every machine measures the same ranges.
            ranges = quantizer.calibrate(_calls(content, list(examples)), num_threads=1)
        return bytes(quantizer.quantize(ranges).quantized_model)


def _recipe(variant: str, networks: Sequence[str]) -> list[dict]:
    from ai_edge_quantizer.qtyping import TFLOperationName as Operation
    from ai_edge_quantizer.recipe_manager import RecipeManager

    recipe = RecipeManager()
    everywhere, convolution = ".*", Operation.CONV_2D
    if variant == "float16":
        recipe.add_weight_only_config(everywhere, convolution, num_bits=16, algorithm_key="float_casting")
    elif variant == "dynamic":
        recipe.add_dynamic_config(everywhere, convolution, num_bits=8)
    else:
        bits = {"activation_num_bits": 8, "weight_num_bits": 8}
        recipe.add_static_config(everywhere, convolution, **bits)
        between = f"^({'|'.join(networks)})[^/]*/({_BETWEEN})"
        for operation in (Operation.RESIZE_BILINEAR, Operation.ADD, Operation.CONCATENATION):
            recipe.add_static_config(between, operation, **bits)
    return recipe.get_quantization_recipe()


def _calls(content: bytes, examples: list[Example]) -> dict[str, list[Example]]:
    """Inputs of every signature for calibration."""
    model = LiteFile(content, threads=1, described=False)

    sources = [{key: example[key] for key in ("image", "source_joints")} for example in examples]
    # The quantizer reads each list twice; a state of `lite` takes 3 MB.
    states = [
        {**model["encode_source"](**source), "target_joints": example["target_joints"]}
        for source, example in zip(sources, examples, strict=True)
    ]
    return {"encode_source": sources, "decide": states, "render": states, "synthesize": examples}


@contextlib.contextmanager
def _silence():
    """Silences the quantizer, which reports every shared buffer and draws bars."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logger.setLevel(before)
