"""Pictures on disk and in memory: save, shrink, scale; `photos` loads them.

Convention: images are uint8 [H, W, 3] RGB; points are (x, y) in pixels, (0, 0) the centre of the top-left pixel.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing
from tf_unseen_pose.imaging.provenance import saving_options

# Nearly lossless; Pillow's default is quality 75 with colours at half the resolution.
_QUALITY: dict[str, dict[str, Any]] = {
    **dict.fromkeys((".jpg", ".jpeg"), {"quality": 95, "subsampling": "4:4:4"}),
    ".webp": {"quality": 95},
}  # fmt: skip


def save_image(path: Path, image: np.ndarray, synthetic: bool = False, exif: Image.Exif | None = None) -> None:
    """Writes uint8 [H, W, 3] atomically in the format of the path's suffix.

    Args:
        synthetic: mark the file as synthetic (see `provenance`).
        exif: of the photo behind a synthetic picture; see `photos.lasting_exif`.

    Raises:
        UserError: an unknown suffix, or a format without the mark; missing folder, no permission, disk full.

    Example:
        >>> from pathlib import Path
        >>> from tf_unseen_pose import bundled, load_image, save_image
        >>> photo, _, _ = bundled()
        >>> save_image(Path("photo.png"), photo)
        >>> bool((load_image(Path("photo.png")) == photo).all())
        True
    """
    try:
        with replacing(path) as temporary:
            mark = saving_options(path.suffix, exif) if synthetic else {}
            Image.fromarray(image).save(temporary, **_QUALITY.get(path.suffix.lower(), {}), **mark)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"Cannot write the image {path}: {reason}; choose another place or a .png name.") from error


def shrink(image: np.ndarray, max_side: int) -> np.ndarray:
    """uint8 [H, W, 3] with its longer side at most `max_side` pixels and corners aligned."""
    height, width = image.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def from_uint8(pixels: ArrayLike) -> np.ndarray:
    """[..., 3] in 0..255 of any type -> float32 [..., 3] in [-1, 1]; `geometry.pixels.from_bytes` in graphs."""
    return np.asarray(pixels, np.float32) * np.float32(1 / 127.5) - 1


def to_uint8(image: ArrayLike) -> np.ndarray:
    """[..., 3] in [-1, 1] -> uint8 [..., 3], rounded and clipped; `geometry.pixels.to_bytes` in graphs."""
    return np.clip(np.round((np.asarray(image) + 1) * 127.5), 0, 255).astype(np.uint8)
