"""The description inside a .tflite file; see `inference.lite_file`."""

from tf_unseen_pose.export.description import description
from tf_unseen_pose.export.tflite.flatbuffer import with_metadata
from tf_unseen_pose.inference.lite_file import METADATA, LiteFile
from tf_unseen_pose.training.run import Run


def described(content: bytes, variant: str, run: Run, licence: str, steepness: float) -> bytes:
    """The model with its description; arguments as of `export.description.description`.

    Raises:
        UserError: LiteRT cannot read the content.
    """
    file = LiteFile(content, threads=1, described=False)
    signatures = {name: (file.inputs(name), file.outputs(name)) for name in file.signatures}
    return with_metadata(content, METADATA, description(run, variant, licence, steepness, signatures).encode())
