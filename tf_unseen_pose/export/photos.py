"""Decoding photos, cutting the canvas, and encoding pictures in the graph.

These are `Reposer`'s steps around the network in TensorFlow operations, so that clients send only a photo and joints.

Convention: one photo at a time, without batch axis. Joints are float32 [..., J, 3] in pixels of the photo.
"""

import tensorflow as tf

from tf_unseen_pose.export.checks import require
from tf_unseen_pose.export.color_profile import conversion, in_srgb
from tf_unseen_pose.export.photo_metadata import in_jpeg, in_png, number, orientation, upright
from tf_unseen_pose.geometry.pixels import from_bytes
from tf_unseen_pose.geometry.resampling import resample
from tf_unseen_pose.imaging.provenance import PNG_HEADER, XMP, png_chunks

# Larger pictures are rejected before decoding: a PNG of a few kilobytes may decode to gigabytes.
MOST_PIXELS = 50_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read(contents: tf.Tensor, max_side: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes a JPEG or PNG file, a string, as `imaging.photos` does: upright, in sRGB, on white.

    Returns:
        uint8 [H, W, 3] with the longer side limited, and the scale applied for that, float32.
    """
    is_jpeg = tf.equal(tf.strings.substr(contents, 0, 3), b"\xff\xd8\xff")
    is_png = tf.equal(tf.strings.substr(contents, 0, 8), _SIGNATURE)
    with require(is_jpeg | is_png, "image_bytes is no JPEG and no PNG file; send one of these."):
        about = tf.cond(tf.identity(is_jpeg), lambda: in_jpeg(contents), lambda: in_png(contents))
    colours = conversion(about.profile)
    photo = tf.cond(is_jpeg, lambda: _from_jpeg(contents), lambda: _from_png(contents, about.transparent, colours))
    photo, scale = within(photo, max_side)
    # Without transparency the smaller photo is converted, which is cheaper.
    colours = colours._replace(needed=colours.needed & ~about.transparent)
    return in_srgb(upright(photo, orientation(about.exif)), colours), scale


def _from_jpeg(contents):
    """Decodes JPEG with the accurate DCT, as Pillow does."""
    with _require_size(tf.io.extract_jpeg_shape(contents)):
        return tf.io.decode_jpeg(tf.identity(contents), channels=3, dct_method="INTEGER_ACCURATE")


def _from_png(contents, transparent, colours):
    # The first chunk is IHDR: length, name, width, height.
    with _require_size(tf.stack([number(contents, 16, 4), number(contents, 20, 4)])):
        contents = tf.identity(contents)
    return tf.cond(
        transparent,
        lambda: _on_white(tf.io.decode_png(contents, channels=4), colours),
        lambda: tf.io.decode_png(contents, channels=3),
    )


def _on_white(photo, colours):
    """uint8 [H, W, 4] -> [H, W, 3] in sRGB, row by row to save memory."""

    def row(pixels):
        levels, opacity = tf.cast(in_srgb(pixels[:, :3], colours), tf.int32), tf.cast(pixels[:, 3:], tf.int32)
        return tf.cast((levels * opacity + 255 * (255 - opacity) + 127) // 255, tf.uint8)

    return tf.map_fn(row, photo, fn_output_signature=tf.TensorSpec([None, 3], tf.uint8), parallel_iterations=1)


def within(photo: tf.Tensor, max_side: int) -> tuple[tf.Tensor, tf.Tensor]:
    """A photo, uint8 [H, W, 3], with the longer side limited, and the scale applied for that, float32."""
    size = tf.cast(tf.shape(photo)[:2], tf.float32)
    scale = tf.minimum(max_side / tf.reduce_max(size), 1)

    def smaller():
        found = tf.image.resize(photo, tf.cast(tf.maximum(tf.round(scale * size), 1), tf.int32), antialias=True)
        return tf.cast(tf.round(tf.clip_by_value(found, 0, 255)), tf.uint8)

    return tf.ensure_shape(tf.cond(scale < 1, smaller, lambda: photo), [None, None, 3]), scale


def scaled(joints: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Joints [..., J, 3 or 4] of a photo in pixels of one `scale` times as large, with corners aligned."""
    return tf.concat([(joints[..., :2] + 0.5) * scale - 0.5, joints[..., 2:3], joints[..., 3:] * scale], axis=-1)


def scaled_crop(canvas_to_image: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """A transform [2, 3] into a photo, for the photo `scale` times as large."""
    return tf.concat([scale * canvas_to_image[:, :2], (canvas_to_image[:, 2:] + 0.5) * scale - 0.5], axis=1)


def require_formats(names: tf.Tensor) -> None:
    """Rejects names of image formats, a string tensor, other than "jpeg" and "png"."""
    known = tf.reduce_all((names == "jpeg") | (names == "png"))
    require(known, 'image_format is neither "jpeg" nor "png"; send one of these for every photo.')


def encoded(picture: tf.Tensor, kind: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3], re-posed -> a file "jpeg" or "png", marked as synthetic (`imaging.provenance`)."""
    return tf.cond(kind == "jpeg", lambda: jpeg(picture), lambda: png(picture))


def jpeg(picture: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3], re-posed -> a JPEG file of quality 95 with colours at full resolution."""
    return tf.io.encode_jpeg(picture, quality=95, chroma_downsampling=False, xmp_metadata=XMP)


def png(picture: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3], re-posed -> a PNG file."""
    # Fast, and hardly larger than ten times slower compression.
    file = tf.io.encode_png(picture, compression=1)
    # A negative length means the rest.
    header, rest = tf.strings.substr(file, 0, PNG_HEADER), tf.strings.substr(file, PNG_HEADER, -1)
    return tf.strings.join([header, tf.constant(png_chunks()), rest])


def cut_out(photo: tf.Tensor, canvas_to_image: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """uint8 [H, W, 3], float32 [2, 3] -> the canvas, float32 [height, width, 3] in [-1, 1]."""
    return from_bytes(resample(tf.cast(photo, tf.float32), canvas_to_image, height, width))


def on_canvas(joints: tf.Tensor, canvas_to_image: tf.Tensor) -> tf.Tensor:
    """Joints [..., J, 3 or 4] of the photo in pixels of an axis-aligned canvas.

    `imaging.affine.transform_joints` is the twin in NumPy, by the inverse of `canvas_to_image`.
    """
    crop = tf.cast(canvas_to_image, tf.float64)
    points = (tf.cast(joints[..., :2], tf.float64) - crop[:, 2]) / crop[0, 0]
    depth = joints[..., 3:] / canvas_to_image[0, 0]
    return tf.concat([tf.cast(points, tf.float32), joints[..., 2:3], depth], axis=-1)


def _require_size(size):
    pixels = tf.reduce_prod(tf.cast(size[:2], tf.int64))
    return require(pixels <= MOST_PIXELS, f"The photo has more than {MOST_PIXELS} pixels; send a smaller one.")
