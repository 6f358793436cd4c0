"""Pose files: JSON that travels between the estimator, people and the commands.

    {"width": W, "height": H, "fps": F, "poses": [{"joints": [[x, y, visibility], ...]}, ...]}

Joints are in the skeleton's order, in pixels of an image of W x H.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing
from tf_unseen_pose.skeleton import Skeleton


@dataclass(frozen=True)
class Poses:
    """The poses of one person in one image or video.

    Attributes:
        joints: float32 [T, J, 3].
        width, height: size in pixels of the image that the joints belong to.
        fps: frames a second; 0 for stills.
    """

    joints: np.ndarray
    width: int
    height: int
    fps: float = 0.0

    def scaled_to(self, width: int, height: int) -> "Poses":
        """The same poses for an image of another size: scaled uniformly and centred."""
        scale = min(width / self.width, height / self.height)
        centre = (np.array([self.width, self.height]) - 1) / 2
        joints = self.joints.copy()
        joints[..., :2] = (joints[..., :2] - centre) * scale + (np.array([width, height]) - 1) / 2
        return Poses(joints, width, height, self.fps)


def read_poses(path: Path, skeleton: Skeleton) -> Poses:
    """Reads and checks a pose file.

    Raises:
        UserError: no such file, not JSON, missing keys, wrong joint count, NaN, no joint visible.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"There is no pose file {path}; name an existing one.") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path} is not a pose file; it must be JSON with width, height and poses.") from error
    try:
        width, height = int(content["width"]), int(content["height"])
        fps = float(content.get("fps") or 0)
        poses = [pose["joints"] for pose in content["poses"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"The pose file {path} lacks width, height or poses with joints; see the README's example."
        ) from error
    if not poses or width < 1 or height < 1:
        raise UserError(f"The pose file {path} holds no pose of an image with a size; make it anew.")
    joints = np.stack([as_joints(pose, skeleton, f"pose {i + 1} of {path}") for i, pose in enumerate(poses)])
    return Poses(joints, width, height, fps)


def write_poses(path: Path, poses: Poses) -> None:
    """Writes a pose file, under a temporary name first."""
    content = {
        "width": poses.width,
        "height": poses.height,
        "fps": poses.fps,
        "poses": [{"joints": np.round(pose.astype(float), 3).tolist()} for pose in poses.joints],
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content))


def as_joints(values, skeleton: Skeleton, name: str) -> np.ndarray:
    """float32 [J, 3] of nested sequences [J, 3], or [J, 2] for joints that are all visible.

    Raises:
        UserError: wrong joint count, NaN, visibility out of 0..1, no joint visible; the sentence calls the pose `name`.
    """
    try:
        joints = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        joints = np.empty(0, np.float32)
    if joints.ndim != 2 or joints.shape[1] not in (2, 3):
        raise UserError(f"The joints of {name} are not rows of x, y and visibility; correct the pose.")
    if len(joints) != skeleton.joint_count:
        raise UserError(
            f"The {name} has {len(joints)} joints, the skeleton '{skeleton.name}' has {skeleton.joint_count}: "
            f"{', '.join(skeleton.joints)}."
        )
    if joints.shape[1] == 2:
        joints = np.concatenate([joints, np.ones_like(joints[:, :1])], axis=1)
    if not np.isfinite(joints).all():
        bad = skeleton.joints[int(np.argmin(np.isfinite(joints).all(axis=1)))]
        raise UserError(f"The {bad} of {name} is not a number; give it coordinates, and visibility 0 if it is unseen.")
    if (joints[:, 2] < 0).any() or (joints[:, 2] > 1).any():
        raise UserError(f"A visibility of {name} is outside 0..1; correct the pose.")
    if not (joints[:, 2] > 0).any():
        raise UserError(f"No joint of {name} is visible; take a picture in which the person is seen.")
    return joints


def require_inside(joints: np.ndarray, width: int, height: int, skeleton: Skeleton, name: str) -> None:
    """Refuses a pose with a visible joint outside its image.

    Raises:
        UserError: names the first such joint.
    """
    x, y, visible = joints.T
    outside = (visible > 0) & ((x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5))
    if outside.any():
        i = int(np.argmax(outside))
        raise UserError(
            f"The {skeleton.joints[i]} of {name} lies at ({x[i]:.0f}, {y[i]:.0f}), outside the {width} x {height} "
            "photo; move it inside or set its visibility to 0."
        )
