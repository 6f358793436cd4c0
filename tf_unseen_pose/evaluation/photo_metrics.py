"""Metrics of whole re-posed photos at their own size, as users get them.

SSIM on the reduced canvas rewards blur; these metrics penalise blur, ghosts and seams.

Convention: as `metrics`; joints are in pixels of the photo.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation import metrics
from tf_unseen_pose.evaluation.example_pictures import PhotoPair
from tf_unseen_pose.evaluation.faces import FaceRecogniser, is_same_person, missing_packages
from tf_unseen_pose.evaluation.result_metrics import Detector
from tf_unseen_pose.known_skeletons import PERSON, person_joints
from tf_unseen_pose.skeleton import Skeleton

# A pose fails if less than this fraction of its joints is found.
LEAST_PCKH = 0.5
# The joints of PCKh: the paper's, common to both skeletons, and ends of limbs.
_JUDGED = {
    "photo_pckh": PERSON.joints,
    "hands_pckh": ("right_hand", "left_hand"),
    "toes_pckh": ("right_toe", "left_toe"),
}
# Factors of the size in which poses are detected. What the detector finds in one size is partly chance: it moved means
# over 108 pairs by 0.01.
_SIZES = (0.93, 0.97, 1.0, 1.04, 1.08)

# Photo uint8 [H, W, 3], target joints and source joints [J, 3] in its pixels -> the photo re-posed, uint8 [H, W, 3].
Repose = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def gradient(picture: np.ndarray) -> np.ndarray:
    """Gradient magnitude of the brightness of uint8 [H, W, 3] by Sobel's 3 x 3 operators: float32 [H, W]."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))


