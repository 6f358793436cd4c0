"""Photos on disk and in memory: load, save, paste a canvas back.

Convention: images are uint8 [H, W, 3] RGB; points are (x, y) in pixels, (0, 0) the centre of the top-left pixel.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing


def load_image(path: Path) -> np.ndarray:
    """A photo as uint8 [H, W, 3] RGB, turned upright by its EXIF orientation.

    Raises:
        UserError: no such file, not an image, truncated, or too large to be decoded safely.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}; name an existing photo.") from error
    except (UnidentifiedImageError, IsADirectoryError) as error:
        raise UserError(f"{path} is not an image; name a JPEG or PNG file.") from error
    except Image.DecompressionBombError as error:
        raise UserError(f"{path} has too many pixels to be decoded safely; make it smaller.") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"The image {path} is damaged ({error}); save it anew.") from error


def save_image(path: Path, image: np.ndarray) -> None:
    """Writes uint8 [H, W, 3] in the format that the name's ending asks for, under a temporary name first.

    Raises:
        UserError: unknown ending, missing folder, no permission, disk full.
    """
    try:
        with replacing(path) as temporary:
            Image.fromarray(image).save(temporary)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"Cannot write the image {path}: {reason}; choose another place or a .png name.") from error


def shrink(image: np.ndarray, max_side: int) -> np.ndarray:
    """uint8 [H, W, 3] with its longer side at most `max_side` pixels; the corner of the picture stays where it is."""
    height, width = image.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def paste(photo: np.ndarray, canvas: np.ndarray, canvas_to_image: np.ndarray, feather: float = 12.0) -> np.ndarray:
    """Puts a canvas back where it was cut out of a photo, fading into it along the edge.

    Args:
        photo: uint8 [H, W, 3].
        canvas: uint8 [h, w, 3].
        canvas_to_image: [2, 3], uniform scale and translation from canvas pixels to photo pixels.
        feather: width of the fade, in canvas pixels. There is none where the canvas's edge lies outside the photo.

    Returns:
        uint8 [H, W, 3].
    """
    step, shift = canvas_to_image[0, 0], canvas_to_image[:, 2]
    height, width = canvas.shape[:2]
    columns, x = _covered(photo.shape[1], width, step, shift[0])
    rows, y = _covered(photo.shape[0], height, step, shift[1])
    if not len(x) or not len(y):
        return photo.copy()
    # Pillow measures from a pixel's corner; a photo's pixel is 1 / step canvas pixels wide.
    corners = np.array([x[0], y[0], x[-1], y[-1]]) + 0.5 + np.array([-1, -1, 1, 1]) * 0.5 / step
    box = tuple(np.clip(corners, 0, (width, height, width, height)))
    patch = Image.fromarray(canvas).resize((len(x), len(y)), Image.Resampling.BICUBIC, box=box)
    weight = np.minimum(
        _fade(y, height, feather, rows, photo.shape[0])[:, None], _fade(x, width, feather, columns, photo.shape[1])
    )
    result = photo.copy()
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    mixed = weight[..., None] * np.asarray(patch, np.float32) + (1 - weight[..., None]) * photo[window]
    result[window] = np.round(mixed).astype(np.uint8)
    return result


def _covered(image_size, canvas_size, step, shift):
    """Along one axis: the photo's pixels that the canvas covers, and where on the canvas they lie."""
    pixels = np.arange(image_size)
    position = (pixels - shift) / step
    inside = (position >= 0) & (position <= canvas_size - 1)
    return pixels[inside], position[inside]


def _fade(position, size, feather, pixels, image_size):
    """Weight 0..1 of the canvas along one axis."""
    low = np.full_like(position, np.inf) if pixels[0] == 0 else position
    high = np.full_like(position, np.inf) if pixels[-1] == image_size - 1 else size - 1 - position
    return np.clip(np.minimum(low, high) / feather, 0, 1)


def to_uint8(image) -> np.ndarray:
    """[..., 3] in [-1, 1] -> uint8, rounded and clipped."""
    return np.clip(np.round((np.asarray(image) + 1) * 127.5), 0, 255).astype(np.uint8)
