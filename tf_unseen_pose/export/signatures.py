"""What a SavedModel of this project answers: its signatures, as functions of tensors.

    serving_default          photos, poses in them -> PNG of the canvas, and where the canvas lies in the photo
    render_sequence          a photo, a sequence of poses -> PNG of each
    sequence_crop            the crop of such a sequence alone
    render_sequence_in_crop  a part of a sequence in the crop of the whole
    synthesize               canvases, poses on them -> canvases
    encode_source, render    the two halves of `synthesize`, to encode once and render often
    explain                  as `synthesize` -> masks, warped layers, background, foreground, alpha

Convention: canvases are uint8 [B, H, W, 3], joints float32 [B, J, 3] in pixels of the canvas, or of the photo where
there is one; photos are JPEG or PNG files. B is free, and the first axis of everything, so that servers may batch.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.export import photos
from tf_unseen_pose.export.checks import require, require_inside, require_pose
from tf_unseen_pose.export.photo_crop import PhotoCrop
from tf_unseen_pose.geometry.pixels import from_bytes, to_bytes
from tf_unseen_pose.inference.photo_reposer import TARGET_MARGIN
from tf_unseen_pose.model import PoseModel

# Frames of a sequence that are rendered together, and how many a request may ask for.
_AT_ONCE, _MOST_FRAMES = 4, 256
EXPLAINED = ("masks", "warped_layers", "background", "foreground", "alpha")
_SOURCE, _TARGET, _SEQUENCE = "The source pose", "The target pose", "The sequence of target poses"
# Which poses `sequence_crop` takes, and the axis that one of them has beside the joints'.
_POSES: tuple[tuple[str, list[None]], ...] = (("source", []), ("target", [None]))


class Signature(NamedTuple):
    """A function of tensors that returns them by name, and what it is to be called with."""

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: list[tf.TensorSpec]


class Signatures:
    """The signatures of one generator; `all` has them by name."""

    def __init__(self, generator: PoseModel, config: Config):
        model = config.model
        self._generator, self._size, self._joint_count = generator, (model.height, model.width), model.body.joint_count
        self._crop = PhotoCrop(model.body, *self._size, config.data.crop_factor)
        self._example = generator.encode_source(tf.zeros([1, *self._size, 3]), tf.ones([1, self._joint_count, 3]))
        parts = self._example._asdict().items()
        self._state = [tf.TensorSpec([None, *part.shape[1:]], part.dtype, name) for name, part in parts]
        canvas = tf.TensorSpec([None, *self._size, 3])
        joints = tf.TensorSpec([None, self._joint_count, 3])
        # The halves as functions: each is traced and stored once, for all signatures.
        self._encoded = tf.function(generator.encode_source, input_signature=[canvas, joints], autograph=False)
        self._pictures = tf.function(self._rendered_pictures, input_signature=[*self._state, joints], autograph=False)

    @property
    def all(self) -> dict[str, Signature]:
        """By name; see the module."""
        joint_shape = [None, self._joint_count, 3]
        image = tf.TensorSpec([None, *self._size, 3], tf.uint8, "image")
        photo = tf.TensorSpec([None], tf.string, "image_bytes")
        source, target = (tf.TensorSpec(joint_shape, name=f"{which}_joints") for which in ("source", "target"))
        # With or without the axis B: one photo and [T, J, 3], or B photos and [B, T, J, 3].
        names = {"image_bytes": tf.string, "source_joints": tf.float32, "target_joints": tf.float32}
        sequence = [tf.TensorSpec(None, kind, name) for name, kind in names.items()]
        crop = tf.TensorSpec(None, name="canvas_to_image")
        return {
            "serving_default": Signature(self._serving_default, [photo, source, target]),
            "synthesize": Signature(self._synthesize, [image, source, target]),
            "encode_source": Signature(self._encode_source, [image, source]),
            "render": Signature(self._render, [*self._state, target]),
            "render_sequence": Signature(self._render_sequence, sequence),
            "sequence_crop": Signature(
                self._sequence_crop,
                [tf.TensorSpec([None, *rows, self._joint_count, 3], name=f"{which}_joints") for which, rows in _POSES],
            ),
            "render_sequence_in_crop": Signature(self._render_sequence_in_crop, [*sequence, crop]),
            "explain": Signature(self._explain, [image, source, target]),
        }

    def _serving_default(self, image_bytes, source_joints, target_joints):
        def cut(request):
            contents, source, target = request
            photo, source = self._checked(contents, source)
            require_pose(target, _TARGET)
            require_inside(target, photo, _TARGET, TARGET_MARGIN)
            crop = self._crop.common(tf.stack([source, target]))
            source, target = (photos.on_canvas(joints, crop) for joints in (source, target))
            return photos.cut_out(photo, crop, *self._size), source, target, crop

        joints = tf.TensorSpec([self._joint_count, 3])
        kinds = tf.TensorSpec([*self._size, 3]), joints, joints, tf.TensorSpec([2, 3])
        canvas, source, target, crop = tf.map_fn(
            cut, (image_bytes, source_joints, target_joints), fn_output_signature=kinds
        )
        pictures = self._pictures(*self._encoded(canvas, source), target)
        return {"image_bytes": photos.encoded(pictures), "canvas_to_image": crop}

    def _synthesize(self, image, source_joints, target_joints):
        require_pose(target_joints, _TARGET)
        return {"image": self._pictures(*self._state_of(image, source_joints), target_joints)}

    def _encode_source(self, image, source_joints):
        return self._state_of(image, source_joints)._asdict()

    def _render(self, *inputs):
        require_pose(inputs[-1], _TARGET)
        return {"image": self._pictures(*inputs)}

    def _explain(self, image, source_joints, target_joints):
        require_pose(source_joints, _SOURCE)
        require_pose(target_joints, _TARGET)
        joints = {"source_joints": source_joints, "target_joints": target_joints}
        stages = self._generator.explain({"image": from_bytes(image), **joints})
        shown = {name: stages[name] for name in EXPLAINED if name in stages}
        return {**shown, "image": to_bytes(stages["image"])}

    def _render_sequence(self, image_bytes, source_joints, target_joints):
        return self._sequences(image_bytes, source_joints, target_joints)

    def _render_sequence_in_crop(self, image_bytes, source_joints, target_joints, canvas_to_image):
        return self._sequences(image_bytes, source_joints, target_joints, tf.reshape(canvas_to_image, [-1, 2, 3]))

    def _sequence_crop(self, source_joints, target_joints):
        def crop(poses):
            source, targets = poses
            require_pose(source, _SOURCE)
            require_pose(targets, _SEQUENCE)
            return self._crop.sequence(source, targets)

        crops = tf.map_fn(crop, (source_joints, target_joints), fn_output_signature=tf.TensorSpec([2, 3]))
        return {"canvas_to_image": crops}

    def _sequences(self, image_bytes, source_joints, target_joints, crops=None):
        shape = tf.shape(target_joints)
        given = self._with_batch_axis(shape, image_bytes, source_joints, target_joints)
        given += () if crops is None else (crops,)
        same = tf.reduce_all(tf.stack([tf.shape(part)[0] for part in given]) == tf.shape(given[0])[0])
        with require(same, "There are not as many photos as source poses, sequences and crops; send as many."):
            given = tuple(map(tf.identity, given))
        kinds = tf.TensorSpec([None], tf.string), tf.TensorSpec([2, 3])
        files, crops = tf.map_fn(lambda request: self._sequence(*request), given, fn_output_signature=kinds)
        return {
            "image_bytes": tf.reshape(files, shape[:-2]),
            "canvas_to_image": tf.reshape(crops, tf.concat([shape[:-3], [2, 3]], axis=0)),
        }

    def _with_batch_axis(self, shape, image_bytes, source_joints, target_joints):
        """Photos [B], source poses [B, J, 3] and sequences [B, T, J, 3], whether they came with B or without."""
        count = self._joint_count
        like = f"send target_joints as [T, {count}, 3], or [B, T, {count}, 3] for B photos."
        with require((tf.size(shape) == 3) | (tf.size(shape) == 4), f"The target poses have too few axes; {like}"):
            frames = shape[-3]
        right = tf.reduce_all(shape[-2:] == [count, 3]) & (frames > 0) & (frames <= _MOST_FRAMES)
        with require(right, f"The target poses have the wrong shape, or T is not in 1..{_MOST_FRAMES}; {like}"):
            targets = tf.reshape(target_joints, tf.stack([-1, frames, count, 3]))
        return tf.reshape(image_bytes, [-1]), tf.reshape(source_joints, [-1, count, 3]), targets

    def _sequence(self, contents, source, targets, crop=None):
        """One photo in T poses: PNG files, string [T], and the crop."""
        photo, source = self._checked(contents, source)
        require_pose(targets, _SEQUENCE)
        if crop is None:
            crop = self._crop.sequence(source, targets)
        valid = tf.reduce_all(tf.math.is_finite(crop)) & (crop[0, 0] > 0) & (crop[0, 0] == crop[1, 1])
        require(
            valid, "canvas_to_image is not [[s, 0, x], [0, s, y]] with a positive s; send what render_sequence gave."
        )
        canvas = photos.cut_out(photo, crop, *self._size)[None]
        state = self._encoded(canvas, photos.on_canvas(source, crop)[None])
        return self._rendered(state, photos.on_canvas(held(targets), crop)), crop

    def _rendered(self, state, joints):
        """An encoded source in T poses on the canvas, a few at a time: PNG files, string [T]."""
        count = tf.shape(joints)[0]
        size = tf.minimum(count, _AT_ONCE)
        filled = tf.concat([joints, tf.repeat(joints[-1:], size - 1, axis=0)], axis=0)
        repeated = self._repeated(state, size)

        def some(start):
            poses = tf.ensure_shape(filled[start : start + size], [None, self._joint_count, 3])
            return photos.encoded(self._pictures(*repeated, poses))

        starts = tf.range(0, count, size)
        # One after the other: each is spread over all cores anyway.
        files = tf.map_fn(some, starts, parallel_iterations=1, fn_output_signature=tf.TensorSpec([None], tf.string))
        return tf.reshape(files, [-1])[:count]

    def _repeated(self, state, count):
        return [tf.ensure_shape(tf.repeat(part, count, axis=0), [None, *part.shape[1:]]) for part in state]

    def _checked(self, contents, source):
        """The photo, uint8 [H, W, 3], and its pose."""
        photo = photos.decoded(contents)
        require_pose(source, _SOURCE)
        require_inside(source, photo, _SOURCE)
        return photo, source

    def _state_of(self, image, source_joints):
        require_pose(source_joints, _SOURCE)
        return self._encoded(from_bytes(image), source_joints)

    def _rendered_pictures(self, *state_and_joints):
        *state, joints = state_and_joints
        return to_bytes(self._generator.render(type(self._example)(*state), joints))


def held(poses: tf.Tensor) -> tf.Tensor:
    """[T, J, 3]: where a frame shows no joint, the pose before it; at the beginning the first that shows one.

    `pose.driving.driving_poses` does so in NumPy.
    """
    shown = tf.reduce_any(poses[..., 2] > 0, axis=1)
    frames = tf.range(tf.shape(poses)[0])
    first = tf.argmax(tf.cast(shown, tf.int32), output_type=tf.int32)
    earlier = tf.where(shown & (frames <= frames[:, None]), frames, first)
    return tf.gather(poses, tf.reduce_max(earlier, axis=1))
