"""Clips of frames, each a JPEG with its joints: the common form of all input formats.

Convention: joints, boxes and masks belong to the JPEG as it is stored (an EXIF orientation is not applied), in pixels,
(0, 0) the centre of the top-left pixel.
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from tf_unseen_pose.known_skeletons import PERSON, convert_joints
from tf_unseen_pose.skeleton import Skeleton

JPEG_QUALITY = 95
# Reasons for rejecting a frame without a crop.
TOO_FEW_JOINTS = "fewer than 2 joints"
NOT_FINITE = "joints or a box that are not finite"
# Pillow's errors for unreadable pictures.
PICTURE_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


class BrokenClip(Exception):
    """A clip that cannot be used; the message is the reason, without the clip's name."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a person.

    Attributes:
        jpeg: the encoded picture.
        joints: float32 [J, 3]: x, y in pixels of the picture, visibility 0..1.
        number: position in time within the clip; numbers of a clip rise but may have gaps.
        box: float32 [4]: x, y, width, height of the person in pixels, or None: the visible joints' box.
        mask_png: 8-bit grey PNG of the picture's size, 255 where the person is, or None where unknown.
        limbs_png: the same of the limbs, see `limb_maps`, or None where unknown.
    """

    jpeg: bytes
    joints: np.ndarray
    number: int
    box: np.ndarray | None = None
    mask_png: bytes | None = None
    limbs_png: bytes | None = None


@dataclass(frozen=True)
class Rejected:
    """A frame of the source that cannot be used.

    Attributes:
        reason: a few words, equal for all frames rejected for it.
        number: as in `Frame`.
    """

    reason: str
    number: int


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames of one person in one scene. Can be pickled, so that another process may read it.

    Attributes:
        name: unique within a dataset.
        action: what the person does; '' if unknown.
        fps: frames per second; 0 if unknown or for stills.
        frames: reads the frames, one at a time, in the order of their numbers; may raise `BrokenClip`.
        scene: clips of one scene may show the same room and person; '' if unknown.
        person: clips of one person are all for training or all for validation; by default the clip's name.
        split: "train" or "validation".
        skeleton: of its joints.
        format: of the input, such as "video"; '' if unknown.
        group: validation holds out a share of the people of each group; '' if unknown.
        background: reads the scene without the person, a JPEG of the frames' size that lies on all of them; may raise
            `BrokenClip`. None where unknown.
    """

    name: str
    action: str
    fps: float
    frames: Callable[[], Iterable[Frame | Rejected]]
    scene: str = ""
    person: str = ""
    split: str = "train"
    skeleton: Skeleton = PERSON
    format: str = ""
    group: str = ""
    background: Callable[[], bytes | None] | None = None

    def __post_init__(self) -> None:
        if not self.person:
            object.__setattr__(self, "person", self.name)


def encode_picture(image: np.ndarray | Image.Image, kind: str) -> bytes:
    """uint8 [H, W, 3] or [H, W], or a Pillow image, as bytes of a "JPEG" (quality 95) or "PNG"."""
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind, quality=JPEG_QUALITY)
    return buffer.getvalue()


def _decode(data: bytes, name: str) -> Image.Image:
    """Decodes the whole picture, to find damage now and not in training."""
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except PICTURE_ERRORS as error:
        raise BrokenClip(f"the picture {name} cannot be read") from error
    return image


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BrokenClip(f"the picture {path} cannot be read") from error


def read_frame(
    picture: Path,
    joints: np.ndarray,
    number: int,
    box: np.ndarray | None = None,
    mask: Path | None = None,
    max_side: int | None = None,
) -> Frame:
    """Reads a picture (and its mask) from disk.

    A grey or colour JPEG is kept unchanged; anything else is re-encoded. With `max_side`, a picture whose longer
    side exceeds it is shrunk, with its joints, box and mask.

    Args:
        joints: [J, 3], and
        box: [4], as of `Frame`.

    Raises:
        BrokenClip: a file that is missing or damaged, or a mask of another size.
    """
    data, image = _jpeg(picture)
    mask_data = mask_image = None
    if mask is not None:
        mask_data = _read(mask)
        mask_image = _decode(mask_data, str(mask))
        if mask_image.size != image.size:
            raise BrokenClip(f"the mask {mask} has another size than its picture")
        if mask_image.format != "PNG" or mask_image.mode != "L":
            mask_data = encode_picture(mask_image.convert("L"), "PNG")
    frame = Frame(data, np.asarray(joints, np.float32), number, box, mask_data)
    return frame if max_side is None else _shrink(frame, image, mask_image, max_side)


def read_jpeg(picture: Path, max_side: int | None = None) -> bytes:
    """The JPEG of `read_frame`.

    Raises:
        BrokenClip: the file is missing or damaged.
    """
    data, image = _jpeg(picture)
    size = image.size if max_side is None else shrunk_size(image.size, max_side)
    return data if size == image.size else _shrunk_jpeg(image, size)


def shrunk_size(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    """Width and height with the longer side at most `max_side`."""
    ratio = min(1, max_side / max(size))
    return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))


def _jpeg(picture: Path) -> tuple[bytes, Image.Image]:
    data = _read(picture)
    image = _decode(data, str(picture))
    if image.format != "JPEG" or image.mode not in ("RGB", "L"):
        data = encode_picture(image.convert("RGB"), "JPEG")
    return data, image


def _shrunk_jpeg(image: Image.Image, size: tuple[int, int]) -> bytes:
    return encode_picture(image.convert("RGB").resize(size, Image.Resampling.LANCZOS), "JPEG")


def _shrink(frame: Frame, image: Image.Image, mask: Image.Image | None, max_side: int) -> Frame:
    size = shrunk_size(image.size, max_side)
    if size == image.size:
        return frame
    scale = np.array(size, np.float32) / np.array(image.size, np.float32)
    joints, box = frame.joints.copy(), frame.box
    # Corners are aligned, not centres of pixels.
    joints[:, :2] = (joints[:, :2] + 0.5) * scale - 0.5
    if box is not None:
        box = np.concatenate([(box[:2] + 0.5) * scale - 0.5, box[2:] * scale]).astype(np.float32)
    return replace(
        frame,
        jpeg=_shrunk_jpeg(image, size),
        joints=joints,
        box=box,
        mask_png=None if mask is None else encode_picture(mask.convert("L").resize(size, Image.Resampling.BOX), "PNG"),
    )


def fault_of_pose(joints: np.ndarray, skeleton: Skeleton, box: np.ndarray | None = None) -> str | None:
    """Why a person has no crop: `NOT_FINITE` or `TOO_FEW_JOINTS`; None if there is one.

    Joints that `PERSON` lacks do not count, since the dataset may be read without them.

    Args:
        joints: [J, 3] x, y, visibility. Of an absent joint (visibility 0) the place may be anything, even NaN.
        box: [4], or None where it is that of the visible joints.
    """
    visible = joints[joints[:, 2] > 0]
    # A visibility of NaN would otherwise count as absent.
    numbers = [joints[:, 2], visible, [] if box is None else box]
    if not all(np.isfinite(part).all() for part in numbers):
        return NOT_FINITE
    common = convert_joints(joints, skeleton, PERSON)
    common = common[common[:, 2] > 0]
    # Two visible joints must be apart.
    if len(common) < 2 or not np.ptp(common[:, :2], axis=0).any():
        return TOO_FEW_JOINTS
    return None


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height of an encoded picture, read from its header."""
    with Image.open(io.BytesIO(data)) as image:
        return image.size
