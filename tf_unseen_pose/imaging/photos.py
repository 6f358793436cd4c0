"""Loads photos from files, Pillow images and arrays.

Every photo becomes upright (by its EXIF orientation), sRGB (by its embedded profile, or the colour numbers of HEIC and
AVIF), 8-bit, and white where it is transparent. The content decides the format, not the name. Of animations only the
first picture is read.

Convention: photos are uint8 [H, W, 3] RGB.
"""

import io
import logging
import struct
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageCms, ImageFilter, ImageOps, UnidentifiedImageError
from PIL.ExifTags import IFD, Base

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.srgb import is_other_than_srgb, table_to_srgb

# The types that `as_photo` takes.
Photo: TypeAlias = np.ndarray | Image.Image | str | Path

_log = logging.getLogger(__name__)
# Pillow's modes of the colours of embedded profiles.
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
# Errors of Pillow and its plugins for damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, RuntimeError)
# EXIF that remains valid for a picture made from the photo, and the entries of its exposure and place that do not.
_LASTING = {Base.Make, Base.Model, Base.DateTime, Base.Artist, Base.Copyright}
_PASSING = {Base.MakerNote, Base.ExifImageWidth, Base.ExifImageHeight, Base.ExifInteroperabilityOffset, Base.ColorSpace}
# Four letters of an ISO base media file that say that it holds pictures of the HEIF kind.
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")

# Within so many bytes an AVIF says what its colours are.
_AVIF_HEADER = 1 << 16


def load_image(path: Path | str) -> np.ndarray:
    """Loads a photo of any supported format as uint8 [H, W, 3]: upright, in sRGB, on white.

    Raises:
        UserError: the file is missing, not a picture, truncated, too large to decode safely, or needs a package that
            is not installed.

    Example:
        >>> from tf_unseen_pose import load_image
        >>> from tf_unseen_pose.inference.bundled import FOLDER
        >>> load_image(FOLDER / "person.jpg").shape
        (630, 540, 3)
    """
    try:
        with _opened(Path(path)) as image:
            return _decoded(image)
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}; name an existing photo.") from error
    except (UnidentifiedImageError, IsADirectoryError) as error:
        raise UserError(f"{path} is not an image; name a JPEG, PNG or HEIC file.") from error
    except Image.DecompressionBombError as error:
        raise UserError(f"{path} has too many pixels to be decoded safely; make it smaller.") from error
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def is_image(path: Path) -> bool:
    """Whether a file is a photo by its content; an animated GIF is a video.

    Raises:
        UserError: no such file.
    """
    try:
        with _opened(path) as image:
            return image.format != "GIF" or getattr(image, "n_frames", 1) == 1
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}; name an existing photo or video.") from error
    except UserError:
        # A format that needs another package is still a picture.
        return True
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        # So is a picture that is too large.
        return isinstance(error, Image.DecompressionBombError)


def as_photo(photo: Photo, name: str = "the photo") -> np.ndarray:
    """Converts a file, image or array to a photo, uint8 [H, W, 3].

    Args:
        photo: a file's path; a Pillow image; or an array [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] (the fourth channel
            is opacity), uint8 in 0..255, uint16 in 0..65535, or floating in 0..1.
        name: its name in messages.

    Raises:
        UserError: an array of another shape, type or range; a file as `load_image`.

    Example:
        >>> import numpy as np
        >>> from tf_unseen_pose.imaging.photos import as_photo
        >>> as_photo(np.ones((2, 3), np.float32))[0, 0]
        array([255, 255, 255], dtype=uint8)
    """
    if isinstance(photo, str | Path):
        return load_image(photo)
    if isinstance(photo, Image.Image):
        return _decoded(photo)
    pixels = np.asarray(photo)
    shape = pixels.shape[2:] if pixels.ndim == 3 else (1,)
    if pixels.ndim not in (2, 3) or shape[0] not in (1, 3, 4) or not pixels.size:
        raise UserError(
            f"An array of the shape {list(pixels.shape)} is no picture; give {name} as [H, W, 3] in RGB, or as a file."
        )
    pixels = _in_bytes(pixels.reshape(*pixels.shape[:2], *shape), name)
    if shape[0] == 4:
        return np.asarray(_on_white(Image.fromarray(pixels)))
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def lasting_exif(path: Path) -> Image.Exif:
    """The EXIF entries that remain valid for a picture made from a photo: time, place, camera.

    Orientation, size, preview and maker notes are dropped.

    Raises:
        UserError: as `load_image`.
    """
    lasting = Image.Exif()
    try:
        with _opened(path) as image:
            exif = image.getexif()
            lasting.update({tag: value for tag, value in exif.items() if tag in _LASTING})
            for block in (IFD.Exif, IFD.GPSInfo):
                entries = {tag: value for tag, value in exif.get_ifd(block).items() if tag not in _PASSING}
                if entries:
                    lasting.get_ifd(block).update(entries)
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    return lasting


