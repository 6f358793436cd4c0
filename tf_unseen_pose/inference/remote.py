"""A model on a server with the interface of `Reposer`.

    reposer = RemoteReposer("localhost:8500", "lite")
    photo = reposer.synthesize(image, target_joints, source_joints)

It uses TensorFlow Serving's protocol with `tensorflow_model_server` or `unseen-pose serve`, and the exported signatures
`sequence_crop` and `render_sequence_in_crop`; `encode_source` and `synthesize` tell the model's skeleton, canvas, and
whether it takes depth. Only the part of a photo that the canvas covers is sent, since nothing else can change.

Convention: as `protocol`; missing source joints are detected on the client.
"""

import io
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Self

import numpy as np
import tensorflow as tf
from PIL import Image

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.crop import holding
from tf_unseen_pose.imaging.pasting import Pasting
from tf_unseen_pose.imaging.photos import Photo, as_photo
from tf_unseen_pose.imaging.placement import Placement, on_whole_pixels
from tf_unseen_pose.inference.access import Access
from tf_unseen_pose.inference.connection import Connection
from tf_unseen_pose.inference.photo_poses import source_person, target_pose
from tf_unseen_pose.inference.protocol import ReposerLike
from tf_unseen_pose.known_skeletons import SKELETONS
from tf_unseen_pose.pose.driving import driving_poses
from tf_unseen_pose.pose.people import Choice
from tf_unseen_pose.skeleton import Skeleton

_log = logging.getLogger(__name__)
# Parts of a sequence in flight: one is rendered while the other travels.
_AHEAD = 2


