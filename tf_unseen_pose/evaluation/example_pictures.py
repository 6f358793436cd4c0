"""Pairs as pictures: the input of a method, and the truth for its result.

Convention: everything but a `PhotoPair` is on the model's canvas (H, W), cut out of the photos as for training, without
augmentation; pictures as in `evaluation.metrics`, masks float32 [H, W] in [0, 1], joints [J, 3] in pixels of the
canvas. Joints are the dataset's, so that all models see the same canvas and task. The paper's 14 joints
determine the canvas's place, since hands and feet would move it by some pixels, enough to change PCKh by 0.02.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.data import limb_maps
from tf_unseen_pose.data.clip_poses import spread
from tf_unseen_pose.data.frame_cache import DecodedFrame, DecodedFrames
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.evaluation.evaluation_pairs import EvaluationPair, PairSequence
from tf_unseen_pose.imaging.affine import invert, transform_joints
from tf_unseen_pose.imaging.crop import common_crop, sequence_crop
from tf_unseen_pose.imaging.image_files import from_uint8, to_uint8
from tf_unseen_pose.imaging.inpainting import grown
from tf_unseen_pose.imaging.registration import mask_from_joints
from tf_unseen_pose.imaging.resampling import cut_out
from tf_unseen_pose.known_skeletons import PERSON, is_person, person_joints
from tf_unseen_pose.pose.retargeting import retarget
from tf_unseen_pose.skeleton import Skeleton

# Beside the person are contours, hair and shadows: the background is judged from this part of the canvas's shorter
# side on.
_GROWTH = 0.03
# A motion is fitted to the source by so many of its frames.
_FITTED_FRAMES = 64


@dataclass(frozen=True, eq=False)
class Example:
    """One source, one target pose, and the truth if known.

    Attributes:
        image: float32 [H, W, 3] in [-1, 1], the source as networks take it.
        source_joints, target_joints: float32 [J, 3].
        source_mask, target_mask: the person in the source and, as far as it is known, in the result.
        target: uint8 [H, W, 3], the photograph of the target pose; None where no such photograph can exist.
        masks_drawn: whether a mask is not the dataset's but drawn from the joints.
        target_limbs: uint8 [H, W], the target's limb map with the dataset's limbs, see `data.limb_maps`, 0 beyond the
            photo's border; None where unknown.
    """

    image: np.ndarray
    source_joints: np.ndarray
    target_joints: np.ndarray
    source_mask: np.ndarray
    target_mask: np.ndarray
    target: np.ndarray | None
    masks_drawn: bool
    target_limbs: np.ndarray | None = None

    @cached_property
    def source(self) -> np.ndarray:
        """uint8 [H, W, 3]."""
        return to_uint8(self.image)

    @property
    def batch(self) -> dict[str, tf.Tensor]:
        """A generator's input, without noise, so that it uses its fixed one."""
        keys = ("image", "source_joints", "target_joints")
        return {key: tf.constant(getattr(self, key)[None]) for key in keys}

    def as_of(self, skeleton: Skeleton) -> "Example":
        """The same with the joints of another skeleton; see `skeleton.person_joints`."""
        poses = (person_joints(joints, skeleton) for joints in (self.source_joints, self.target_joints))
        return replace(self, source_joints=next(poses), target_joints=next(poses))

    @property
    def outside(self) -> np.ndarray:
        """Weight of the pixels outside the person in both poses."""
        return 1 - np.maximum(self.source_mask, self.target_mask)

    @property
    def people(self) -> np.ndarray:
        """The person in both poses, grown by 3 % of the canvas."""
        radius = round(_GROWTH * min(self.source_mask.shape))
        return grown(np.maximum(self.source_mask, self.target_mask), radius)

    @property
    def movement(self) -> float:
        """Mean distance that joints seen in both poses move, in parts of the canvas's shorter side."""
        both = (self.source_joints[:, 2] > 0) & (self.target_joints[:, 2] > 0)
        if not both.any():
            return float("nan")
        way = np.hypot(*(self.target_joints - self.source_joints)[both, :2].T)
        return float(way.mean() / min(self.source_mask.shape))


@dataclass(frozen=True, eq=False)
class PhotoPair:
    """The whole photographs of a pair at the source's size [H, W].

    Attributes:
        source, target: uint8 [H, W, 3]; may be shared, not to be written to.
        source_joints, target_joints: float32 [J, 3] in pixels of the photo.
        source_mask, target_mask: float32 [H, W] in [0, 1]; drawn from the joints where the dataset has none.
        scene: uint8 [H, W, 3], the same without anybody; None where the clip's scene is not known.
    """

    source: np.ndarray
    target: np.ndarray
    source_joints: np.ndarray
    target_joints: np.ndarray
    source_mask: np.ndarray
    target_mask: np.ndarray
    scene: np.ndarray | None = None


