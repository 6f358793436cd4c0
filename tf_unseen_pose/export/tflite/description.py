"""What a .tflite file says about itself; see `inference.lite_file` for where it stands and how it is read."""

import json
from dataclasses import asdict

from tf_unseen_pose.export.about import origin
from tf_unseen_pose.export.tflite.flatbuffer import with_metadata
from tf_unseen_pose.inference.lite_file import FORMAT, METADATA, LiteFile
from tf_unseen_pose.training.run import Run

_JOINTS = (
    "x, y in pixels of the canvas, (0, 0) being the centre of the top-left pixel, and visibility 0..1, 0 meaning absent"
)
_WHAT = {
    "image": "RGB in [-1, 1]: a canvas, which is a square about the person cut out of the photo",
    "source_joints": f"the person's pose on that canvas: {_JOINTS}",
    "decisions": "how to make the pose of the photo's pixels, 9 channels: displacement x and y in canvas pixels, gain, "
    "offset (3), alpha's logit, coverage, stillness",
    "target_joints": f"the pose to be taken: {_JOINTS}; then depth z in those pixels, smaller being nearer, 0 for all "
    "where it is not known",
}
_STATE = "a part of the source's state, which encode_source gives, decide and render take"


def described(content: bytes, variant: str, run: Run, licence: str, steepness: float) -> bytes:
    """The model with what it says about itself.

    Args:
        variant: its name.
        licence: that of the weights, as a sentence or a name.
        steepness: the generator's, see `model.compositing.compose`.

    Raises:
        UserError: LiteRT cannot read the content.
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
        "signatures": _signatures(content),
    }
    return with_metadata(content, METADATA, json.dumps(about).encode())


def _signatures(content: bytes) -> dict:
    file = LiteFile(content, threads=1, described=False)
    return {
        name: {"inputs": _tensors(file.inputs(name)), "outputs": _tensors(file.outputs(name))}
        for name in file.signatures
    }


def _tensors(details: dict[str, tuple[tuple[int, ...], str]]) -> dict:
    return {
        name: {"shape": list(shape), "dtype": dtype, "what": _WHAT.get(name, _STATE)}
        for name, (shape, dtype) in sorted(details.items())
    }
