"""Clips out of videos: frames are sampled, poses and masks found, and what would teach nothing, or nonsense, left out.

Of a video with several shots the longest is used; its frames are aligned to the first that is kept (`registration`).
The reasons for which a sampled frame is rejected are the constants below.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np

from tf_unseen_pose.data.clips import BrokenClip, Clip, Frame, Rejected, encode_picture
from tf_unseen_pose.data.registration import MOVED
from tf_unseen_pose.data.shots import longest_shot, thumbnail
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging import registration
from tf_unseen_pose.imaging.image_files import shrink
from tf_unseen_pose.imaging.person_measures import person_height
from tf_unseen_pose.imaging.time_span import WHOLE, TimeSpan
from tf_unseen_pose.imaging.video import read_video
from tf_unseen_pose.known_skeletons import BODY, PERSON, convert_joints

if TYPE_CHECKING:  # MediaPipe takes seconds, and only videos need it.
    from tf_unseen_pose.pose.estimation import PoseEstimator
    from tf_unseen_pose.pose.people import Detection

OTHER_SHOT = "cut between shots, and this is not the longest shot"
FROZEN = "frozen: the same picture as before"
NO_PERSON = "no person"
SEVERAL_PEOPLE = "several people"
TOO_SMALL = "person too small"
OUT_OF_FRAME = "joints out of frame"
NEAR_DUPLICATE = "near-duplicate: the pose hardly changed"

# The sampling of times is not to hang on the last digit of a time stamp.
_TIME_TOLERANCE = 1e-3
# A thumbnail's pixel averages hundreds, so that noise and compression change it by less.
_FROZEN_DIFFERENCE = 1.0
# A canvas of 256 shows the person about 228 pixels tall; a smaller one would be enlarged more than thrice.
_LEAST_SIZE = 72.0
# Of `PERSON`'s 14 joints, by which frames are judged: a picture from the hips up lacks four.
_MOST_ABSENT = 4
# Without these neither size nor torso are known.
_NEEDED = ("neck", "right_shoulder", "left_shoulder", "right_hip", "left_hip")
# Mean way of the joints since the last kept frame, in parts of the person's size; the estimator's noise is below it.
_LEAST_MOVEMENT = 0.02
_SECONDS_BETWEEN_COUNTS = 1.0


@dataclass(frozen=True)
class VideoOptions:
    """How clips are made of videos.

    Attributes:
        rate: frames a second that are looked at; all where the video has fewer.
        max_side: frames with a longer side are shrunk to it.
        register: align frames to the first one.
        people: whether each clip shows another person, or each folder one.
        pose_model: see `estimation.open_estimator`.
        span: part of the video that is looked at.
    """

    rate: float = 10.0
    max_side: int = 1280
    register: bool = True
    people: str = "clips"
    pose_model: Path | None = None
    span: TimeSpan = WHOLE


def video_clips(inputs: list[Path], options: VideoOptions) -> list[Clip]:
    """A clip for every file, which is opened only when its frames are read.

    Files of a folder are named by their paths below it, in alphabetical order, hidden ones left out. Their action is
    the name of the folder below the input in which they lie, or the input's own.

    Args:
        inputs: videos, and folders of them at any depth.

    Raises:
        UserError: an input that does not exist, a folder without files, a rate that is not positive, or no pose model.
    """
    if not options.rate > 0:
        raise UserError(f"A sampling rate of {options.rate:g} frames a second is too low; give a positive number.")
    clips = []
    for root in inputs:
        if not root.exists():
            raise UserError(f"There is no video or folder {root}; name an existing one.")
        if root.is_file():
            clips.append(video_clip(Path(root.name), "", partial(video_frames, root, options), options))
            continue
        files = _files(root)
        if not files:
            raise UserError(f"The folder {root} holds no file; name one with videos.")
        for file in files:
            frames = partial(video_frames, file, options)
            clips.append(video_clip(file.relative_to(root), root.resolve().name, frames, options))
    from tf_unseen_pose.pose.estimation import open_estimator

    # A missing pose model is found now, and fetched once, not by every process that reads a clip.
    open_estimator(model=options.pose_model).close()
    return clips


def video_clip(
    path: PurePath, folder: str, frames: Callable[[], Iterator[Frame | Rejected]], options: VideoOptions
) -> Clip:
    """The clip of the video at `path` below an input that is named `folder`."""
    action = path.parts[0] if len(path.parts) > 1 else folder
    person = f"{folder}/{path.parent}" if options.people == "folders" else ""
    return Clip(path.as_posix(), action, options.rate, frames, person=person, skeleton=BODY)


def _files(root: Path) -> list[Path]:
    found = (path for path in root.rglob("*") if path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))


def video_frames(path: Path, options: VideoOptions) -> Iterator[Frame | Rejected]:
    """The frames of a video that are worth training on, and why the others are not.

    Their numbers count sampling intervals from the video's start.

    Raises:
        BrokenClip: the file is no video, is damaged or ends early.
        UserError: there is no pose model.
    """
    from tf_unseen_pose.pose.estimation import open_estimator

    first, last = longest_shot(image for _, image in _sampled(path, options))
    with open_estimator(model=options.pose_model) as estimator:
        selection = _Selection(estimator, options)
        for position, (number, image) in enumerate(_sampled(path, options)):
            if first <= position < last:
                yield selection.judge(number, image)
            else:
                yield Rejected(OTHER_SHOT, number)


def _sampled(path: Path, options: VideoOptions) -> Iterator[tuple[int, np.ndarray]]:
    """The first frame of every sampling interval, with the interval's number."""
    last = -1
    try:
        for time, image in read_video(path, options.span):
            number = int(np.floor(time * options.rate + _TIME_TOLERANCE))
            if number > last:
                last = number
                yield number, shrink(image, options.max_side)
    except UserError as error:
        raise BrokenClip(str(error).rstrip(".")) from error