class ExampleReader:
    """Reads pairs and sequences of a dataset, with its joints, onto the canvas of a configuration."""

    def __init__(self, dataset: ClipDataset, config: Config):
        self._dataset, self._frames, self._skeleton = dataset, DecodedFrames(dataset), dataset.skeleton
        self._placing = PERSON if is_person(self._skeleton) else self._skeleton
        self._size, self._crop_factor = (config.model.height, config.model.width), config.data.crop_factor

    def within(self, pair: EvaluationPair) -> Example:
        """Source and target of one clip.

        Raises:
            UserError: a frame that cannot be read, or a pose for which no crop can be found.
        """
        source, target = self._read(pair)
        canvas = self._crop([source.joints, target.joints], [source.box, target.box])
        return self._example(source, target.joints, target, canvas)

    def photos(self, pair: EvaluationPair) -> PhotoPair:
        """The photographs of a pair of one clip.

        Raises:
            UserError: a frame that cannot be read, or without a mask and a size.
        """
        source, target = self._read(pair)
        size, scene = source.image.shape[:2], self._frames.background(pair.source_clip)
        image, target_mask = (_of_size(picture, size) for picture in (target.image, self._whole_mask(target)))
        return PhotoPair(
            source=source.image,
            target=image,
            source_joints=source.joints,
            target_joints=target.joints,
            source_mask=self._whole_mask(source) / np.float32(255),
            target_mask=target_mask / np.float32(255),
            scene=None if scene is None else _of_size(scene, size),
        )

    def sequence(self, sequence: PairSequence) -> Iterator[Example]:
        """The frames of a sequence, all cut out alike, with one source.

        Raises:
            UserError: a pose for which no crop can be found.
        """
        source, *targets = (
            self._frames.read(sequence.clip, frame) for frame in (sequence.source_frame, *sequence.frames)
        )
        poses = np.stack([frame.joints for frame in targets])
        placing = self._placing
        first, others = (person_joints(joints, placing) for joints in (source.joints, poses))
        canvas = sequence_crop(first, others, placing, *self._size, self._crop_factor)
        for target in targets:
            yield self._example(source, target.joints, target, canvas)

    def across(self, pair: EvaluationPair) -> Example:
        """The source of one clip in a pose of another, fitted to the person and the place as `animate` does.

        Raises:
            UserError: the two people have too few joints in common.
        """
        source = self._frames.read(pair.source_clip, pair.source_frame)
        count = len(self._dataset.clips[pair.target_clip].frames)
        frames = sorted({*spread(count, _FITTED_FRAMES), pair.target_frame})
        motion = np.stack([self._dataset.read_frame(pair.target_clip, frame).joints for frame in frames])
        pose = retarget(motion, source.joints, self._skeleton)[frames.index(pair.target_frame)]
        return self._example(source, pose, None, self._crop([source.joints, pose], [source.box, None]))

    def _read(self, pair: EvaluationPair) -> tuple[DecodedFrame, DecodedFrame]:
        """Source and target."""
        source = self._frames.read(pair.source_clip, pair.source_frame)
        return source, self._frames.read(pair.target_clip, pair.target_frame)

    def _crop(self, poses: Sequence[np.ndarray], boxes: Sequence[np.ndarray | None]) -> np.ndarray:
        placed = [person_joints(joints, self._placing) for joints in poses]
        return common_crop(placed, self._placing, *self._size, self._crop_factor, boxes)

    def _example(
        self, source: DecodedFrame, pose: np.ndarray, target: DecodedFrame | None, canvas_to_image: np.ndarray
    ) -> Example:
        image_to_canvas = invert(canvas_to_image)
        source_joints, target_joints = (transform_joints(image_to_canvas, joints) for joints in (source.joints, pose))
        source_mask = self._mask(source, canvas_to_image)
        target_mask = None if target is None else self._mask(target, canvas_to_image)
        return Example(
            image=from_uint8(cut_out(source.image, canvas_to_image, *self._size)),
            source_joints=source_joints,
            target_joints=target_joints,
            source_mask=self._drawn_mask(source_joints) if source_mask is None else source_mask,
            target_mask=self._drawn_mask(target_joints) if target_mask is None else target_mask,
            target=None if target is None else cut_out(target.image, canvas_to_image, *self._size),
            masks_drawn=source_mask is None or target_mask is None,
            target_limbs=None if target is None else self._limbs(target, canvas_to_image),
        )

    def _whole_mask(self, frame: DecodedFrame) -> np.ndarray:
        """uint8, of the frame's size."""
        if frame.mask is not None:
            return frame.mask
        return mask_from_joints(frame.joints, self._skeleton, *frame.image.shape[:2])

    def _mask(self, frame: DecodedFrame, canvas_to_image: np.ndarray) -> np.ndarray | None:
        if frame.mask is None:
            return None
        return cut_out(frame.mask, canvas_to_image, *self._size) / np.float32(255)

    def _limbs(self, frame: DecodedFrame, canvas_to_image: np.ndarray) -> np.ndarray | None:
        if frame.limbs is None:
            return None
        return limb_maps.cut_out(frame.limbs, canvas_to_image, *self._size, border=cv2.BORDER_CONSTANT)

    def _drawn_mask(self, joints: np.ndarray) -> np.ndarray:
        return mask_from_joints(joints, self._skeleton, *self._size) / np.float32(255)


def _of_size(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture of a clip at the size of another one, aligned at the first pixel."""
    return picture if picture.shape[:2] == size else cut_out(picture, np.eye(2, 3), *size)
