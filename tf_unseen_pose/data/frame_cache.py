"""A cache of a dataset's decoded pictures.

Decoding a picture takes several times as long as cutting out a canvas, and a short clip's pictures are in hundreds of
pairs. So up to half a gigabyte of decoded pictures is kept, the most recently used.
"""

import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from tf_unseen_pose.data.byte_cache import byte_cache
from tf_unseen_pose.data.clips import PICTURE_ERRORS
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError

_CACHE_BYTES = 2**29


class DecodedFrame(NamedTuple):
    """A frame as read-only arrays; see `clips.Frame`.

    Attributes:
        image: uint8 [H, W, 3] RGB.
        mask: uint8 [H, W], 255 = person, or None where unknown.
        joints: float32 [J, 3] in pixels.
        box: float32 [4] in pixels, or None.
        limbs: uint8 [H, W], see `limb_maps`, or None where unknown.
    """

    image: np.ndarray
    mask: np.ndarray | None
    joints: np.ndarray
    box: np.ndarray | None
    limbs: np.ndarray | None = None


class DecodedFrames:
    """Decodes and caches frames of a dataset. May be shared among threads."""

    def __init__(self, dataset: ClipDataset):
        self._dataset = dataset
        kept = byte_cache(_CACHE_BYTES)
        self.read = kept(self._decode)
        self._background = kept(self._decode_background)

    def background(self, clip: int) -> np.ndarray | None:
        """The scene of a clip without the person, uint8 [H, W, 3], or None where unknown; not to be written to."""
        (picture,) = self._background(clip)
        return picture

    def _decode_background(self, clip: int) -> tuple[np.ndarray | None]:
        stored = self._dataset.read_background(clip)
        try:
            return (None if stored is None else _pixels(stored, "RGB"),)
        except PICTURE_ERRORS as error:
            raise self._broken(f"background of the clip '{self._dataset.clips[clip].name}'") from error

    def _decode(self, clip: int, frame: int) -> DecodedFrame:
        stored = self._dataset.read_frame(clip, frame)
        try:
            image = _pixels(stored.jpeg, "RGB")
            mask, limbs = (None if png is None else _pixels(png, "L") for png in (stored.mask_png, stored.limbs_png))
            if limbs is not None and limbs.max() > self._dataset.skeleton.limb_count:
                raise ValueError("labels of limbs that there are not")
        except PICTURE_ERRORS as error:
            name = self._dataset.clips[clip].name
            raise self._broken(f"picture of frame {stored.number} of the clip '{name}'") from error
        return DecodedFrame(image, mask, stored.joints, stored.box, limbs)

    def _broken(self, what: str) -> UserError:
        return UserError(f"The {what} in {self._dataset.path} cannot be decoded; run 'prepare' again.")


def _pixels(picture: bytes, mode: str) -> np.ndarray:
    """An encoded picture as an array that cannot be written to, uint8 [H, W, 3] ("RGB") or [H, W] ("L")."""
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert(mode))
