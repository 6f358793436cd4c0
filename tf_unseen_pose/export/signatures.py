"""The signatures of a SavedModel, as functions of tensors.

    repose_photo             photos, poses in them -> the whole photos, JPEG or PNG
    serving_default          photos, poses in them -> PNG of the part that may change, and its place in the photo
    render_sequence          a photo, a sequence of poses -> PNG of each
    sequence_crop            a sequence, a photo's height and width -> the sequence's canvas
    render_sequence_in_crop  a part of a sequence in the canvas of the whole sequence
    synthesize               canvases, poses on them -> canvases
    encode_source, render    the two halves of `synthesize`, to encode once and render often
    explain                  as `synthesize` -> masks, warped layers, background, foreground, alpha, stillness

The first five answer at the photo's own resolution (`photo_signatures`), the others on the canvas.

Convention: canvases are uint8 [B, H, W, 3], joints float32 [B, J, 3] in pixels of the canvas or photo; photos are JPEG
or PNG files. B is free and the first axis of everything, so that servers may batch. Any model of a person takes 14 or
23 joints; missing ones are absent. Target joints may have a fourth column, their depth (see `pose.pose_files`).
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.export.checks import checked_pose, counts, with_depth
from tf_unseen_pose.export.photo_signatures import SOURCE, TARGET, PhotoSignatures
from tf_unseen_pose.geometry.pixels import from_bytes, to_bytes
from tf_unseen_pose.model import PoseModel

# Default limit of a photo's longer side.
MAX_SIDE = 2048
EXPLAINED = ("masks", "warped_layers", "background", "foreground", "alpha", "stillness")


class Signature(NamedTuple):
    """A function of tensors that returns tensors by name, and its input specification."""

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: list[tf.TensorSpec]


class Signatures:
    """The signatures of one generator; `all` has them by name.

    Args:
        max_side: longer side to which photos are shrunk.
    """

    def __init__(self, generator: PoseModel, config: Config, max_side: int = MAX_SIDE):
        model = config.model
        self._generator, self._size, self._skeleton = generator, (model.height, model.width), model.body
        count = self._skeleton.joint_count
        self._example = generator.encode_source(tf.zeros([1, *self._size, 3]), tf.ones([1, count, 3]))
        parts = self._example._asdict().items()
        self._state = [tf.TensorSpec([None, *part.shape[1:]], part.dtype, name) for name, part in parts]
        canvas = tf.TensorSpec([None, *self._size, 3])
        joints, deep = (tf.TensorSpec([None, count, columns]) for columns in (3, 4))
        # The halves as functions, so that each is traced and stored once for all signatures.
        self._encoded = tf.function(generator.encode_source, input_signature=[canvas, joints], autograph=False)
        self._pictures = tf.function(self._rendered_pictures, input_signature=[*self._state, deep], autograph=False)
        decided = tf.function(self._decisions, input_signature=[*self._state, deep], autograph=False)
        self._photos = PhotoSignatures(config, self._encoded, decided, generator.steepness, max_side)

    @property
    def all(self) -> dict[str, Signature]:
        """By name; see the module."""
        allowed = counts(self._skeleton)
        count = allowed[0] if len(allowed) == 1 else None
        image = tf.TensorSpec([None, *self._size, 3], tf.uint8, "image")
        photo = tf.TensorSpec([None], tf.string, "image_bytes")
        source = tf.TensorSpec([None, count, 3], name="source_joints")
        target = tf.TensorSpec([None, count, None], name="target_joints")
        # With or without the axis B: one photo and [T, J, 3], or B photos and [B, T, J, 3].
        names = {"image_bytes": tf.string, "source_joints": tf.float32, "target_joints": tf.float32}
        sequence = [tf.TensorSpec(None, kind, name) for name, kind in names.items()]
        crop = tf.TensorSpec(None, name="canvas_to_image")
        image_format = tf.TensorSpec([None], tf.string, "image_format")
        return {
            "repose_photo": Signature(self._photos.repose_photo, [photo, source, target, image_format]),
            "serving_default": Signature(self._photos.serving_default, [photo, source, target]),
            "synthesize": Signature(self._synthesize, [image, source, target]),
            "encode_source": Signature(self._encode_source, [image, source]),
            "render": Signature(self._render, [*self._state, target]),
            "render_sequence": Signature(self._photos.render_sequence, sequence),
            "sequence_crop": Signature(
                self._photos.sequence_crop,
                [
                    source,
                    tf.TensorSpec([None, None, count, None], name="target_joints"),
                    tf.TensorSpec([None, 2], tf.int32, "image_size"),
                ],
            ),
            "render_sequence_in_crop": Signature(self._photos.render_sequence_in_crop, [*sequence, crop]),
            "explain": Signature(self._explain, [image, source, target]),
        }

    def _synthesize(self, image, source_joints, target_joints):
        target_joints = self._target(target_joints)
        return {"image": self._pictures(*self._state_of(image, source_joints), target_joints)}

    def _encode_source(self, image, source_joints):
        return self._state_of(image, source_joints)._asdict()

    def _render(self, *state_and_joints):
        *state, target_joints = state_and_joints
        return {"image": self._pictures(*state, self._target(target_joints))}

    def _explain(self, image, source_joints, target_joints):
        joints = {
            "source_joints": self._checked(source_joints, SOURCE),
            "target_joints": self._target(target_joints),
        }
        stages = self._generator.explain({"image": from_bytes(image), **joints})
        shown = {name: stages[name] for name in EXPLAINED if name in stages}
        return {**shown, "image": to_bytes(stages["image"])}

    def _state_of(self, image, source_joints):
        return self._encoded(from_bytes(image), self._checked(source_joints, SOURCE))

    def _target(self, joints):
        return self._checked(with_depth(joints, TARGET), TARGET)

    def _checked(self, joints, name):
        return checked_pose(joints, self._skeleton, name)

    def _rendered_pictures(self, *state_and_joints):
        *state, joints = state_and_joints
        return to_bytes(self._generator.render(type(self._example)(*state), joints))

    def _decisions(self, *state_and_joints):
        *state, joints = state_and_joints
        return tf.concat(self._generator.decide(type(self._example)(*state), joints), axis=-1)
