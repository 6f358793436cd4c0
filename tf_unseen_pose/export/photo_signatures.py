"""The signatures for photos of any size, which answer at the photo's resolution.

Three steps: cut out each photo's canvas; run the networks on all canvases of a request; apply the decisions photo by
photo. Photos with a longer side above a limit are shrunk first, which bounds the cost of a request.

Convention: as `signatures`.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.export import photo_compositing, photos
from tf_unseen_pose.export.checks import checked_pose, inside_photo, require, target_inside, with_depth
from tf_unseen_pose.export.photo_crop import PhotoCrop

# Frames of a sequence per batch, and most frames of a request.
_AT_ONCE, _MOST_FRAMES = 4, 256
SOURCE, TARGET, SEQUENCE = "The source pose", "The target pose", "The sequence of target poses"
_FILE, _CROP = tf.TensorSpec([], tf.string), tf.TensorSpec([2, 3])


class PhotoSignatures:
    """The functions behind the signatures for photos.

    Args:
        config: of the run.
        encoded: canvases [B, H, W, 3] in [-1, 1], joints [B, J, 3] -> the state, a named tuple of tensors.
        decided: a state's parts, joints [B, J, 4] -> decisions, float32 [B, h, w, 9].
        steepness: the generator's.
        max_side: of a photo; see the module.
    """

    def __init__(self, config: Config, encoded: Callable, decided: Callable, steepness: float, max_side: int):
        model = config.model
        self._size, self._skeleton = (model.height, model.width), model.body
        self._crop = PhotoCrop(model.body, *self._size, config.data.crop_factor)
        self._encoded, self._decided = encoded, decided
        # As functions, so that each is traced and stored once for all signatures.
        self._read = tf.function(lambda contents: photos.read(contents, max_side), autograph=False)
        self._sitting = tf.function(
            lambda photo, crop, matte, hole: photo_compositing.sitting(photo, crop, self._size, matte, hole),
            autograph=False,
        )
        self._composed = tf.function(
            lambda sitting, decisions: photo_compositing.composed(sitting, decisions, steepness), autograph=False
        )

    def serving_default(
        self, image_bytes: tf.Tensor, source_joints: tf.Tensor, target_joints: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """PNG files of the crops, and their places in the photos."""

        def finished(sitting, part, scale, _):
            return photos.png(part), _answer_to_image(sitting, scale)

        files, crops = self._reposed(image_bytes, source_joints, target_joints, None, finished, (_FILE, _CROP))
        return {"image_bytes": files, "canvas_to_image": crops}

    def repose_photo(
        self, image_bytes: tf.Tensor, source_joints: tf.Tensor, target_joints: tf.Tensor, image_format: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Whole photos as JPEG or PNG files."""
        photos.require_formats(image_format)

        def finished(sitting, part, _, kind):
            return photos.encoded(photo_compositing.pasted(sitting, part), kind)

        return {"image_bytes": self._reposed(image_bytes, source_joints, target_joints, image_format, finished, _FILE)}

    def _reposed(self, image_bytes, source_joints, target_joints, asked, finished, kinds):
        """Applies `finished` to each photo's sitting, its new part, its scale and the requested formats."""
        joints, deep = (tf.TensorSpec([self._skeleton.joint_count, columns]) for columns in (3, 4))
        cut = tf.TensorSpec([*self._size, 3]), joints, deep, _CROP, _FILE, tf.TensorSpec([])
        canvas, source, target, *place = tf.map_fn(
            lambda request: self._cut(*request),
            (image_bytes, source_joints, with_depth(target_joints, TARGET)),
            fn_output_signature=cut,
            # One photo is decoded at a time, to bound the memory.
            parallel_iterations=1,
        )
        state = self._encoded(canvas, source)
        decisions = self._decided(*state, target)

        def finish(request):
            crop, pixels, scale, matte, hole, decided, kind = request
            sitting = self._sitting(_photo(pixels), crop, matte, hole)
            return finished(sitting, self._composed(sitting, decided), scale, kind)

        asked = tf.zeros_like(place[2]) if asked is None else asked
        return tf.map_fn(
            finish,
            (*place, state.matte, state.hole, decisions, asked),
            fn_output_signature=kinds,
            parallel_iterations=1,
        )

    def _cut(self, contents, source, target):
        """Canvas and joints of one request; its crop, its photo's pixels as a string, and the photo's scale."""
        photo, scale, source = self._photo(contents, source)
        target = photos.scaled(checked_pose(target, self._skeleton, TARGET), scale)
        target = target_inside(target, photo, TARGET)
        crop = self._crop.on_whole_pixels(self._crop.whole(source, target[None], tf.shape(photo)[:2]))
        source, target = (photos.on_canvas(joints, crop) for joints in (source, target))
        # A string, because photos differ in size.
        return self._canvas(photo, crop), source, target, crop, tf.io.serialize_tensor(photo), scale

    def _photo(self, contents, source):
        """uint8 [H, W, 3] within the limit, its scale, and its person's pose [J, 3]."""
        photo, scale = self._read(contents)
        source = photos.scaled(checked_pose(source, self._skeleton, SOURCE), scale)
        return photo, scale, inside_photo(source, photo)

    def _canvas(self, photo, crop):
        """float32 [H, W, 3] in [-1, 1]."""
        columns, rows = photo_compositing.place(photo, crop, *self._size)
        corner = tf.cast(tf.stack([columns.first, rows.first]), tf.float32)
        inside = tf.concat([crop[:, :2], crop[:, 2:] - corner[:, None]], axis=1)
        return photos.cut_out(photo_compositing.covered(photo, columns, rows), inside, *self._size)

    def sequence_crop(
        self, source_joints: tf.Tensor, target_joints: tf.Tensor, image_size: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The canvas of each sequence in a photo of a given size, for `render_sequence_in_crop`."""

        def crop(request):
            source, targets, size = request
            source = checked_pose(source, self._skeleton, SOURCE)
            return self._crop.whole(source, checked_pose(targets, self._skeleton, SEQUENCE), size)

        crops = tf.map_fn(
            crop, (source_joints, with_depth(target_joints, SEQUENCE), image_size), fn_output_signature=_CROP
        )
        return {"canvas_to_image": crops}

    def render_sequence(
        self, image_bytes: tf.Tensor, source_joints: tf.Tensor, target_joints: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """PNG files of every frame's crop, and their place in the photo."""
        return self._sequences(image_bytes, source_joints, target_joints)

    def render_sequence_in_crop(
        self, image_bytes: tf.Tensor, source_joints: tf.Tensor, target_joints: tf.Tensor, canvas_to_image: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """As `render_sequence` for a part of a sequence."""
        return self._sequences(image_bytes, source_joints, target_joints, tf.reshape(canvas_to_image, [-1, 2, 3]))

    def _sequences(self, image_bytes, source_joints, target_joints, crops=None):
        shape = tf.shape(target_joints)
        given = self._with_batch_axis(shape, image_bytes, source_joints, target_joints)
        given += () if crops is None else (crops,)
        same = tf.reduce_all(tf.stack([tf.shape(part)[0] for part in given]) == tf.shape(given[0])[0])
        with require(same, "There are not as many photos as source poses, sequences and crops; send as many."):
            given = tuple(map(tf.identity, given))
        kinds = tf.TensorSpec([None], tf.string), _CROP
        files, crops = tf.map_fn(
            lambda request: self._sequence(*request), given, fn_output_signature=kinds, parallel_iterations=1
        )
        return {
            "image_bytes": tf.reshape(files, shape[:-2]),
            "canvas_to_image": tf.reshape(crops, tf.concat([shape[:-3], [2, 3]], axis=0)),
        }

    def _with_batch_axis(self, shape, image_bytes, source_joints, target_joints):
        """Photos [B], source poses [B, J, 3] and sequences [B, T, J, 4], adding the axis B if missing."""
        like = "send target_joints as [T, J, 3 or 4], or [B, T, J, 3 or 4] for B photos."
        with require((tf.size(shape) == 3) | (tf.size(shape) == 4), f"The target poses have too few axes; {like}"):
            frames = shape[-3]
        right = ((shape[-1] == 3) | (shape[-1] == 4)) & (frames > 0) & (frames <= _MOST_FRAMES)
        with require(right, f"The target poses have the wrong shape, or T is not in 1..{_MOST_FRAMES}; {like}"):
            targets = tf.reshape(target_joints, tf.stack([-1, frames, shape[-2], shape[-1]]))
        targets = with_depth(targets, SEQUENCE)
        shape, like = tf.shape(source_joints), "The source poses have the wrong shape; send [J, 3], or [B, J, 3]."
        with require(tf.size(shape) >= 2, like):
            count, columns = shape[-2], shape[-1]
        with require(columns == 3, like):
            sources = tf.reshape(source_joints, tf.stack([-1, count, 3]))
        return tf.reshape(image_bytes, [-1]), sources, targets

    def _sequence(self, contents, source, targets, crop=None):
        """One photo in T poses: PNG files, string [T], and their place in it."""
        photo, scale, source = self._photo(contents, source)
        targets = photos.scaled(checked_pose(targets, self._skeleton, SEQUENCE), scale)
        crop = (
            self._crop.whole(source, targets, tf.shape(photo)[:2]) if crop is None else photos.scaled_crop(crop, scale)
        )
        valid = tf.reduce_all(tf.math.is_finite(crop)) & (crop[0, 0] > 0) & (crop[0, 0] == crop[1, 1])
        with require(
            valid, "canvas_to_image is not [[s, 0, x], [0, s, y]] with a positive s; send what sequence_crop gave."
        ):
            crop = self._crop.on_whole_pixels(crop)
        state = self._encoded(self._canvas(photo, crop)[None], photos.on_canvas(source, crop)[None])
        sitting = self._sitting(photo, crop, state.matte[0], state.hole[0])
        return self._frames(state, sitting, photos.on_canvas(held(targets), crop)), _answer_to_image(sitting, scale)

    def _frames(self, state, sitting, joints):
        """An encoded source in T poses on the canvas, a few at a time: PNG files, string [T]."""
        count = tf.shape(joints)[0]
        size = tf.minimum(count, _AT_ONCE)
        filled = tf.concat([joints, tf.repeat(joints[-1:], size - 1, axis=0)], axis=0)
        repeated = [tf.ensure_shape(tf.repeat(part, size, axis=0), [None, *part.shape[1:]]) for part in state]

        def frame(decisions):
            return photos.png(self._composed(sitting, decisions))

        def some(start):
            poses = tf.ensure_shape(filled[start : start + size], [None, self._skeleton.joint_count, 4])
            return tf.map_fn(frame, self._decided(*repeated, poses), fn_output_signature=_FILE)

        starts = tf.range(0, count, size)
        # One after the other, since each uses all cores.
        files = tf.map_fn(some, starts, parallel_iterations=1, fn_output_signature=tf.TensorSpec([None], tf.string))
        return tf.reshape(files, [-1])[:count]


def held(poses: tf.Tensor) -> tf.Tensor:
    """[T, J, C]: frames without a visible joint take the pose before, at the beginning the first with one.

    `pose.driving.driving_poses` is the twin in NumPy.
    """
    shown = tf.reduce_any(poses[..., 2] > 0, axis=1)
    frames = tf.range(tf.shape(poses)[0])
    first = tf.argmax(tf.cast(shown, tf.int32), output_type=tf.int32)
    earlier = tf.where(shown & (frames <= frames[:, None]), frames, first)
    return tf.gather(poses, tf.reduce_max(earlier, axis=1))


def _photo(pixels: tf.Tensor) -> tf.Tensor:
    return tf.ensure_shape(tf.io.parse_tensor(pixels, tf.uint8), [None, None, 3])


def _answer_to_image(sitting: Any, scale: tf.Tensor) -> tf.Tensor:
    """float32 [2, 3]: from pixels of the answer to pixels of the sent photo."""
    corner = tf.cast(tf.stack([sitting.columns.first, sitting.rows.first]), tf.float32)
    whole = tf.concat([tf.eye(2), corner[:, None]], axis=1)
    return photos.scaled_crop(whole, 1 / scale)