def sharpness(result: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    """The result's mean gradient relative to the target's: 1 is as sharp as the photograph, noise is more.

    Args:
        result, target: uint8 [H, W, 3].
        weight: [H, W]; NaN is returned where less than one pixel counts, or the target is flat.
    """
    truth = metrics.weighted_mean(gradient(target), weight)
    return metrics.weighted_mean(gradient(result), weight) / truth if truth > 0 else float("nan")


def hole_error(result: np.ndarray, truth: np.ndarray, source_mask: np.ndarray, target_mask: np.ndarray) -> float:
    """Error of the inpainting inside the source person's mask and outside the target's.

    Args:
        result: uint8 [H, W, 3].
        truth: uint8 [H, W, 3], the scene without anybody, where the clip's is known; else the target photograph, which
            shows what the person of the source had covered, and perhaps the other pose's shadow.
        source_mask, target_mask: float32 [H, W], the person.

    Returns:
        Mean absolute difference in parts of the range.
    """
    return metrics.weighted_mean(np.abs(metrics.difference(result, truth)), np.maximum(source_mask - target_mask, 0))


def own_pose(result: np.ndarray, source: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """The change of a photo that is re-posed to its own pose.

    Args:
        result, source: uint8 [H, W, 3].
        mask: float32 [H, W], the person.

    Returns:
        own_psnr: inside the person, in dB, 100 at most; own_change: mean absolute difference elsewhere, of 255.
    """
    change = metrics.weighted_mean(np.abs(metrics.difference(result, source)), 1 - mask)
    return {"own_psnr": metrics.psnr(result, source, mask), "own_change": 255 * change}


@dataclass(frozen=True, eq=False)
class PhotoMeasuring:
    """The tools for measuring photos.

    Attributes:
        skeleton: that of the joints.
        detector: None without pose metrics.
        recogniser: None without face metrics.
    """

    skeleton: Skeleton
    detector: Detector | None
    recogniser: FaceRecogniser | None


class PhotoComparison:
    """Measures results of one pair of photographs."""

    def __init__(self, measuring: PhotoMeasuring, photos: PhotoPair):
        self._measuring, self._photos = measuring, photos

    def measure(self, result: np.ndarray) -> dict[str, float]:
        """Every metric of the source in the target's pose, uint8 [H, W, 3].

        Raises:
            UserError: the target pose has no size.
        """
        photos = self._photos
        behind = photos.target if photos.scene is None else photos.scene
        return {
            "sharpness": sharpness(result, photos.target, photos.target_mask),
            "hole_error": hole_error(result, behind, photos.source_mask, photos.target_mask),
            **self.pose(result),
            **self.face(result),
        }

    def pose(self, result: np.ndarray) -> dict[str, float]:
        """PCKh of the pose detected in a picture, uint8 [H, W, 3], against the target pose, and whether it failed.

        It uses the paper's 14 joints, and separately hands and toes if the target's skeleton has them. All are means
        over five sizes of the picture.

        Raises:
            UserError: the target pose has no size.
        """
        if self._measuring.detector is None:
            return {}
        sizes = [self._pose_at(self._detected(result, size)) for size in _SIZES]
        return {key: float(np.mean([found[key] for found in sizes])) for key in sizes[0]}

    def _detected(self, result: np.ndarray, size: float) -> np.ndarray | None:
        """The joints [J, 3] that are detected in a picture of `size` times the size."""
        assert self._measuring.detector is not None
        resized = cv2.resize(result, None, fx=size, fy=size)
        detection = self._measuring.detector.detect(resized)
        if detection is None:
            return None
        joints = person_joints(detection.joints, self._measuring.skeleton)
        scale = np.divide(result.shape[1::-1], resized.shape[1::-1])
        return np.column_stack([(joints[:, :2] + 0.5) * scale - 0.5, joints[:, 2]])

    def _pose_at(self, found: np.ndarray | None) -> dict[str, float]:
        skeleton, target = self._measuring.skeleton, self._photos.target_joints
        head = metrics.head_length(person_joints(target, PERSON), PERSON)
        counted = metrics.counted_joints(target, *self._photos.target.shape[:2])
        parts = {}
        for key, names in _JUDGED.items():
            if set(names) <= set(skeleton.joints):
                judged = skeleton.joint_index(*names)
                parts[key] = metrics.pckh(
                    None if found is None else found[judged], target[judged], head, counted[judged]
                )
        part = parts["photo_pckh"]
        return parts | {"failed": float(part < LEAST_PCKH) if np.isfinite(part) else part}

    def face(self, result: np.ndarray) -> dict[str, float]:
        """Whether a picture, uint8 [H, W, 3], has a face at the target's head, and whether it is the person's.

        A missing face is not the person's. Empty if either photograph shows no face. Whose face it is is not judged
        where the recogniser takes the photographs themselves for two persons.

        Raises:
            UserError: a pose has no size.
        """
        if self._measuring.recogniser is None or self._faces is None:
            return {}
        source, target = self._faces
        face = self._measuring.recogniser.describe(result, self._photos.target_joints)
        found = {"face_found": float(face is not None)}
        if not is_same_person(source, target):
            return found
        return found | {"same_face": float(face is not None and is_same_person(face, target))}

    @cached_property
    def _faces(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Those of the source and the target; None if either photograph shows no face."""
        recogniser, photos = self._measuring.recogniser, self._photos
        assert recogniser is not None
        source = recogniser.describe(photos.source, photos.source_joints)
        target = None if source is None else recogniser.describe(photos.target, photos.target_joints)
        return None if source is None or target is None else (source, target)


class PhotoJudge:
    """Re-poses photos by every method, for a pair's pose and for its own, and measures the results.

    Args:
        methods: by the name of their column.
        truth: the column of the target photographs themselves.

    Attributes:
        without_faces: why faces are not compared; empty if they are.
        unplaced: number of pairs that are skipped, since a pose leaves the photo.
    """

    def __init__(self, methods: dict[str, Repose], measuring: PhotoMeasuring, truth: str, without_faces: str = ""):
        self._methods, self._measuring, self._truth = methods, measuring, truth
        self.without_faces = without_faces
        self.unplaced = 0

    def __call__(self, photos: PhotoPair) -> dict[str, dict[str, float]]:
        """The metrics by method; none of a pair that is not placed."""
        source, target_joints, source_joints = photos.source, photos.target_joints, photos.source_joints
        results = {}
        try:
            for name, repose in self._methods.items():
                moved = repose(source, target_joints, source_joints)
                results[name] = moved, repose(source, source_joints, source_joints)
        except UserError:
            self.unplaced += 1
            return {}
        comparison = PhotoComparison(self._measuring, photos)
        found = {self._truth: comparison.pose(photos.target)}
        for name, (moved, kept) in results.items():
            found[name] = comparison.measure(moved) | own_pose(kept, source, photos.source_mask)
        return found


def open_judge(methods: dict[str, Repose], skeleton: Skeleton, detector: Detector | None, truth: str) -> PhotoJudge:
    """A judge, with faces if their packages are installed; see `PhotoJudge`."""
    missing = missing_packages()
    if not missing:
        return PhotoJudge(methods, PhotoMeasuring(skeleton, detector, FaceRecogniser(skeleton)), truth)
    note = f"No faces were looked for: install {' and '.join(missing)} (pip install -r requirements-faces.txt)."
    return PhotoJudge(methods, PhotoMeasuring(skeleton, detector, None), truth, note)
