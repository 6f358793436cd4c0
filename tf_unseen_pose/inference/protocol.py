"""What all re-posers share, wherever their model runs.

Convention: photos are uint8 [H, W, 3] RGB of any size, or what `imaging.photos.as_photo` makes that of; joints are
[J, 3] (x, y, visibility) in pixels of the photo. A target's joints may have a fourth column, their depth z (see
`pose.pose_files`); a source's is not used. A person may be given by the 14 joints of `PERSON` or the 23 of `BODY`,
whichever the model has. Where the source's joints are not given, they are found.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from tf_unseen_pose.imaging.photos import Photo
from tf_unseen_pose.pose.people import Choice
from tf_unseen_pose.skeleton import Skeleton


class ReposerLike(Protocol):
    """What puts the person of a photo into other poses.

    It is a `Reposer` in this process, or a `RemoteReposer` on a server.

    Attributes:
        skeleton: whose joints it takes.

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
        """The photo with its person in the target pose.

        Args:
            image: uint8 [H, W, 3], a Pillow image, or a file's path; see `imaging.photos.as_photo`.
            target_joints: [J, 3 or 4] in pixels of the photo; what lies outside is cut off.
            source_joints: [J, 3] in pixels of the photo; those outside of it count as absent.
            crop: return only what of the photo the network saw, at the photo's own resolution.
            background: uint8 [h, w, 3], the scene without the person, of any size, from about the same place; what
                the person covered is filled from it instead of being painted. With a fourth channel, only where that
                is 255.
            person: who of several people in the photo is meant, where the source's joints are not given: a number from
                the left, 1 on, a point (x, y) or a box (x0, y0, x1, y1) in pixels; else the largest.
            extent: [4] x0, y0, x1, y1 in pixels, what of the photo shows the person, where the source's joints are
                given and do not say it (`find_poses` gives both): all of it is repainted.

        Returns:
            uint8 [H, W, 3], identical to the photo wherever neither the old person nor the new one is; or of it uint8
            [h, w, 3].

        Raises:
            UserError: a pose with the wrong joint count, NaN, nothing visible, or nothing in the photo; no person in
                it, or not the one who is chosen; a photo that is none; a background of another scene.
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
        """The photo's person in one pose after the other. Frames come as they are made.

        Args:
            image: uint8 [H, W, 3], a Pillow image, or a file's path; see `imaging.photos.as_photo`.
            poses: [T, J, 3 or 4] in pixels of the photo; where no joint is visible, the frame before is held (at the
                beginning, the first that can be made).
            source_joints: [J, 3] in pixels of the photo.
            crop: give only what of the photo the network saw.
            batch_size: frames that are rendered at a time.
            background, person, extent: as `synthesize`.

        Yields:
            T times uint8 [H, W, 3], or [h, w, 3] with `crop`.

        Raises:
            UserError: as `synthesize`, but target joints may lie anywhere: what leaves the picture is cut off.
        """
        ...
