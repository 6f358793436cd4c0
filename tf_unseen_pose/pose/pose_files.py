"""Reads and writes pose files (JSON).

    {"width": W, "height": H, "fps": F, "poses": [{"joints": [[x, y, visibility], ...]}, ...]}

Joints are in the skeleton's order, in pixels of an image of W x H. They may have depth, [x, y, visibility, z]: z is in
pixels too, smaller being nearer to the camera, and only its differences matter. It is dropped unless all poses that
show somebody have it. One object per frame is also read: a list of {"width": W, "height": H, "joints": [...]}, or of
the object above with one pose. For files of other programs see `pose.foreign_files`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing
from tf_unseen_pose.known_skeletons import is_person, person_joints
from tf_unseen_pose.pose.foreign_files import read_foreign_poses, read_posewarp_poses
from tf_unseen_pose.pose.foreign_people import SizedPoses, scaled_to, stack_poses
from tf_unseen_pose.pose.openpose_files import openpose_files
from tf_unseen_pose.skeleton import Skeleton
from tf_unseen_pose.words import counted

_ACCEPTED = (
    "JSON with width, height and poses (see docs/your-photo.md), the JSON of OpenPose (or its folder of a video), "
    "COCO, AlphaPose, MMPose, YOLO, MPII or MediaPipe, or the authors' .mat"
)


@dataclass(frozen=True)
class Poses:
    """The poses of one person in one image or video.

    Attributes:
        joints: float32 [T, J, 3], or [T, J, 4] with depth.
        width, height: size in pixels of the image that the joints belong to.
        fps: frames per second; 0 for stills.
        extent: float32 [4] x0, y0, x1, y1, the box that shows the person detected in a photo; None for others.

    Example:
        >>> import numpy as np
        >>> from tf_unseen_pose import Poses
        >>> joints = np.full((1, 14, 3), 30, np.float32)
        >>> Poses(joints, width=61, height=61).scaled_to(121, 121).joints[0, 0]
        array([60., 60., 30.], dtype=float32)
    """

    joints: np.ndarray
    width: int
    height: int
    fps: float = 0.0
    extent: np.ndarray | None = None

    def scaled_to(self, width: int, height: int) -> "Poses":
        """The same poses for an image of another size: scaled uniformly and centred."""
        sizes = (self.width, self.height), (width, height)
        extent = None if self.extent is None else scaled_to(self.extent.reshape(2, 2), *sizes).ravel()
        return Poses(scaled_to(self.joints, *sizes), width, height, self.fps, extent)


# A number beyond float32 becomes infinite and is rejected below, without NumPy's warning.
@np.errstate(over="ignore", invalid="ignore")
def read_poses(path: Path, skeleton: Skeleton, size: tuple[int, int] | None = None) -> Poses:
    """Reads and checks a pose file of this or another program, recognised by its content.

    Files of `PERSON` (14 joints) and `BODY` (23) are read for either skeleton; missing joints are absent.

    Further formats for these two:
      - OpenPose: a file of 25 keypoints (BODY_25, BODY_25B) or 18, with hands if it has them, or the folder of a
        video's files; so ControlNet and pose editors write it, with the canvas's size.
      - COCO's 17 keypoints, COCO-WholeBody's 133, Halpe's 26 and 136: results, annotations, and the lists that
        AlphaPose, MMPose, ViTPose and YOLO write.
      - MediaPipe: 33 landmarks x, y, and optionally z and visibility, by order or by name.
      - MPII: a list of objects with image, joints and joints_vis.
      - the authors' .mat.
    Of several people, the one with the best score is taken, else with the largest area, else the largest. Coordinates
    may be fractions, 0..1, of the image's width and height. Images of several sizes are scaled to the first one's. In a
    frame without people all joints are invisible.

    Args:
        path: the file, or the folder of OpenPose's files.
        skeleton: of the result.
        size: width and height of the poses' image, for files that do not state it: all but our own, COCO's
            annotations and those with a canvas.

    Raises:
        UserError: no such file, an unknown format, missing keys, wrong joint count, NaN, no joint visible in any
            frame, or an image of unknown size.

    Example:
        >>> from tf_unseen_pose import PERSON, read_poses
        >>> from tf_unseen_pose.inference.bundled import FOLDER
        >>> poses = read_poses(FOLDER / "person.json", PERSON)
        >>> poses.joints.shape, poses.width, poses.height
        ((1, 14, 4), 540, 630)
    """
    poses, size, fps = _read(path, skeleton, size)
    if size is None:
        raise UserError(f"{path} does not state its image's size; add width and height to it.")
    if len(poses) == 0 or min(size) < 1:
        raise UserError(f"The pose file {path} holds no pose of an image with a size; create it again.")
    joints = stack_poses(_as_frame(pose, skeleton, f"pose {i + 1} of {path}") for i, pose in enumerate(poses))
    if not (joints[..., 2] > 0).any():
        raise UserError(f"No joint of {path} is visible; take a picture in which the person is seen.")
    return Poses(joints, *size, fps)


def _read(
    path: Path, skeleton: Skeleton, size: tuple[int, int] | None
) -> tuple[Sequence, tuple[int, int] | None, float]:
    """Joints of every frame, unchecked; width and height, if known; the frame rate, 0 if unknown."""
    if not path.exists():
        raise UserError(f"There is no pose file {path}; name an existing one.")
    foreign: SizedPoses | None
    if path.suffix.lower() == ".mat":
        foreign = read_posewarp_poses(path, size)
    else:
        content = [_load(file) for file in openpose_files(path)] if path.is_dir() else _load(path)
        foreign = read_foreign_poses(content, path, size)
        if foreign is None:
            return _own_poses(content, path)
    if not is_person(skeleton):
        raise UserError(
            f"{path} has joints of the skeletons 'person' and 'body' alone; write a pose file for '{skeleton.name}'."
        )
    return *foreign, 0.0


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is not a pose file; it must be {_ACCEPTED}.") from error


def _own_poses(content: Any, path: Path) -> tuple[list, tuple[int, int], float]:
    """As `_read`, for our own JSON."""
    frames = content if isinstance(content, list) else [content]
    try:
        sizes = {(int(frame["width"]), int(frame["height"])) for frame in frames}
        fps = float(frames[0].get("fps") or 0)
        poses = [[frame["joints"]] if "joints" in frame else [p["joints"] for p in frame["poses"]] for frame in frames]
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise UserError(f"{path} is not a pose file; it must be {_ACCEPTED}.") from error
    if not 0 <= fps < float("inf"):
        raise UserError(f"The frame rate of {path} is {fps}; give frames a second, or 0 for stills.")
    if len(sizes) > 1:
        raise UserError(f"The poses of {path} belong to images of several sizes; scale them to one.")
    if isinstance(content, list) and any(len(people) != 1 for people in poses):
        raise UserError(f"An object of the list in {path} does not hold one pose; write one a frame.")
    return [joints for people in poses for joints in people], sizes.pop(), fps


def write_poses(path: Path, poses: Poses) -> None:
    """Writes a pose file atomically.

    Example:
        >>> from pathlib import Path
        >>> from tf_unseen_pose import BODY, bundled, read_poses, write_poses
        >>> _, _, motion = bundled()
        >>> write_poses(Path("motion.json"), motion)
        >>> read_poses(Path("motion.json"), BODY).joints.shape == motion.joints.shape
        True
    """
    content = {
        "width": poses.width,
        "height": poses.height,
        "fps": poses.fps,
        "poses": [{"joints": np.round(pose.astype(float), 3).tolist()} for pose in poses.joints],
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content))


def as_joints(values: ArrayLike, skeleton: Skeleton, name: str) -> np.ndarray:
    """float32 [J, 3 or 4] of nested sequences [J, 3 or 4], or [J, 2] for joints that are all visible.

    Skeletons `PERSON` and `BODY` accept each other's poses.

    Raises:
        UserError: wrong joint count, NaN, visibility outside 0..1, no joint visible; the message names the pose `name`.
    """
    joints = _as_frame(values, skeleton, name)
    if not (joints[:, 2] > 0).any():
        raise UserError(f"No joint of {name} is visible; take a picture in which the person is seen.")
    return joints


def _as_frame(values: ArrayLike, skeleton: Skeleton, name: str) -> np.ndarray:
    """As `as_joints`, for a frame of a sequence, which may show nobody."""
    try:
        joints = np.asarray(values, np.float32)
    except (TypeError, ValueError, OverflowError):
        joints = np.empty(0, np.float32)
    if joints.ndim != 2 or joints.shape[1] not in (2, 3, 4):
        raise UserError(
            f"The joints of {name} are not rows of x, y and visibility, with z in all or none; correct the pose."
        )
    if joints.shape[1] == 2:
        joints = np.concatenate([joints, np.ones_like(joints[:, :1])], axis=1)
    joints = person_joints(joints, skeleton)
    if len(joints) != skeleton.joint_count:
        raise UserError(
            f"{name[:1].upper()}{name[1:]} has {counted(len(joints), 'joint')}, the skeleton '{skeleton.name}' has "
            f"{skeleton.joint_count}: {', '.join(skeleton.joints)}."
        )
    if not np.isfinite(joints).all():
        bad = skeleton.joints[int(np.argmin(np.isfinite(joints).all(axis=1)))]
        raise UserError(f"The {bad} of {name} is not a number; give it coordinates, and visibility 0 if it is unseen.")
    if (joints[:, 2] < 0).any() or (joints[:, 2] > 1).any():
        raise UserError(f"A visibility of {name} is outside 0..1; correct the pose.")
    return joints