def _damaged(path: Path | str, error: BaseException) -> UserError:
    # Some plugins report several lines.
    return UserError(f"The image {path} is damaged ({' '.join(str(error).split())}); save it anew.")


def _in_bytes(pixels: np.ndarray, name: str) -> np.ndarray:
    """Pixels of any supported type as uint8."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return np.round(pixels / np.float32(257)).astype(np.uint8)
    if np.issubdtype(pixels.dtype, np.floating):
        # A millionth beyond is rounding; NaN fails both comparisons.
        if not (pixels.min() >= -1e-6 and pixels.max() <= 1 + 1e-6):
            raise UserError(
                f"The floating numbers of {name} are not in 0..1 throughout; scale them, or give uint8 in 0..255."
            )
        return np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    raise UserError(
        f"An array of {pixels.dtype} is no picture; give {name} as uint8 in 0..255, uint16, or floating in 0..1."
    )


def _opened(path: Path) -> Image.Image:
    """Opens the file and reads only its header."""
    try:
        image = Image.open(path)
        if image.format == "AVIF":
            image.info["nclx_profile"] = _colours_of_avif(path)
        return image
    except UnidentifiedImageError:
        with path.open("rb") as file:
            beginning = file.read(12)
        if beginning[4:8] != b"ftyp" or beginning[8:] not in _HEIF:
            raise
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise UserError(
            f"Reading {path}, a HEIC file, needs the package 'pillow-heif', which is not installed; install it, or "
            "save the photo as a JPEG."
        ) from error
    register_heif_opener()
    return Image.open(path)


def _decoded(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return np.repeat(_grey(image)[..., None], 3, axis=2)
    opacity = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    colours = _in_srgb(image)
    if opacity is not None:
        colours.putalpha(opacity)
        colours = _on_white(colours)
    return np.asarray(colours)


def _grey(image: Image.Image) -> np.ndarray:
    """Grey levels of more than 8 bits as uint8 [H, W].

    Raises:
        ValueError: levels of no known range.
    """
    levels = np.asarray(image, np.float64)
    most = 1 if image.mode == "F" and levels.max() <= 1 else 65535
    if levels.min() < 0 or levels.max() > most:
        raise ValueError(f"grey levels from {levels.min():g} to {levels.max():g}")
    return np.round(levels * (255 / most)).astype(np.uint8)


def _in_srgb(image: Image.Image) -> Image.Image:
    """The colours in sRGB, mode RGB, by the embedded profile."""
    profile = image.info.get("icc_profile")
    if not profile:
        return _in_srgb_by_number(image.convert("RGB"), image.info.get("nclx_profile") or {})
    try:
        embedded = ImageCms.getOpenProfile(io.BytesIO(profile))
        colours = image.convert(_MODES[embedded.profile.xcolor_space.strip()])
        found = ImageCms.profileToProfile(colours, embedded, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, KeyError, OSError):
        _log.warning("The photo's colour profile is damaged; its colours are taken for sRGB.")
        return image.convert("RGB")
    assert found is not None  # it is not done in place
    return found


def _in_srgb_by_number(image: Image.Image, nclx: dict) -> Image.Image:
    """The same for colours that two numbers describe, as pillow-heif tells them."""
    colours = nclx.get("color_primaries", 2), nclx.get("transfer_characteristics", 2)
    if not is_other_than_srgb(*colours):
        return image
    table = table_to_srgb(*colours)
    return image.filter(ImageFilter.Color3DLUT(len(table), table.reshape(-1), target_mode="RGB"))


def _colours_of_avif(path: Path) -> dict:
    """The numbers of an AVIF's colours, in pillow-heif's words, which Pillow does not tell."""
    with path.open("rb") as file:
        header = file.read(_AVIF_HEADER)
    at = header.find(b"colrnclx")
    if not 0 <= at <= len(header) - 12:
        return {}
    return dict(
        zip(("color_primaries", "transfer_characteristics"), struct.unpack_from(">2H", header, at + 8), strict=True)
    )


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
