"""The description inside an exported file, as JSON; `inference.lite_file` shows its form."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from tf_unseen_pose.export.about import origin
from tf_unseen_pose.inference.lite_file import FORMAT
from tf_unseen_pose.training.run import Run

_JOINTS = (
    "x, y in pixels of the canvas, (0, 0) being the centre of the top-left pixel, and visibility 0..1, 0 meaning absent"
)
_WHAT = {
    "image": "RGB in [-1, 1]: a canvas, which is a square about the person cut out of the photo",
    "source_joints": f"the person's pose on that canvas: {_JOINTS}",
    "canvas": "as image, whose name ONNX leaves to the source's state",
    "picture": "the person in the target's pose on the canvas, RGB in [-1, 1]",
    "decisions": "how to make the pose of the photo's pixels, 9 channels: displacement x and y in canvas pixels, gain, "
    "offset (3), alpha's logit, coverage, stillness",
    "target_joints": f"the pose to be taken: {_JOINTS}; then depth z in those pixels, smaller being nearer, 0 for all "
    "where it is not known",
}
_STATE = "source's state, from encode_source to decide and render"


# Tensors by name: shape (None is free) and type.
Tensors = Mapping[str, tuple[tuple[int | None, ...], str]]


def description(
    run: Run, variant: str, licence: str, steepness: float, signatures: Mapping[str, tuple[Tensors, Tensors]]
) -> str:
    """The JSON.

    Args:
        run: the exported run.
        variant: its number format.
        licence: of the weights, as a sentence or a name.
        steepness: the generator's, see `model.compositing.compose`.
        signatures: inputs and outputs by the signature's name.
    """
    model = run.config.model
    about = {
        "format": FORMAT,
        "variant": variant,
        "licence": licence,
        **origin(run),
        "height": model.height,
        "width": model.width,
        "crop_factor": run.config.data.crop_factor,
        "alpha_steepness": steepness,
        "skeleton": asdict(model.body),
        "signatures": {
            name: {"inputs": _told(inputs), "outputs": _told(outputs)} for name, (inputs, outputs) in signatures.items()
        },
    }
    return json.dumps(about, separators=(",", ":"))


def _told(tensors: Tensors) -> dict:
    return {
        name: {"shape": list(shape), "dtype": dtype, "what": _WHAT.get(name, _STATE)}
        for name, (shape, dtype) in sorted(tensors.items())
    }