class RemoteReposer(ReposerLike):
    """See the module's essay.

    Args:
        server: HOST:PORT.
        model: the model's name on the server.
        timeout: seconds that a request may take, including retries.
        access: certificates and tokens.
        lossless: send pixels as PNG; else as JPEG of quality 95, which is smaller and slightly changes the part that
            comes back.
        skeleton: the model's; by default the known one with as many joints.

    Raises:
        UserError: no server, no such model, or an unknown or ambiguous skeleton.

    Example:
        While `unseen-pose serve saved_models/lite` runs:

        >>> from tf_unseen_pose import RemoteReposer, bundled
        >>> server = "localhost:8500"  # doctest: +SKIP
        >>> photo, joints, motion = bundled()
        >>> with RemoteReposer(server, "lite") as reposer:
        ...     result = reposer.synthesize(photo, motion.joints[20], joints)
        >>> result.shape == photo.shape, bool((result == photo).all())
        (True, False)
    """

    def __init__(
        self,
        server: str,
        model: str = "lite",
        timeout: float = 60,
        access: Access | None = None,
        skeleton: Skeleton | None = None,
        lossless: bool = True,
    ):
        self._connection = Connection(server, model, timeout, access)
        self._connection.wait_until_ready()
        self._encoded = _png if lossless else _jpeg
        signatures = self._connection.signatures()
        self.skeleton = self._skeleton_of_model(signatures, [skeleton] if skeleton else SKELETONS.values())
        inputs = signatures["synthesize"].inputs
        self._size = tuple(side.size for side in inputs["image"].tensor_shape.dim[1:3])
        # Versions exported before depth have 3.
        self._takes_depth = inputs["target_joints"].tensor_shape.dim[2].size != 3

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

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
        """As `ReposerLike.synthesize`, without a background.

        Raises:
            UserError: as there; the server refuses or does not answer; a background.
        """
        _require_none(background)
        image = as_photo(image)
        target = target_pose(image, target_joints, self.skeleton)
        (picture,) = self.animate(image, target[None], source_joints, crop, 1, None, person, extent)
        return picture

    def animate(
        self,
        image: Photo,
        poses: np.ndarray,
        source_joints: np.ndarray | None = None,
        crop: bool = False,
        batch_size: int = 16,
        background: np.ndarray | None = None,
        person: Choice = None,
        extent: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:
        """As `ReposerLike.animate`, without a background.

        A sequence of any length is sent in parts of `batch_size` poses, at most two ahead of the frames taken.

        Raises:
            UserError: as there; the server refuses or does not answer; a background.
        """
        _require_none(background)
        image = as_photo(image)
        source, extent = source_person(image, source_joints, self.skeleton, person, extent)
        poses, shown = map(self._sent, driving_poses(poses, self.skeleton))
        size = np.int32([image.shape[:2]])
        found = self._connection.predict(
            "sequence_crop", source_joints=source[None], target_joints=shown[None], image_size=size
        )
        canvas_to_image = found["canvas_to_image"][0]
        if extent is not None:
            canvas_to_image = holding(canvas_to_image, extent, *self._size)
        part, corner, canvas_to_part = _needed(image, canvas_to_image, *self._size)
        file = self._encoded(part)
        source, poses = (joints - _shift(corner, joints.shape[-1]) for joints in (source, poses))

        def rendered(first):
            some = poses[first : first + batch_size]
            # Parts of equal length, which a server can batch and traces once.
            filled = np.concatenate([some, some[-1:].repeat(batch_size - len(some), axis=0)])
            answer = self._connection.predict(
                "render_sequence_in_crop",
                image_bytes=[file],
                source_joints=source[None],
                target_joints=filled[None],
                canvas_to_image=canvas_to_part[None],
            )
            pictures = [_picture(content) for content in answer["image_bytes"][0][: len(some)]]
            return pictures, answer["canvas_to_image"][0]

        for pictures, place in _ahead(rendered, range(0, len(poses), batch_size)):
            place[:, 2] += corner
            for picture in pictures:
                yield picture if crop else _pasted(image, picture, place)

    def _sent(self, poses: np.ndarray) -> np.ndarray:
        """Poses with depth or without, as the model takes them."""
        if self._takes_depth or poses.shape[-1] == 3:
            return poses
        _log.warning(
            "The model '%s' on the server is of a version that takes no depth, and which limb covers which is guessed; "
            "export it again.",
            self._connection.model,
        )
        return poses[..., :3]

    def _skeleton_of_model(self, signatures: dict, candidates: Iterable[Skeleton]) -> Skeleton:
        """The known skeleton with as many joints as the source's state; requests may have fewer."""
        signature = signatures.get("encode_source")
        shape = signature and signature.outputs["joints"].tensor_shape.dim
        count = shape[1].size if shape and len(shape) == 3 else None
        fitting = [skeleton for skeleton in candidates if skeleton.joint_count == count]
        if not fitting:
            raise UserError(
                f"The model '{self._connection.model}' is not one of this project's exports, or of another skeleton; "
                "serve a folder that 'export' wrote, and register its skeleton with register_skeleton."
            )
        if len(fitting) > 1:
            names = " and ".join(f"'{skeleton.name}'" for skeleton in fitting)
            raise UserError(f"The skeletons {names} have as many joints as the model; give RemoteReposer one of them.")
        return fitting[0]


def _require_none(background: np.ndarray | None) -> None:
    if background is not None:
        raise UserError("A server takes no background; leave it out, or re-pose without a server.")


def _ahead(function: Callable, values: Iterable) -> Iterator:
    """The function of each value in order, computed a few values ahead."""
    values, coming = iter(values), deque[Future]()
    with ThreadPoolExecutor(_AHEAD) as threads:
        coming.extend(threads.submit(function, value) for value in islice(values, _AHEAD))
        try:
            while coming:
                result = coming.popleft().result()
                coming.extend(threads.submit(function, value) for value in islice(values, 1))
                yield result
        finally:
            # If the consumer stops or an error occurs, pending work is cancelled.
            threads.shutdown(wait=False, cancel_futures=True)


def _pasted(image: np.ndarray, picture: np.ndarray, picture_to_image: np.ndarray) -> np.ndarray:
    """Pastes a server's result for a part of a photo into the photo.

    The part has the photo's resolution, unless the photo exceeded the server's limit, which a warning says.
    """
    height, width = picture.shape[:2]
    if picture_to_image[0, 0] != 1:
        _log.warning(
            "The server makes photos of %d pixels %.1f times smaller before it re-poses them, "
            "and the result is as much coarser; serve an export with a larger --max-side, or send a smaller photo.",
            max(image.shape[:2]),
            picture_to_image[0, 0],
        )
        return Pasting(image, height, width, picture_to_image)(picture)
    result, (left, top) = image.copy(), np.int64(picture_to_image[:, 2])
    result[top : top + height, left : left + width] = picture
    return result


def _needed(
    image: np.ndarray, canvas_to_image: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The part of a photo that a canvas [height, width] needs, its first pixel (x, y), and the canvas's place in it.

    It has one more pixel on every side, if possible, since results fade towards a canvas's edge but not a photo's.
    """
    crop = on_whole_pixels(canvas_to_image, height, width)
    place = Placement.of(image, crop, height, width)
    rows, columns = (slice(max(cut.start - 1, 0), cut.stop + 1) for cut in (place.rows, place.columns))
    corner = np.float32([columns.start, rows.start])
    crop[:, 2] -= corner
    return np.ascontiguousarray(image[rows, columns]), corner, np.float32(crop)


def _shift(corner: np.ndarray, columns: int) -> np.ndarray:
    return np.concatenate([corner, np.zeros(columns - 2, np.float32)])


def _jpeg(image: np.ndarray) -> bytes:
    return tf.io.encode_jpeg(image, quality=95, chroma_downsampling=False).numpy()


def _png(image: np.ndarray) -> bytes:
    # Fast, and hardly larger than ten times slower compression.
    return tf.io.encode_png(image, compression=1).numpy()


def _picture(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
