"""The Python interface: load a model once, re-pose any number of photos.

    reposer = Reposer.load("lite")
    photo = reposer.synthesize(image, target_joints)
    video = reposer.animate(image, poses)

Convention: as `protocol`, photos uint8 [H, W, 3], joints [J, 3 or 4] in pixels of the photo.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.affine import invert, transform_joints
from tf_unseen_pose.imaging.background_plate import placed
from tf_unseen_pose.imaging.compositing import Compositor
from tf_unseen_pose.imaging.image_files import from_uint8
from tf_unseen_pose.imaging.photos import Photo, as_photo
from tf_unseen_pose.imaging.placement import Placement
from tf_unseen_pose.imaging.registration import mask_from_joints
from tf_unseen_pose.inference.cutting import cut_out
from tf_unseen_pose.inference.networks import Networks
from tf_unseen_pose.inference.person_crop import Canvas, person_crop
from tf_unseen_pose.inference.photo_poses import Source, source_person, target_pose
from tf_unseen_pose.inference.protocol import ReposerLike
from tf_unseen_pose.inference.runtime import Runtime, chosen_runtime
from tf_unseen_pose.known_skeletons import person_joints
from tf_unseen_pose.pose.driving import driving_poses
from tf_unseen_pose.pose.people import Choice
from tf_unseen_pose.pose.pose_files import as_joints

if TYPE_CHECKING:
    from tf_unseen_pose.config import Config
    from tf_unseen_pose.model import PoseModel

_log = logging.getLogger(__name__)

_Function = Callable[[np.ndarray], np.ndarray]


class Reposer(ReposerLike):
    """A model on this machine: encodes a photo once and renders it in any number of poses.

    Args:
        networks: the model in one of the runtimes.
        sharp_hole: whether the hole where the person stood is filled at the photo's resolution, which takes about a
            second for each photo; without it, as by servers and on devices, at that of the networks.

    Attributes:
        networks: the same.

    Example:
        >>> from tf_unseen_pose import Reposer, bundled
        >>> reposer, (photo, joints, motion) = Reposer.load("lite"), bundled()
        >>> result = reposer.synthesize(photo, motion.joints[20], joints)
        >>> result.shape == photo.shape, bool((result == photo).all())
        (True, False)
        >>> [frame.shape for frame in reposer.animate(photo, motion.joints[:2], joints)]
        [(630, 540, 3), (630, 540, 3)]
    """

    def __init__(self, networks: Networks, sharp_hole: bool = True):
        self.networks = networks
        self._sharp_hole = sharp_hole
        self.skeleton = networks.skeleton
        self._size, self._crop_factor = (networks.height, networks.width), networks.crop_factor

    @classmethod
    def load(
        cls,
        path: str | Path,
        runtime: Runtime | str = Runtime.auto,
        xla: bool = False,
        threads: int | None = None,
        variant: str = "float16",
        sharp_hole: bool = True,
    ) -> "Reposer":
        """Loads a model.

        Args:
            path: a run, an exported version, a .tflite file, a folder of these, or the name of a bundled model: "lite".
            runtime: "litert", "tensorflow", or "auto"; see `runtime.chosen_runtime`.
            xla: TensorFlow: compile the networks with XLA, faster on GPUs, slower on most CPUs, and slow to start.
            threads: LiteRT: number of threads; by default all cores, at most four.
            variant: LiteRT: the file to take from a folder or bundled model, "float32", "float16", "dynamic" or "int8".
            sharp_hole: see the class.

        Raises:
            UserError: a missing or foreign model, an unknown runtime, or a package that is not installed.
        """
        runtime = chosen_runtime(path, runtime, xla)
        _log.info("%s is run by %s.", path, "LiteRT" if runtime == Runtime.litert else "TensorFlow")
        # Both are large, and only one is needed.
        if runtime == Runtime.litert:
            from tf_unseen_pose.inference.lite_networks import LiteNetworks

            return cls(LiteNetworks.load(path, threads, variant), sharp_hole)
        from tf_unseen_pose.inference.tensorflow_networks import TensorFlowNetworks

        return cls(TensorFlowNetworks.load(path, xla), sharp_hole)

    @classmethod
    def of(cls, generator: "PoseModel", config: "Config", sharp_hole: bool = True) -> "Reposer":
        """A generator in memory, with its training configuration; `sharp_hole` as of the class."""
        from tf_unseen_pose.inference.tensorflow_networks import TensorFlowNetworks

        return cls(TensorFlowNetworks(generator, config), sharp_hole)

    def encode(self, image: np.ndarray, joints: np.ndarray) -> Any:
        """Encodes a source for `render`.

        Args:
            image: uint8 [h, w, 3] of the canvas's size (`networks.height`, `width`).
            joints: [J, 3] in pixels of the canvas.

        Raises:
            UserError: an image of another size or type, or an invalid pose.
        """
        size = (*self._size, 3)
        if image.shape != size or image.dtype != np.uint8:
            raise UserError(
                f"A canvas is uint8 {list(size)}, not {image.dtype} {list(image.shape)}; use synthesize for photos."
            )
        return self.networks.encode(image, as_joints(joints, self.skeleton, "the source pose")[:, :3])

    def render(self, state: Any, joints: np.ndarray) -> np.ndarray:
        """Renders the source person in another pose: joints [J, 3 or 4] in canvas pixels -> uint8 [h, w, 3].

        Raises:
            UserError: the pose is invalid.

        Example:
            >>> import numpy as np
            >>> from tf_unseen_pose import Reposer, bundled
            >>> reposer, (photo, joints, motion) = Reposer.load("lite"), bundled()
            >>> scene, top = np.ascontiguousarray(photo[150:406, 140:396]), np.float32([140, 150, 0, 0])
            >>> state = reposer.encode(scene, joints - top)
            >>> reposer.render(state, motion.joints[20] - top).shape
            (256, 256, 3)
        """
        return self.networks.render(state, as_joints(joints, self.skeleton, "the target pose")[None])[0]

    def canvas(
        self,
        image: np.ndarray,
        source_joints: np.ndarray | None,
        target_joints: np.ndarray,
        extent: np.ndarray | None = None,
    ) -> Canvas:
        """Cuts the canvas out of a photo, with both poses at the size used in training.

        Args:
            image: uint8 [H, W, 3].
            source_joints: [J, 3] in pixels of the photo; None to detect them.
            target_joints: [J, 3 or 4] in pixels of the photo.
            extent: as `ReposerLike.synthesize`.

        Raises:
            UserError: as `synthesize`.
        """
        found = source_person(image, source_joints, self.skeleton, extent=extent)
        source, target, canvas_to_image = self._pair_crop(image, found, target_joints)
        place = Placement.of(image, canvas_to_image, *self._size)
        pixels = from_uint8(cut_out(place.covered(image), place.canvas_to_covered, *self._size))
        return Canvas(pixels, source, target, canvas_to_image)

    def explain(self, canvas: Canvas) -> dict[str, np.ndarray]:
        """Every intermediate of one re-posing, without B, image [H, W, 3] last; see the generator's class.

        Raises:
            UserError: the runtime is not TensorFlow.
        """
        return self.networks.explain(canvas.image, canvas.source_joints, canvas.target_joints)

    def synthesize(
        self,
        image: Photo,
        target_joints: np.ndarray,
        source_joints: np.ndarray | None = None,
        crop: bool = False,
        background: np.ndarray | None = None,
        person: Choice = None,
        extent: np.ndarray | None = None,
    ) -> np.ndarray:
        """As `ReposerLike.synthesize`.

        Raises:
            UserError: as there.
        """
        image = as_photo(image)
        found = source_person(image, source_joints, self.skeleton, person, extent)
        source, target, canvas_to_image = self._pair_crop(image, found, target_joints)
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
        extent: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:
        """As `ReposerLike.animate`; the photo is encoded once.

        Raises:
            UserError: as there.
        """
        image = as_photo(image)
        poses, shown = driving_poses(poses, self.skeleton)
        found = source_person(image, source_joints, self.skeleton, person, extent)
        source, canvas_to_image = self._whole_crop(image, found, shown)
        poses = transform_joints(invert(canvas_to_image), poses)
        decide, finish = self._sitting(image, source, canvas_to_image, crop, background)

        def decided(first):
            batch = poses[first : first + batch_size]
            # One shape for all batches, so that a graph is traced once.
            filled = np.concatenate([batch, batch[-1:].repeat(batch_size - len(batch), axis=0)])
            return decide(filled)[: len(batch)]

        # While a batch is composed and written, the networks run on the next one.
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
        extent: np.ndarray | None = None,
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Encodes a photo for poses that are not known yet, such as a camera's.

        Args:
            image: as `ReposerLike.synthesize`.
            shown: [T, J, 3 or 4] in pixels of the photo, poses like the expected ones, which determine the crop.
            source_joints: [J, 3] in pixels of the photo.
            background, extent: as `ReposerLike.synthesize`.

        Returns:
            A function from a pose [J, 3 or 4] to the photo in that pose.

        Raises:
            UserError: as `animate`.

        Example:
            >>> from tf_unseen_pose import Reposer, bundled
            >>> photo, joints, motion = bundled()
            >>> posed = Reposer.load("lite").live(photo, motion.joints, joints[:, :3])
            >>> posed(motion.joints[20]).shape
            (630, 540, 3)
        """
        image = as_photo(image)
        _, shown = driving_poses(shown, self.skeleton)
        found = source_person(image, source_joints, self.skeleton, extent=extent)
        source, canvas_to_image = self._whole_crop(image, found, shown)
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
        """Encodes a photo.

        Returns:
            Functions: poses [B, J, 3 or 4] of the canvas -> decisions; decisions about one pose -> its picture.
        """
        plate = None
        if background is not None:
            shown = transform_joints(canvas_to_image, source_joints)
            plate = placed(background, image, mask_from_joints(shown, self.skeleton, *image.shape[:2]))
        place = Placement.of(image, canvas_to_image, *self._size)
        state = self.networks.encode_photo(place.covered(image), source_joints, place.canvas_to_covered)
        maps, steepness = self.networks.maps(state), self.networks.steepness
        compositor = Compositor(image, place, *maps, steepness, plate, self._sharp_hole)

        def finish(decisions):
            picture = compositor(decisions)
            return place.covered(picture) if crop else picture

        return lambda poses: self.networks.decide(state, poses), finish

    def _whole_crop(self, image: np.ndarray, person: Source, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return person_crop(image, person, targets, self.skeleton, *self._size, self._crop_factor)

    def _pair_crop(
        self, image: np.ndarray, person: Source, target_joints: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both poses in pixels of their common canvas, and that canvas's place in the photo."""
        target = target_pose(image, target_joints, self.skeleton)
        source, crop = self._whole_crop(image, person, target[None])
        return source, transform_joints(invert(crop), target), crop
