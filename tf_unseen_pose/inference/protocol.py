"""The common interface of all re-posers.

Convention: photos are uint8 [H, W, 3] RGB of any size, or what `imaging.photos.as_photo` converts to that; joints are
[J, 3] (x, y, visibility) in pixels of the photo. A target's joints may have a fourth column, their depth z (see
`pose.pose_files`); a source's is ignored. Any model of a person takes the 14 joints of `PERSON` or the 23 of
`BODY`. Source joints that are not given are detected.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from tf_unseen_pose.imaging.photos import Photo
from tf_unseen_pose.pose.people import Choice
from tf_unseen_pose.skeleton import Skeleton


class ReposerLike(Protocol):
    """Renders the person of a photo in other poses.

    Implementations: `Reposer` in this process, `RemoteReposer` on a server.

    Attributes:
        skeleton: the model's skeleton.

    Example:
        >>> from tf_unseen_pose import Reposer, ReposerLike, bundled
        >>> def moves(reposer: ReposerLike) -> bool:
        ...     photo, joints, motion = bundled()
        ...     first, last = reposer.animate(photo, motion.joints[[0, 20]], joints)
        ...     return bool((first != last).any())
        >>> moves(Reposer.load("lite"))
        True
    """

    skeleton: Skeleton

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
        """Renders the photo with its person in the target pose.

        Args:
            image: uint8 [H, W, 3], a Pillow image, or a file's path; see `imaging.photos.as_photo`.
            target_joints: [J, 3 or 4] in pixels of the photo; parts outside are cut off.
            source_joints: [J, 3] in pixels of the photo; joints outside of it count as absent.
            crop: return only the part of the photo that the network saw, at the photo's resolution.
            background: uint8 [h, w, 3], the scene without the person, of any size, from about the same place; it fills
                what the person covered instead of inpainting. With a fourth channel, only where that is 255.
            person: the person among several, without given source joints: a number from the left (1, 2, ...), a point
                (x, y) or a box (x0, y0, x1, y1) in pixels; by default the largest.
            extent: [4] x0, y0, x1, y1 in pixels, the box that shows the person whose joints are given (`find_poses`
                returns both); the crop contains it.

        Returns:
            uint8 [H, W, 3], identical to the photo outside of the old and the new person; with `crop` its part uint8
            [h, w, 3].

        Raises:
            UserError: a pose with the wrong joint count, NaN, nothing visible, or nothing in the photo; no person in
                it, or not the chosen one; an invalid photo; a background of another scene.
        """
        ...

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
        """Renders the photo's person in a sequence of poses, yielding frames as they are ready.

        Args:
            image: uint8 [H, W, 3], a Pillow image, or a file's path; see `imaging.photos.as_photo`.
            poses: [T, J, 3 or 4] in pixels of the photo; a pose without a visible joint repeats the frame before (at
                the beginning, the first one with a joint).
            source_joints: [J, 3] in pixels of the photo.
            crop: yield only the part of the photo that the network saw.
            batch_size: frames rendered together.
            background, person, extent: as `synthesize`.

        Yields:
            T times uint8 [H, W, 3], or [h, w, 3] with `crop`.

        Raises:
            UserError: as `synthesize`, but target joints may lie anywhere; parts outside the picture are cut off.
        """
        ...
