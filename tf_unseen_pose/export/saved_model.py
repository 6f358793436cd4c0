"""A run as a SavedModel: numbered version folders, as TensorFlow Serving wants them.

DIR/1/
  saved_model.pb, variables/    the graph and its weights, float32
  config.json                   the configuration: with the next file the folder is a run as well
  generator.weights.h5          the same weights in half precision
  SHA256SUMS                    of all of these

Convention: pictures are uint8 [B, H, W, 3] of the canvas, joints float32 [B, J, 3] in its pixels; B is free.
"""

import contextlib
import io
import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model import PoseModel
from tf_unseen_pose.model.weights import load_weights, save_weights
from tf_unseen_pose.shipped import write_sums
from tf_unseen_pose.training.run import Run


def export_run(run: Run, folder: Path) -> Path:
    """Writes a run's averaged weights as the next version below a folder; returns the version's folder.

    The version appears whole or not at all. What it computes is what its weights file, in half precision, says: both
    are the same model.

    Signatures:
        synthesize: image, source_joints, target_joints -> image.
        encode_source: image, source_joints -> the parts of the source's state, by their names.
        render: those, target_joints -> image.

    Raises:
        UserError: the run has no weights; the folder is a file, or a run.
    """
    if folder.is_file() or (folder / "config.json").exists():
        raise UserError(f"{folder} is no folder of versions; choose a new folder for the export.")
    generator = run.load_generator()
    folder.mkdir(parents=True, exist_ok=True)
    version = folder / str(1 + max((int(entry.name) for entry in folder.iterdir() if entry.name.isdigit()), default=0))
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as temporary:
        made = Path(temporary) / version.name
        made.mkdir()
        exported = Run(made, run.config)
        save_weights(generator, exported.weights, half=True)
        load_weights(generator, exported.weights)
        _write_saved_model(generator, made)
        (made / "config.json").write_text(run.config.to_json())
        write_sums(made)
        made.rename(version)
    return version


def _write_saved_model(generator: PoseModel, path: Path) -> None:
    archive = keras.export.ExportArchive()
    archive.track(generator)
    # Keras lists the endpoints as it goes.
    with contextlib.redirect_stdout(io.StringIO()):
        for name, (function, inputs) in _signatures(generator).items():
            archive.add_endpoint(name, function, input_signature=inputs)
        archive.write_out(str(path))


def _signatures(generator: PoseModel) -> dict[str, tuple]:
    """By name: a function of tensors, and what they are."""
    size, joint_count = (generator.config.height, generator.config.width), generator.body.joint_count
    image = tf.TensorSpec([None, *size, 3], tf.uint8, "image")
    source, target = (tf.TensorSpec([None, joint_count, 3], name=f"{which}_joints") for which in ("source", "target"))
    state_type, parts = _state_of(generator)

    def encode(image, source_joints):
        return generator.encode_source(tf.cast(image, tf.float32) / 127.5 - 1, source_joints)

    def synthesize(image, source_joints, target_joints):
        return {"image": _picture(generator.render(encode(image, source_joints), target_joints))}

    def encode_source(image, source_joints):
        return encode(image, source_joints)._asdict()

    def render(*inputs):
        *state, target_joints = inputs
        return {"image": _picture(generator.render(state_type(*state), target_joints))}

    return {
        "synthesize": (synthesize, [image, source, target]),
        "encode_source": (encode_source, [image, source]),
        "render": (render, [*parts, target]),
    }


def _state_of(generator: PoseModel) -> tuple[type, list[tf.TensorSpec]]:
    """The named tuple that `encode_source` returns, and what its parts are for a batch of any size."""
    config, joint_count = generator.config, generator.body.joint_count
    state = generator.encode_source(tf.zeros([1, config.height, config.width, 3]), tf.ones([1, joint_count, 3]))
    parts = [tf.TensorSpec([None, *part.shape[1:]], part.dtype, name) for name, part in state._asdict().items()]
    return type(state), parts


def _picture(image: tf.Tensor) -> tf.Tensor:
    """[-1, 1] -> uint8, as `images.to_uint8` does."""
    return tf.cast(tf.clip_by_value(tf.round((image + 1) * 127.5), 0, 255), tf.uint8)
