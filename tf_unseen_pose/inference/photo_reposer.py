"""What every model on this machine does with a photo, whatever runs it: TensorFlow (`local`) or LiteRT (`on_device`).

Convention: as `protocol`, photos uint8 [H, W, 3], joints [J, 3 or 4] in pixels of the photo.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.background_plate import placed
from tf_unseen_pose.imaging.compositing import Compositor, Placement, on_whole_pixels
from tf_unseen_pose.imaging.crop import invert, transform_joints, usual_step, whole_crop
from tf_unseen_pose.imaging.photos import Photo, as_photo
from tf_unseen_pose.imaging.registration import mask_from_joints
from tf_unseen_pose.inference.protocol import ReposerLike
from tf_unseen_pose.known_skeletons import is_person, person_joints
from tf_unseen_pose.pose import cut_off
from tf_unseen_pose.pose.driving import driving_poses
from tf_unseen_pose.pose.people import Choice
from tf_unseen_pose.pose.pose_files import as_joints
from tf_unseen_pose.skeleton import Skeleton

# A person seen smaller than at this part of the usual size comes out visibly coarser.
_LEAST_SIZE = 0.6
_log = logging.getLogger(__name__)

_Function = Callable[[np.ndarray], np.ndarray]


class PhotoReposer(ReposerLike):
    """Cropping, encoding once, deciding often, carrying decisions out on the photo's pixels.

    Subclasses give `_encode_photo`, `_maps`, `_decide_batch` and `_render_batch`.

    Args:
        skeleton: that of the joints.
        height, width: of the network's canvas.
        crop_factor: see `imaging.crop.whole_crop`.
        steepness: see `imaging.compositing.Compositor`.
    """

    def __init__(self, skeleton: Skeleton, height: int, width: int, crop_factor: float, steepness: float):
        self.skeleton = skeleton
        self._size = height, width
        self._crop_factor, self._steepness = crop_factor, steepness

    def render(self, state: Any, joints: np.ndarray) -> np.ndarray:
        """The source person in another pose: joints [J, 3 or 4] in canvas pixels -> uint8 [h, w, 3].

        Raises:
            UserError: the joints are no pose.
        """
        return self._render_batch(state, as_joints(joints, self.skeleton, "the target pose")[None])[0]

    def synthesize(
        self,
        image: Photo,
        target_joints: np.ndarray,
        source_joints: np.ndarray | None = None,
        crop: bool = False,
        background: np.ndarray | None = None,
        person: Choice = None,
    ) -> np.ndarray:
        """As `ReposerLike.synthesize`.

        Raises:
            UserError: as there.
        """
        image = as_photo(image)
        source_joints = source_pose(image, source_joints, self.skeleton, person)
        source, target, canvas_to_image = self._pair_crop(image, source_joints, target_joints)
        decide, finish = self._sitting(image, source, canvas_to_image, crop, background)
        return finish(decide(target[None])[0])

    def animate(
        self,
        image: Photo,
        poses: np.ndarray,
        source_joints: np.ndarray | None = None,
        crop: bool = False,
        batch_size: int = 4,
        background: np.ndarray | None = None,
        person: Choice = None,
    ) -> Iterator[np.ndarray]:
        """As `ReposerLike.animate`; the photo is encoded once.

        Raises:
            UserError: as there.
        """
        image = as_photo(image)
        poses, shown = driving_poses(poses, self.skeleton)
        source_joints = source_pose(image, source_joints, self.skeleton, person)
        source, canvas_to_image = self._whole_crop(image, source_joints, shown)
        poses = transform_joints(invert(canvas_to_image), poses)
        decide, finish = self._sitting(image, source, canvas_to_image, crop, background)

        def decided(first):
            batch = poses[first : first + batch_size]
            # One shape for all batches: a graph is traced once.
            filled = np.concatenate([batch, batch[-1:].repeat(batch_size - len(batch), axis=0)])
            return decide(filled)[: len(batch)]

        # While a batch is composed and written, the next one is decided upon.
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(decided, 0)
            for following in range(batch_size, len(poses) + batch_size, batch_size):
                batch = coming.result()
                if following < len(poses):
                    coming = ahead.submit(decided, following)
                yield from map(finish, batch)

    def live(
        self,
        image: Photo,
        shown: np.ndarray,
        source_joints: np.ndarray | None = None,
        background: np.ndarray | None = None,
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Encodes a photo for poses that are not known yet, of a camera.

        Args:
            image: as `ReposerLike.synthesize`.
            shown: [T, J, 3 or 4] in pixels of the photo, poses like those that will come: they choose the crop.
            source_joints: [J, 3] in pixels of the photo.
            background: as `ReposerLike.synthesize`.

        Returns:
            A function of a pose [J, 3 or 4] that gives the photo in that pose.

        Raises:
            UserError: as `animate`.
        """
        image = as_photo(image)
        _, shown = driving_poses(shown, self.skeleton)
        source_joints = source_pose(image, source_joints, self.skeleton)
        source, canvas_to_image = self._whole_crop(image, source_joints, shown)
        decide, finish = self._sitting(image, source, canvas_to_image, False, background)

        def posed(joints):
            joints = transform_joints(invert(canvas_to_image), person_joints(joints, self.skeleton))
            return finish(decide(joints[None])[0])

        return posed

    def _sitting(
        self,
        image: np.ndarray,
        source_joints: np.ndarray,
        canvas_to_image: np.ndarray,
        crop: bool,
        background: np.ndarray | None,
    ) -> tuple[_Function, _Function]:
        """A photo, encoded once.

        Returns:
            Poses [B, J, 3 or 4] of the canvas -> decisions about each; decisions about one -> its picture.
        """
        plate = None
        if background is not None:
            shown = transform_joints(canvas_to_image, source_joints)
            plate = placed(background, image, mask_from_joints(shown, self.skeleton, *image.shape[:2]))
        place = Placement.of(image, canvas_to_image, *self._size)
        state = self._encode_photo(place.covered(image), source_joints, place.canvas_to_covered)
        compositor = Compositor(image, place, *self._maps(state), self._steepness, plate)

        def finish(decisions):
            picture = compositor(decisions)
            return place.covered(picture) if crop else picture

        return lambda poses: self._decide_batch(state, poses), finish

    def _encode_photo(self, pixels: np.ndarray, source_joints: np.ndarray, canvas_to_pixels: np.ndarray) -> Any:
        """The state of a crop, given what of the photo it covers; the joints [J, 3] are the canvas's."""
        raise NotImplementedError

    def _maps(self, state: Any) -> tuple[np.ndarray, np.ndarray]:
        """A state's matte [h, w, 2] and hole [h, w, 4]."""
        raise NotImplementedError

    def _decide_batch(self, state: Any, target_joints: np.ndarray) -> np.ndarray:
        """How to make B poses [B, J, 3 or 4] of the canvas: float32 [B, h, w, 9], see `model.compositing.Decisions`."""
        raise NotImplementedError

    def _render_batch(self, state: Any, target_joints: np.ndarray) -> np.ndarray:
        """One source, encoded, in B poses [B, J, 3 or 4] of the canvas, on the canvas: uint8 [B, h, w, 3]."""
        raise NotImplementedError

    def _checked_canvas(self, image: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """The joints [J, 3] of a canvas that is to be encoded.

        Raises:
            UserError: the image is not uint8 of the canvas's size, or the joints are no pose.
        """
        size = (*self._size, 3)
        if image.shape != size or image.dtype != np.uint8:
            raise UserError(
                f"A canvas is uint8 {list(size)}, not {image.dtype} {list(image.shape)}; use synthesize for photos."
            )
        return as_joints(joints, self.skeleton, "the source pose")[:, :3]

    def _whole_crop(self, image: np.ndarray, source: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The source pose on the canvas that holds it and the photo's poses [T, J, 3 or 4], and that canvas's place."""
        crop = whole_crop(source, targets, image.shape[:2], self.skeleton, *self._size, self._crop_factor)
        _tell_if_small(crop, usual_step(source, targets, self.skeleton, *self._size, self._crop_factor))
        crop = on_whole_pixels(crop, *self._size)
        return transform_joints(invert(crop), source), crop

    def _pair_crop(
        self, image: np.ndarray, source: np.ndarray, target_joints: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both poses in pixels of the canvas on which they fit, and that canvas's place in the photo."""
        target = target_pose(image, target_joints, self.skeleton)
        source, crop = self._whole_crop(image, source, target[None])
        return source, transform_joints(invert(crop), target), crop


def _tell_if_small(canvas_to_image: np.ndarray, usual: float) -> None:
    # A canvas as fine as the photo loses nothing.
    size = max(usual, 1.0) / canvas_to_image[0, 0]
    if size < _LEAST_SIZE:
        _log.warning(
            "The poses lie so far apart in the photo that the model sees the person at %.0f %% of the usual size, and "
            "the result is coarser; move them nearer to the person.",
            100 * size,
        )


def source_pose(image: np.ndarray, joints: np.ndarray | None, skeleton: Skeleton, person: Choice = None) -> np.ndarray:
    """The joints [J, 3] of a photo's person, as they are given, or else as they are found.

    Joints outside the photo are absent, and a warning names them: there is nothing to copy.

    Args:
        image: uint8 [H, W, 3].
        joints: [J, 3 or 4] in pixels of the photo.
        person: who of several is meant, where the joints are not given.

    Raises:
        UserError: the joints are no pose; no person is found in the photo, or not the one who is chosen; joints and a
            choice.
    """
    if person is not None and joints is not None:
        raise UserError("A person is chosen among those who are found; leave out 'person', or the source's joints.")
    joints = _found(image, skeleton, person) if joints is None else joints
    joints = as_joints(joints, skeleton, "the source pose")[:, :3]
    height, width = image.shape[:2]
    if missing := cut_off.in_words(cut_off.outside(joints, width, height), skeleton):
        _log.warning("What the photo does not show is left out: %s.", missing)
    return cut_off.inside_photo(joints, width, height)


def target_pose(image: np.ndarray, joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The joints [J, 3 or 4] into which a photo's person is put; a warning names those outside the photo.

    Args:
        image: uint8 [H, W, 3].
        joints: [J, 3 or 4] in pixels of the photo.

    Raises:
        UserError: the joints are no pose, or none of them lies in the photo.
    """
    joints = as_joints(joints, skeleton, "the target pose")
    height, width = image.shape[:2]
    inside = cut_off.target_inside(joints, width, height, "the target pose")
    if missing := cut_off.in_words(cut_off.outside(joints, width, height), skeleton):
        _log.warning("What the target pose has outside the photo is cut off: %s.", missing)
    return inside


def _found(image: np.ndarray, skeleton: Skeleton, person: Choice) -> np.ndarray:
    if not is_person(skeleton):
        raise UserError(f"Poses of the skeleton '{skeleton.name}' cannot be found in photos; give the source pose.")
    try:
        # MediaPipe is large, and not needed by those who know their poses.
        from tf_unseen_pose.pose.estimation import estimate_image, open_estimator
    except ImportError as error:
        raise UserError(
            f"Finding a pose in a photo takes the package '{error.name}', which is not installed; install it, or "
            "give the source pose."
        ) from error
    with open_estimator() as estimator:
        return estimate_image(image, "the photo", estimator, person, "person")
