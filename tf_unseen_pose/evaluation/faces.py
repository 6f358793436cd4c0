"""Detects and compares faces at the head of a pose with dlib.

Both come from optional packages, `requirements-faces.txt`.
"""

import importlib.util
from pathlib import Path

import numpy as np

from tf_unseen_pose.evaluation.metrics import head_length
from tf_unseen_pose.imaging.resampling import cut_out
from tf_unseen_pose.skeleton import Skeleton

_PACKAGES = {"dlib": "dlib-bin", "face_recognition_models": "face-recognition-models"}
# Descriptions nearer than this are of one person.
# Source: dlib's dlib_face_recognition_resnet_model_v1, with which 0.6 gives 99.38 % on Labeled Faces in the Wild.
SAME_PERSON = 0.6
# The detector knows faces of 80 pixels and more: pictures are looked at with the longer side enlarged to this.
_LONGER_SIDE = 1700
# What is looked at: a square with the head in its middle, so many heads wide.
_HEADS = 4.0


def missing_packages() -> list[str]:
    """The missing packages for `FaceRecogniser`."""
    return [package for module, package in _PACKAGES.items() if importlib.util.find_spec(module) is None]


class FaceRecogniser:
    """Describes the face at a pose's head. Needs the packages that `missing_packages` names.

    Args:
        skeleton: that of the joints.
    """

    def __init__(self, skeleton: Skeleton):
        import dlib

        self._skeleton = skeleton
        # The package itself is not imported, since it needs a part of setuptools that newer versions lack.
        (folder,) = importlib.util.find_spec("face_recognition_models").submodule_search_locations  # type: ignore[union-attr, misc]
        models = Path(folder) / "models"
        self._find = dlib.get_frontal_face_detector()
        self._align = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def describe(self, picture: np.ndarray, joints: np.ndarray) -> np.ndarray | None:
        """The face at the head of a pose: [128], nearer than `SAME_PERSON` to others of that person.

        Args:
            picture: uint8 [H, W, 3].
            joints: [J, 3 or 4] in pixels of the picture.

        Returns:
            None if no face is within a head's length of the head, or the pose has no head or neck.

        Raises:
            UserError: as `upright_head`.
        """
        place = upright_head(joints, self._skeleton, max(picture.shape[:2]))
        if place is None:
            return None
        seen_to_picture, side = place
        seen = cut_out(picture, seen_to_picture, side, side)
        faces = list(self._find(seen, 0))
        if not faces:
            return None
        middle = np.array([(side - 1) / 2] * 2)
        away = [float(np.hypot(*(np.array([face.center().x, face.center().y]) - middle))) for face in faces]
        nearest = int(np.argmin(away))
        if away[nearest] > side / _HEADS:
            return None
        return np.array(self._network.compute_face_descriptor(seen, self._align(seen, faces[nearest])))


def upright_head(joints: np.ndarray, skeleton: Skeleton, longer_side: int) -> tuple[np.ndarray, int] | None:
    """A square around a pose's head, rotated so that the head is above the neck.

    Args:
        joints: [J, 3 or 4] in pixels of a picture.
        longer_side: the picture's, which is enlarged to 1700 pixels.

    Returns:
        float64 [2, 3] from pixels of the square to those of the picture, and the square's side; None where head or
        neck are absent or coincide.

    Raises:
        UserError: the pose has no size.
    """
    head, neck = joints[skeleton.joint_index("head", "neck")].astype(np.float64)
    up = (head - neck)[:2]
    if head[2] <= 0 or neck[2] <= 0 or not up.any():
        return None
    enlarged = max(1.0, _LONGER_SIDE / longer_side)
    side = max(1, round(_HEADS * head_length(joints, skeleton) * enlarged))
    up /= np.hypot(*up)
    turn = np.array([[-up[1], -up[0]], [up[0], -up[1]]]) / enlarged
    middle = (head + neck)[:2] / 2
    return np.column_stack([turn, middle - turn @ np.full(2, (side - 1) / 2)]), side


def is_same_person(description: np.ndarray, other: np.ndarray) -> bool:
    """Whether two faces [128] are of one person."""
    return bool(np.linalg.norm(description - other) < SAME_PERSON)
