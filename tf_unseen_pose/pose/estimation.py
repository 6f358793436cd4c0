"""Finds the person of a picture or a video: joints and mask, by MediaPipe's BlazePose.

Convention: points are (x, y) in pixels, (0, 0) the centre of the top-left pixel; joints are those of
`BODY`, and may lie outside the image. Their z is BlazePose's depth: in pixels like x, about 0 at the hips,
negative towards the camera.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import BODY, PERSON, person_joints
from tf_unseen_pose.pose.joint_formats import blazepose_to_body
from tf_unseen_pose.pose.landmarker_model import landmarker_model
from tf_unseen_pose.pose.left_right import consistent_sides
from tf_unseen_pose.pose.mediapipe_tasks import BaseOptions, mediapipe, vision
from tf_unseen_pose.pose.smoothing import smooth

# Between frames of a video, in milliseconds. MediaPipe smooths joints by a filter that lags, over less than a minute;
# frames that are an hour apart leave it nothing to do, and `pose.smoothing` does not lag.
_FRAME_STEP = 3_600_000
# A second person counts from this part of the first one's size, with this part of the joints seen, and with at most
# this part of the smaller mask inside the other one: else it is the same person, found twice.
_LEAST_SIZE, _LEAST_SEEN, _MOST_OVERLAP = 1 / 3, 1 / 2, 1 / 2


@dataclass(frozen=True, eq=False)
class Detection:
    """A person that was found.

    Attributes:
        joints: float32 [23, 4] of `BODY`: x, y in pixels of the image, visibility 0..1, z.
        mask: uint8 [H, W], soft, 255 = person.
    """

    joints: np.ndarray
    mask: np.ndarray


class PoseEstimator:
    """MediaPipe's pose landmarker; a context manager.

    Args:
        model: content of a `.task` bundle.
        video: whether the images that `detect` is given are the frames of one video, in order; the person is then
            followed from frame to frame. The same frames always give the same poses.

    Raises:
        UserError: the model is none.
    """

    def __init__(self, model: bytes, video: bool = False):
        self._model = model
        self._video = video
        self._frame_count = 0
        mode = vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE
        self._finder = _open_landmarker(model, mode, people=1)
        self._counter: vision.PoseLandmarker | None = None

    def detect(self, image: np.ndarray) -> Detection | None:
        """The most prominent person of uint8 [H, W, 3], None where nobody is found."""
        picture = _as_picture(image)
        if self._video:
            result = self._finder.detect_for_video(picture, self._frame_count * _FRAME_STEP)
            self._frame_count += 1
        else:
            result = self._finder.detect(picture)
        return next(iter(_detections(result, *image.shape[:2])), None)

    def count_people(self, image: np.ndarray) -> int:
        """How many people uint8 [H, W, 3] shows: 0, 1, or 2 for two and more; each image is seen on its own.

        The detector sees small pictures only: a person below about a third of the image's longer side may be missed.

        Raises:
            UserError: the model is none.
        """
        if self._counter is None:
            self._counter = _open_landmarker(self._model, vision.RunningMode.IMAGE, people=2)
        found = _detections(self._counter.detect(_as_picture(image)), *image.shape[:2])
        return 2 if len(found) == 2 and _are_two_people(*found) else min(len(found), 1)

    def close(self) -> None:
        """Frees the networks."""
        for landmarker in (self._finder, self._counter):
            if landmarker is not None:
                landmarker.close()

    def __enter__(self) -> "PoseEstimator":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_estimator(video: bool = False, model: Path | None = None) -> PoseEstimator:
    """An estimator for single images, or for the frames of one video.

    Args:
        model: a `.task` bundle; see `landmarker_model` for what is taken by default.

    Raises:
        UserError: the model cannot be read or fetched, or is none.
    """
    return PoseEstimator(landmarker_model(model), video)


def estimate_image(image: np.ndarray, name: str, estimator: PoseEstimator) -> np.ndarray:
    """The joints, float32 [23, 4], of the one person of uint8 [H, W, 3].

    Args:
        name: what messages call the image.

    Raises:
        UserError: the image shows nobody, or several people.
    """
    detection = estimator.detect(image)
    if detection is None:
        raise UserError(f"No person was found in {name}; take a picture that shows one from head to foot.")
    if estimator.count_people(image) > 1:
        raise UserError(f"Several people were found in {name}; crop it to the one who is meant.")
    return detection.joints


def estimate_video(
    frames: Iterable[np.ndarray], fps: float, estimator: PoseEstimator, name: str = "the video"
) -> np.ndarray:
    """The joints, float32 [T, 23, 4], of the person of a video, steadied; absent where nobody is found for long.

    Args:
        frames: uint8 [H, W, 3], read one at a time.
        fps: frames a second.
        estimator: opened for a video, and not used before.
        name: what messages call the video.

    Raises:
        UserError: nobody is found in any frame.
    """
    nobody = np.zeros((BODY.joint_count, 4), np.float32)
    detections = (estimator.detect(frame) for frame in frames)
    poses = [nobody if detection is None else detection.joints for detection in detections]
    if not np.any([pose[:, 2] > 0 for pose in poses]):
        raise UserError(f"No person was found in {name}; take one that shows a person from head to foot.")
    return smooth(consistent_sides(np.stack(poses), fps, BODY), fps)


def _open_landmarker(model: bytes, mode: vision.RunningMode, people: int) -> vision.PoseLandmarker:
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_buffer=model),
        running_mode=mode,
        num_poses=people,
        output_segmentation_masks=True,
    )
    try:
        return vision.PoseLandmarker.create_from_options(options)
    except (RuntimeError, ValueError) as error:
        raise UserError(
            "The given pose model is not a .task bundle of MediaPipe's pose landmarker; name one that is, or none."
        ) from error


def _as_picture(image: np.ndarray) -> mediapipe.Image:
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))


def _detections(result: vision.PoseLandmarkerResult, height: int, width: int) -> list[Detection]:
    """MediaPipe's result in pixels of the image."""
    detections = []
    for landmarks, mask in zip(result.pose_landmarks, result.segmentation_masks or [], strict=True):
        # MediaPipe's 0..1 runs from the first pixel's outer edge to the last one's; z has the scale of x.
        points = [(mark.x * width - 0.5, mark.y * height - 0.5, mark.visibility, mark.z * width) for mark in landmarks]
        soft = mask.numpy_view().reshape(height, width)
        detections.append(Detection(blazepose_to_body(points), np.round(soft * 255).astype(np.uint8)))
    return detections


def _are_two_people(first: Detection, second: Detection) -> bool:
    poses = [person_joints(found.joints, PERSON) for found in (first, second)]
    sizes = [np.ptp(joints[:, :2], axis=0).max() for joints in poses]
    seen = [np.mean(joints[:, 2] > 0.5) for joints in poses]
    masks = [found.mask >= 128 for found in (first, second)]
    overlap = np.sum(masks[0] & masks[1]) / max(1, min(mask.sum() for mask in masks))
    return min(sizes) >= _LEAST_SIZE * max(sizes) and min(seen) >= _LEAST_SEEN and overlap <= _MOST_OVERLAP
