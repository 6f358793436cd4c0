"""Detects the joints and mask of people in pictures and videos with MediaPipe's BlazePose.

Convention: points are (x, y) in pixels, (0, 0) the centre of the top-left pixel; joints are those of
`BODY`, and may lie outside the image. Their z is BlazePose's depth: in pixels like x, about 0 at the hips,
negative towards the camera.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import BODY, PERSON, person_joints
from tf_unseen_pose.pose.following import Follower
from tf_unseen_pose.pose.joint_formats import blazepose_to_body
from tf_unseen_pose.pose.landmarker_model import landmarker_model
from tf_unseen_pose.pose.left_right import consistent_sides
from tf_unseen_pose.pose.mediapipe_tasks import BaseOptions, mediapipe, vision
from tf_unseen_pose.pose.people import (
    LEAST_SEEN,
    MOST_OVERLAP,
    Choice,
    Detection,
    checked_choice,
    distinct,
    index_of,
    is_alone,
    mask_overlap,
    nobody_meant,
    told,
)
from tf_unseen_pose.pose.search import everybody, where_meant
from tf_unseen_pose.pose.smoothing import smooth

# Time between frames in milliseconds as told to MediaPipe: an hour, which disables its lagging filter; `pose.smoothing`
# does not lag.
_FRAME_STEP = 3_600_000
# Two people have about one size if the smaller has this fraction of the other's.
_LEAST_SIZE = 1 / 3
# Most people that the landmarker detects at a time.
_MOST_PEOPLE = 5
# While nobody is seen, a video is searched in parts once in this many frames.
_FRAMES_BETWEEN_SEARCHES = 25
_log = logging.getLogger(__name__)


class PoseEstimator:
    """MediaPipe's pose landmarker; a context manager.

    Args:
        model: content of a `.task` bundle.
        video: whether `detect` receives the frames of one video in order, and follows the person. The same frames
            always give the same poses.

    Raises:
        UserError: the model is invalid.
    """

    def __init__(self, model: bytes, video: bool = False):
        self._model = model
        self._video = video
        self._frame_count = 0
        mode = vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE
        self._finder = _open_landmarker(model, mode, people=1)
        self._finder_of_all: vision.PoseLandmarker | None = None

    def detect(self, image: np.ndarray) -> Detection | None:
        """The most prominent person of uint8 [H, W, 3], or None."""
        picture = _as_picture(image)
        if self._video:
            result = self._finder.detect_for_video(picture, self._frame_count * _FRAME_STEP)
            self._frame_count += 1
        else:
            result = self._finder.detect(picture)
        return next(iter(_detections(result, *image.shape[:2])), None)

    def found(self, image: np.ndarray) -> list[Detection]:
        """All people that the detector sees in uint8 [H, W, 3], independent of other frames.

        It reduces pictures, so a person below about a third of the image's longer side may be missed.

        Raises:
            UserError: the model is invalid.
        """
        if self._finder_of_all is None:
            self._finder_of_all = _open_landmarker(self._model, vision.RunningMode.IMAGE, _MOST_PEOPLE)
        return _detections(self._finder_of_all.detect(_as_picture(image)), *image.shape[:2])

    def count_people(self, image: np.ndarray) -> int:
        """The number of people of about one size in uint8 [H, W, 3]: 0, 1, or 2 for two and more.

        Raises:
            UserError: the model is invalid.
        """
        found = self.found(image)
        return 2 if any(_are_two_people(*pair) for pair in combinations(found, 2)) else min(len(found), 1)

    def close(self) -> None:
        """Frees the networks."""
        for landmarker in (self._finder, self._finder_of_all):
            if landmarker is not None:
                landmarker.close()

    def __enter__(self) -> "PoseEstimator":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_estimator(video: bool = False, model: Path | None = None) -> PoseEstimator:
    """An estimator for single images, or for the frames of one video.

    Args:
        model: a `.task` bundle; see `landmarker_model` for the default.

    Raises:
        UserError: the model cannot be read or downloaded, or is invalid.
    """
    return PoseEstimator(landmarker_model(model), video)


def find_person(
    image: np.ndarray, name: str, estimator: PoseEstimator, person: Choice = None, option: str = "--person"
) -> Detection:
    """The chosen person of uint8 [H, W, 3], or the largest; among several, a warning says which.

    Args:
        name: the image's name in messages.
        person: the choice; see `pose.people`.
        option: the option's name in messages.

    Raises:
        UserError: the image shows nobody, or not the chosen one; an invalid choice.
    """
    person = checked_choice(person)
    single = estimator.detect(image) if person is None else None
    people = everybody(image, estimator.found)
    if single is not None and is_alone(single, people):
        return single
    index = index_of(people, person)
    if index is None:
        near = where_meant(image, estimator.found, person)
        if (index := index_of(near, person)) is not None:
            return near[index]
        if people:
            raise nobody_meant(len(people), person, name, option)
        raise UserError(f"No person was found in {name}; take a picture that shows one from head to foot.")
    if len(people) > 1:
        _log.warning(told(len(people), index, person, name, option))
    return people[index]


def estimate_video(
    frames: Iterable[np.ndarray],
    fps: float,
    estimator: PoseEstimator,
    name: str = "the video",
    person: Choice = None,
    option: str = "--person",
) -> np.ndarray:
    """The smoothed joints, float32 [T, 23, 4], of one person of a video; absent in long gaps.

    The person is chosen in the first frame that shows anybody, and followed.

    Args:
        frames: uint8 [H, W, 3], read one at a time.
        fps: frames per second.
        estimator: opened for a video, and unused.
        name: the video's name in messages.
        person, option: as `find_person`.

    Raises:
        UserError: nobody is found in any frame, or not the chosen one.
    """
    nobody = np.zeros((BODY.joint_count, 4), np.float32)
    detections = _followed(frames, estimator, checked_choice(person), name, option)
    poses = [nobody if detection is None else detection.joints for detection in detections]
    if not np.any([pose[:, 2] > 0 for pose in poses]):
        raise UserError(f"No person was found in {name}; take one that shows a person from head to foot.")
    return smooth(consistent_sides(np.stack(poses), fps, BODY), fps)


def _followed(
    frames: Iterable[np.ndarray], estimator: PoseEstimator, person: Choice, name: str, option: str
) -> Iterator[Detection | None]:
    """The person of each frame; MediaPipe follows a single person, which is faster."""
    find: Callable[[np.ndarray], Detection | None] | None = None
    for number, frame in enumerate(frames):
        if find is not None:
            yield find(frame)
            continue
        alone = estimator.detect(frame) if person is None else None
        if alone is not None and is_alone(alone, everybody(frame, estimator.found)):
            find = estimator.detect
            yield alone
        elif alone is not None or number % _FRAMES_BETWEEN_SEARCHES == 0 or estimator.found(frame):
            first = _first_of_video(frame, estimator, person, name, option)
            find = first and Follower(*first, frame, estimator.found)
            yield first and first[0]
        else:
            yield None


def _first_of_video(
    frame: np.ndarray, estimator: PoseEstimator, person: Choice, name: str, option: str
) -> tuple[Detection, list[Detection]] | None:
    """The chosen person and the others; None if the frame shows nobody."""
    people = everybody(frame, estimator.found)
    if not people and not where_meant(frame, estimator.found, person):
        return None
    meant = find_person(frame, f"the first frame of {name} that shows anybody", estimator, person, option)
    return meant, [other for other in people if len(distinct([meant, other])) == 2]


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
    alike = min(sizes) >= _LEAST_SIZE * max(sizes) and min(seen) >= LEAST_SEEN
    return alike and mask_overlap(first, second) <= MOST_OVERLAP
