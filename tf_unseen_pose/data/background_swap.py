"""Changes backgrounds and colours of a training pair by its person masks, to augment data of few people.

Both frames get the background of another clip, whose person is inpainted. Such a pair is registered, and the scene
behind the source person is known exactly. The person's colours change alike in both frames, those of the new background
independently, and joints get noise, as from an estimator.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from tf_unseen_pose.config import DataConfig
from tf_unseen_pose.data.byte_cache import byte_cache
from tf_unseen_pose.data.frame_cache import DecodedFrames
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.inpainting import inpainted
from tf_unseen_pose.skeleton import REFERENCE_SIZE

# Factor by which soft mask edges are steepened, so that less of the old background remains.
_STEEPNESS = 2.0
# Maximum shorter side of stored backgrounds, and their memory in bytes, enough for some 500.
_SIDE, _KEPT_BYTES = 384, 3 * 2**27


class Backgrounds:
    """The backgrounds of a dataset's training clips, computed on demand. May be shared among threads.

    A clip's known empty scene is used; otherwise the person is inpainted.

    Raises:
        UserError: no training frame has a person mask.
    """

    def __init__(self, dataset: ClipDataset, frames: DecodedFrames):
        self._dataset, self._frames = dataset, frames
        self._places = [
            (position, next(i for i, frame in enumerate(clip.frames) if frame.has_mask))
            for position, clip in enumerate(dataset.clips)
            if clip.split == "train" and any(frame.has_mask for frame in clip.frames)
        ]
        if not self._places:
            raise UserError(
                f"No clip of {dataset.path} has person masks, which data.background_swap needs; set it to 0."
            )
        self.picture = byte_cache(_KEPT_BYTES)(self._paint)

    def __len__(self) -> int:
        return len(self._places)

    def is_true(self, number: int) -> bool:
        """Whether the background of that number is an original without inpainting."""
        return self._dataset.clips[self._places[number][0]].background is not None

    def _paint(self, number: int) -> np.ndarray:
        clip, position = self._places[number]
        if (known := self._frames.background(clip)) is not None:
            return _small(known)
        frame = self._frames.read(clip, position)
        assert frame.mask is not None
        return inpainted(_small(frame.image), np.float32(_small(frame.mask) / 255))


def _small(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    shrink = min(1, _SIDE / min(height, width))
    size = [max(1, round(side * shrink)) for side in (width, height)]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


@dataclass(frozen=True)
class Colours:
    """A change of colours; the defaults change nothing.

    Attributes:
        hue: change in degrees.
        saturation, value: factors.
    """

    hue: float = 0.0
    saturation: float = 1.0
    value: float = 1.0

    @classmethod
    def draw(cls, generator: np.random.Generator, config: DataConfig) -> "Colours":
        """Draws from the ranges of `config`, three numbers of the generator."""
        hue, saturation, value = generator.random(3)
        # Plain floats, since NumPy's would convert pictures to float64.
        return cls(
            hue=float(config.hue * (2 * hue - 1)),
            saturation=float(np.interp(saturation, (0, 1), config.saturation)),
            value=float(np.interp(value, (0, 1), config.value)),
        )

    def of(self, image: np.ndarray) -> np.ndarray:
        """The image, uint8 [H, W, 3], with changed colours."""
        if self == Colours():
            return image
        hue, saturation, value = cv2.split(cv2.cvtColor(np.float32(image) / 255, cv2.COLOR_RGB2HSV))
        parts = (hue + self.hue) % 360, np.minimum(saturation * self.saturation, 1), np.minimum(value * self.value, 1)
        return np.uint8(np.round(255 * cv2.cvtColor(cv2.merge(parts), cv2.COLOR_HSV2RGB)))


class Recomposed(NamedTuple):
    """A changed pair.

    Attributes:
        images: uint8 [H, W, 3] each.
        masks: uint8 [H, W] each, those by which the person was cut out.
        scene: uint8 [H, W, 3], what is behind the person, where that was exchanged by what is known.
    """

    images: list[np.ndarray]
    masks: list[np.ndarray]
    scene: np.ndarray | None = None


@dataclass(frozen=True)
class Recomposition:
    """One draw; the defaults change nothing.

    Attributes:
        swapped: whether the pair gets another background.
        background: choice in [0, 1).
        place: of the canvas in it, 0..1 along x and y.
        mirrored: whether the background is mirrored.
        person, room: colour changes of the person and of the new background.
        jitter: float32 [2, J, 2], noise of source and target joints, in pixels of a 256-pixel canvas.
    """

    swapped: bool = False
    background: float = 0.0
    place: tuple[float, float] = (0.5, 0.5)
    mirrored: bool = False
    person: Colours = Colours()
    room: Colours = Colours()
    jitter: np.ndarray | None = None

    @classmethod
    def draw(cls, generator: np.random.Generator, config: DataConfig, joint_count: int) -> "Recomposition":
        """Draws from the ranges of `config`; consumes as many numbers of the generator in any case."""
        swap, background, x, y, mirrored = generator.random(5)
        person, room = (Colours.draw(generator, config) for _ in range(2))
        jitter = generator.standard_normal((2, joint_count, 2), np.float32)
        return cls(
            swapped=swap < config.background_swap,
            background=background,
            place=(x, y),
            mirrored=mirrored < 0.5,
            person=person,
            room=room,
            jitter=config.joint_jitter * jitter if config.joint_jitter else None,
        )

    def pictures(
        self, images: list[np.ndarray], masks: list[np.ndarray], backgrounds: Backgrounds | None
    ) -> Recomposed:
        """Applies the draw to both frames of a pair.

        Args:
            images: two of uint8 [H, W, 3].
            masks: two of uint8 [H, W], the person.
        """
        images = [recoloured(*frame, self.person) for frame in zip(images, masks, strict=True)]
        if not self.swapped:
            return Recomposed(images, masks)
        assert backgrounds is not None
        number = int(self.background * len(backgrounds))
        behind = self.room.of(covering(backgrounds.picture(number), masks[0].shape, self))
        masks = [steepened(mask) for mask in masks]
        images = [_over(*frame, behind) for frame in zip(images, masks, strict=True)]
        return Recomposed(images, masks, behind if backgrounds.is_true(number) else None)

    def joints(self, joints: np.ndarray, frame: int, size: int) -> np.ndarray:
        """[J, 3 or 4] of the source (frame 0) or the target (1) on a canvas of that shorter side, with noise."""
        if self.jitter is None:
            return joints
        moved = joints.copy()
        moved[:, :2] += self.jitter[frame] * (size / REFERENCE_SIZE)
        return moved


def recoloured(image: np.ndarray, mask: np.ndarray, colours: Colours) -> np.ndarray:
    """uint8 [H, W, 3] with changed colours of the person, by the mask, uint8 [H, W]."""
    left, top, width, height = cv2.boundingRect(mask)
    if colours == Colours() or not width:
        return image
    part = np.s_[top : top + height, left : left + width]
    changed = image.copy()
    changed[part] = _over(colours.of(image[part]), mask[part], image[part])
    return changed


def covering(picture: np.ndarray, shape: tuple[int, int], change: Recomposition) -> np.ndarray:
    """The part of a picture at `change.place` that has the canvas's proportions, as uint8 [H, W, 3] of that shape."""
    (height, width), (rows, columns) = shape, picture.shape[:2]
    scale = min(rows / height, columns / width)
    size = round(height * scale), round(width * scale)
    left, top = round(change.place[0] * (columns - size[1])), round(change.place[1] * (rows - size[0]))
    part = picture[top : top + size[0], left : left + size[1]]
    part = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR)
    return part[:, ::-1] if change.mirrored else part


def steepened(mask: np.ndarray) -> np.ndarray:
    """A soft mask, uint8 [H, W], with a steeper edge in the same place."""
    return np.uint8(np.clip(np.round(_STEEPNESS * (mask - 127.5) + 127.5), 0, 255))


def _over(image: np.ndarray, mask: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3]: `image` where the mask, uint8 [H, W], is 255, `behind` where it is 0."""
    alpha = np.float32(mask / 255)[..., None]
    return np.uint8(np.round(behind + alpha * (np.float32(image) - behind)))
