"""The command `demo`: animates a photo with the bundled model and motion.

The bundled photo and motion are from one video (see assets/demo_data/NOTICE), so the poses are in the photo's pixels
and the true frames are known; for other photos the motion is fitted.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tf_unseen_pose.data.clip_poses import spread
from tf_unseen_pose.imaging.drawing import contact_sheet, draw_pose
from tf_unseen_pose.imaging.image_files import save_image, shrink
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.inference.animation import write_animation
from tf_unseen_pose.inference.bundled import bundled, bundled_avatar
from tf_unseen_pose.inference.photo_poses import Source
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.inference.runtime import Runtime
from tf_unseen_pose.known_skeletons import person_joints
from tf_unseen_pose.pose.retargeting import retarget
from tf_unseen_pose.skeleton import Skeleton

# Limit on the side of a user's photo, of which the video shows three side by side; number of poses on the sheet.
_LONGER_SIDE, _SHOWN = 1280, 4


def demo(
    output: Path,
    photo: Path | None = None,
    model: Path | str = "lite",
    runtime: Runtime | str = Runtime.auto,
    progress: bool = True,
) -> Iterator[Path]:
    """Writes `demo.png`, a contact sheet, and `demo.mp4`, the whole motion, to a folder; yields each path once written.

    Args:
        output: the folder, created if missing.
        photo: of one person, whose pose is detected; by default the bundled photo, whose pose is known.
        model, runtime: as `Reposer.load`.
        progress: shows a bar.

    Raises:
        UserError: a photo that cannot be read, or that shows nobody; no such model.
    """
    reposer, (image, source, motion), extent = Reposer.load(model, runtime), bundled(), None
    if photo is not None:
        image, (source, extent) = _found(photo)
    skeleton = reposer.skeleton
    source, poses = person_joints(source, skeleton), retarget(motion.joints, source, skeleton)
    output.mkdir(parents=True, exist_ok=True)
    sheet, video = output / "demo.png", output / "demo.mp4"
    posed = reposer.live(image, poses, source[:, :3], extent=extent)
    picture = _sheet(image, source, poses[spread(len(poses), _SHOWN)], posed, skeleton)
    if photo is None:
        picture = _stacked(picture, _avatar_sheet(reposer, motion.joints))
    save_image(sheet, picture, synthetic=True)
    yield sheet
    frames = _beside(image, poses, map(posed, poses), skeleton)
    write_animation(frames, len(poses), video, motion.fps, progress)
    yield video


def _found(photo: Path) -> tuple[np.ndarray, Source]:
    # MediaPipe is large, and the bundled photo does not need it.
    from tf_unseen_pose.pose.estimation import find_person, open_estimator

    image = shrink(load_image(photo), _LONGER_SIDE)
    with open_estimator() as estimator:
        person = find_person(image, str(photo), estimator)
    return image, Source(person.joints, person.extent)


def _sheet(
    image: np.ndarray,
    source: np.ndarray,
    poses: np.ndarray,
    posed: Callable[[np.ndarray], np.ndarray],
    skeleton: Skeleton,
) -> np.ndarray:
    """A sheet with the photo and poses above, the photo's joints and results below, all at the photo's size."""
    nothing = np.zeros_like(image)
    above = [("photo", image), *(("pose", draw_pose(nothing, pose, skeleton)) for pose in poses)]
    below = [("its joints", draw_pose(image, source, skeleton)), *(("result", posed(pose)) for pose in poses)]
    return contact_sheet(above + below, columns=1 + len(poses))


def _avatar_sheet(reposer: Reposer, motion: np.ndarray) -> np.ndarray:
    """A row with a bundled avatar and the poses of `_sheet`, fitted to it."""
    photo, joints = bundled_avatar(1)
    source = person_joints(joints, reposer.skeleton)
    poses = retarget(motion, source, reposer.skeleton)[spread(len(motion), _SHOWN)]
    posed = reposer.live(photo, poses, source[:, :3])
    return contact_sheet([("another photo", photo), *(("result", posed(pose)) for pose in poses)], 1 + len(poses))


def _stacked(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Two sheets, the narrower one filled up with its background's colour."""
    width = max(above.shape[1], below.shape[1])
    filled = [np.pad(sheet, ((0, 0), (0, width - sheet.shape[1]), (0, 0)), "edge") for sheet in (above, below)]
    return np.concatenate(filled)


def _beside(
    image: np.ndarray, poses: np.ndarray, frames: Iterable[np.ndarray], skeleton: Skeleton
) -> Iterator[np.ndarray]:
    """Photo, pose and result side by side, frame by frame, enlarged if small."""
    nothing = np.zeros_like(image)
    for joints, frame in zip(poses, frames, strict=True):
        row = np.concatenate([image, draw_pose(nothing, joints, skeleton), frame], axis=1)
        yield np.asarray(Image.fromarray(row).resize([2 * (side // 2) for side in row.shape[1::-1]]))