class _Selection:
    """Judges the frames of one shot, one after the other."""

    def __init__(self, estimator: "PoseEstimator", options: VideoOptions):
        self._estimator, self._options = estimator, options
        self._thumbnail: np.ndarray | None = None
        self._kept: np.ndarray | None = None
        self._registration: registration.Registration | None = None
        self._counted, self._several = -np.inf, False

    def judge(self, number: int, image: np.ndarray) -> Frame | Rejected:
        """The frame, aligned to the first one, or why it is rejected."""
        small, before = thumbnail(image), self._thumbnail
        self._thumbnail = small
        if before is not None and np.abs(small - before).max() < _FROZEN_DIFFERENCE:
            return Rejected(FROZEN, number)
        found = self._estimator.detect(image)
        if found is None:
            return Rejected(NO_PERSON, number)
        if reason := self._fault(found, number, image):
            return Rejected(reason, number)
        joints, mask = _inside(found.joints, image), found.mask
        if self._options.register:
            if self._registration is None:
                self._registration = registration.Registration(image, mask)
            transform = self._registration.align(image, mask)
            if transform is None:
                return Rejected(MOVED, number)
            image, mask, joints = registration.apply(transform, image, mask, joints)
        if self._kept is not None and _movement(joints, self._kept) < _LEAST_MOVEMENT:
            return Rejected(NEAR_DUPLICATE, number)
        self._kept = joints
        return Frame(encode_picture(image, "JPEG"), joints, number, mask_png=encode_picture(mask, "PNG"))

    def _fault(self, found: "Detection", number: int, image: np.ndarray) -> str | None:
        if self._are_several(number, image):
            return SEVERAL_PEOPLE
        joints = _person(_inside(found.joints, image))
        absent = joints[:, 2] <= 0
        if absent.sum() > _MOST_ABSENT or absent[PERSON.joint_index(*_NEEDED)].any():
            return OUT_OF_FRAME
        if person_height(joints, PERSON) < _LEAST_SIZE:
            return TOO_SMALL
        return None

    def _are_several(self, number: int, image: np.ndarray) -> bool:
        """Counts people anew every second; it takes longer than finding one."""
        if number - self._counted >= _SECONDS_BETWEEN_COUNTS * self._options.rate:
            self._counted, self._several = number, self._estimator.count_people(image) > 1
        return self._several


def _person(joints: np.ndarray) -> np.ndarray:
    """Those of `BODY`'s joints that `PERSON` has."""
    return convert_joints(joints, BODY, PERSON)


def _inside(joints: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The joints of `Frame`: those outside the picture being absent, and without z, which frames do not have."""
    joints = joints[:, :3]
    height, width = image.shape[:2]
    inside = (joints[:, :2] >= -0.5).all(axis=1) & (joints[:, :2] <= (width - 0.5, height - 0.5)).all(axis=1)
    return np.where(inside[:, None], joints, joints * np.float32([1, 1, 0]))


def _movement(joints: np.ndarray, before: np.ndarray) -> float:
    """Mean way of the joints that both poses show, in parts of the person's size."""
    joints, before = _person(joints), _person(before)
    both = (joints[:, 2] > 0) & (before[:, 2] > 0)
    if not both.any():
        return np.inf
    return float(np.linalg.norm((joints - before)[both, :2], axis=1).mean() / person_height(joints, PERSON))
