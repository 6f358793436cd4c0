"""Poses from a pose file, a photo or a video."""

from dataclasses import replace
from pathlib import Path

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.photos import is_image, load_image
from tf_unseen_pose.imaging.time_span import WHOLE, TimeSpan
from tf_unseen_pose.known_skeletons import BODY, is_person, person_joints
from tf_unseen_pose.pose.people import Choice, checked_choice
from tf_unseen_pose.pose.pose_files import Poses, read_poses
from tf_unseen_pose.skeleton import Skeleton

_POSE_SUFFIXES = (".json", ".mat")


def is_pose_file(path: Path) -> bool:
    """Whether a path is a pose file by its name, or a folder of them."""
    return path.suffix.lower() in _POSE_SUFFIXES or path.is_dir()


def find_poses(
    path: Path,
    skeleton: Skeleton = BODY,
    size: tuple[int, int] | None = None,
    pose_model: Path | None = None,
    progress: bool = True,
    span: TimeSpan = WHOLE,
    person: Choice = None,
    option: str = "--person",
) -> Poses:
    """Reads poses from a pose file, or detects them in a photo or video.

    Args:
        path: a pose file (see `read_poses`), by the name's ending; a photo or a video, by the content.
        skeleton: of the result; only `person` and `body` can be detected in pictures.
        size: width and height of a pose file's image, if it does not state them.
        pose_model: see `open_estimator`.
        progress: shows a bar for videos.
        span: part of a video, or of a pose file with a frame rate.
        person: the person among several: a number from the left (1, 2, ...), a point (x, y) or a box (x0, y0, x1, y1)
            in pixels; by default the largest. In a video, of the first frame that shows anybody.
        option: the option's name in messages.

    Returns:
        One pose of a photo; one per frame of a video, smoothed over time, with visibility 0 in long gaps.

    Raises:
        UserError: a file that is missing, damaged or of an unknown format; no person, or not the chosen one; a choice
            of a person in a pose file; a span outside of the file; a package that is not installed.

    Example:
        >>> from tf_unseen_pose import find_poses
        >>> from tf_unseen_pose.inference.bundled import FOLDER
        >>> find_poses(FOLDER / "person.json").joints.shape  # or of a photo: Path("me.jpg")
        (1, 23, 4)
    """
    person = checked_choice(person)
    if is_pose_file(path):
        if person is not None:
            raise UserError(f"{option} chooses a person in a picture, and {path} holds poses; leave it out.")
        return _part(read_poses(path, skeleton, size), path, span)
    if not is_person(skeleton):
        raise UserError(f"Poses of the skeleton '{skeleton.name}' cannot be found in pictures; give a pose file.")
    try:
        if is_image(path):
            if not span.is_whole:
                raise UserError(f"{path} is a photo; a start and an end are for videos.")
            seen = _seen_in_image(path, pose_model, person, option)
        else:
            seen = _seen_in_video(path, pose_model, progress, span, person, option)
    except ImportError as error:
        raise UserError(
            f"Finding poses in {path} needs the package '{error.name}', which is not installed; install it, or give a "
            "pose file."
        ) from error
    return replace(seen, joints=person_joints(seen.joints, skeleton))


def _part(poses: Poses, path: Path, span: TimeSpan) -> Poses:
    if span.is_whole:
        return poses
    if not poses.fps:
        raise UserError(f"{path} does not say how fast its poses follow each other; leave out its start and end.")
    length = len(poses.joints) / poses.fps
    if span.start >= length:
        raise UserError(f"The poses of {path} end after {length:.4g} s; begin before that, not at {span.start:g} s.")
    # As in videos, the first pose is the one that holds at the start.
    first, count = int(span.start * poses.fps + 1e-6), round((min(span.end, length) - span.start) * poses.fps)
    return replace(poses, joints=poses.joints[first : first + max(count, 1)])


def find_everybody(path: Path, pose_model: Path | None = None, progress: bool = True) -> list[Poses]:
    """As `find_poses`, the joints of `BODY` of all people in a photo, or in a video's first frame with people.

    Returns:
        One per person, from left to right, in the order of the numbers that `find_poses` takes.

    Raises:
        UserError: as `find_poses`.
    """
    from tf_unseen_pose.pose.estimation import open_estimator
    from tf_unseen_pose.pose.search import everybody

    with open_estimator(model=pose_model) as estimator:
        if is_image(path):
            image = load_image(path)
            found = everybody(image, estimator.found)
            poses = [Poses(person.joints[None], image.shape[1], image.shape[0]) for person in found]
        else:
            from tf_unseen_pose.imaging.video import steady_frames

            counts = (len(everybody(frame, estimator.found)) for frame in steady_frames(path))
            count = next(filter(None, counts), 0)
            poses = [find_poses(path, BODY, None, pose_model, progress, person=number + 1) for number in range(count)]
    if not poses:
        raise UserError(f"No person was found in {path}; take a picture that shows one from head to foot.")
    return poses


# MediaPipe and PyAV are large, and pose files do not need them.
def _seen_in_image(path: Path, pose_model: Path | None, person: Choice, option: str) -> Poses:
    from tf_unseen_pose.pose.estimation import find_person, open_estimator

    image = load_image(path)
    with open_estimator(model=pose_model) as estimator:
        found = find_person(image, str(path), estimator, person, option)
    return Poses(found.joints[None], image.shape[1], image.shape[0], extent=found.extent)


def _seen_in_video(
    path: Path, pose_model: Path | None, progress: bool, span: TimeSpan, person: Choice, option: str
) -> Poses:
    from tqdm import tqdm

    from tf_unseen_pose.imaging.video import probe, steady_frames
    from tf_unseen_pose.pose.estimation import estimate_video, open_estimator

    info = probe(path, span)
    with open_estimator(video=True, model=pose_model) as estimator:
        bar = tqdm(
            steady_frames(path, span), "Finding poses", info.frame_count or None, unit="frame", disable=not progress
        )
        joints = estimate_video(bar, float(info.fps), estimator, str(path), person, option)
    return Poses(joints, info.width, info.height, float(info.fps))
