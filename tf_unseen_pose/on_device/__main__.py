"""`python -m tf_unseen_pose.on_device`: re-poses a photo with LiteRT and shows the frames per second.

`requirements-lite.txt` is enough for pose files; for videos, cameras and detection it names the missing package.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.image_files import shrink
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.imaging.time_span import parse_span
from tf_unseen_pose.inference.background import load_background
from tf_unseen_pose.inference.bundled import bundled
from tf_unseen_pose.inference.lite_networks import DEFAULT_VARIANT
from tf_unseen_pose.inference.protocol import ReposerLike
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.inference.runtime import Runtime
from tf_unseen_pose.on_device.camera import Fitting, camera_poses, learned_poses
from tf_unseen_pose.on_device.output import Pace, Window, open_output
from tf_unseen_pose.pose.people import parse_choice
from tf_unseen_pose.pose.pose_files import Poses
from tf_unseen_pose.pose.retargeting import retarget
from tf_unseen_pose.pose.sources import find_poses
from tf_unseen_pose.words import counted

_FPS = 25.0


def command_line() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser("python -m tf_unseen_pose.on_device", description="Re-pose a photo with LiteRT.")
    parser.add_argument("photo", nargs="?", type=Path, help="photo of a person; by default a bundled one")
    driving = parser.add_mutually_exclusive_group()
    driving.add_argument("--driving", type=Path, metavar="POSES|VIDEO", help="driving motion; by default a bundled one")
    driving.add_argument("--camera", type=int, nargs="?", const=0, metavar="NUMBER", help="take poses from this camera")
    parser.add_argument("--start", metavar="TIME", help="start time in the video: seconds, mm:ss or hh:mm:ss")
    parser.add_argument("--end", metavar="TIME", help="end time in the video")
    parser.add_argument(
        "--source-pose", type=Path, metavar="POSE", help="pose file of the photo; by default the pose is detected"
    )
    who = "number from the left, point or box in pixels; by default the largest"
    parser.add_argument("--person", metavar="WHO", type=parse_choice, help=f"person in the photo: {who}")
    parser.add_argument("--driving-person", metavar="WHO", type=parse_choice, help="person in the video, as --person")
    parser.add_argument("--no-retarget", action="store_true", help="use the poses unchanged, in pixels of the photo")
    parser.add_argument("--background", type=Path, metavar="PHOTO|VIDEO", help="the scene without the person")
    parser.add_argument("--model", default="lite", help=".tflite file, folder of them, or 'lite' (%(default)s)")
    parser.add_argument("--variant", default=DEFAULT_VARIANT, help="variant to take from a folder (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads for LiteRT (%(default)s)")
    parser.add_argument("--frames", type=int, help="stop after this many frames")
    parser.add_argument("--max-side", type=int, default=1920, help="shrink the photo to this longer side (%(default)s)")
    parser.add_argument("--window", action="store_true", help="show the frames; q quits")
    parser.add_argument("-o", "--output", type=Path, help=".gif, .mp4, or .png (the last frame) to write")
    return parser


def run(arguments: list[str] | None = None) -> None:
    """Runs the command with these arguments.

    Raises:
        UserError: as `Reposer.load`; a package that is needed for it is not installed.
    """
    options = command_line().parse_args(arguments)
    if options.driving is None and (options.start or options.end):
        raise UserError("--start and --end are for a video; name it with --driving.")
    reposer = Reposer.load(options.model, Runtime.litert, threads=options.threads, variant=options.variant)
    window = Window() if options.window else None
    image, source = _photo(options, reposer)
    background = None if options.background is None else load_background(options.background)
    frames, fps = _frames(options, reposer, image, source, background)
    pace = Pace()
    with open_output(options.output, fps) as output:
        for frame in islice(frames, options.frames):
            output.write(frame)
            print(f"\r{pace.tick():.1f} frames/s", end="", file=sys.stderr, flush=True)
            if window and not window.show(frame):
                break
    print(file=sys.stderr)
    print(f"Made {counted(pace.count, 'frame')}, {pace.overall:.1f} a second.")
    if options.output:
        print(f"Wrote {options.output}.")


def _photo(options: argparse.Namespace, reposer: ReposerLike) -> tuple[np.ndarray, np.ndarray]:
    """The photo and its person's joints [J, 3 or 4]."""
    if options.photo is None:
        return bundled()[:2]
    image = load_image(options.photo)
    size, image = image.shape[1::-1], shrink(image, options.max_side)
    found = find_poses(options.source_pose or options.photo, reposer.skeleton, size, person=options.person)
    return image, found.scaled_to(*image.shape[1::-1]).joints[0]


def _frames(
    options: argparse.Namespace,
    reposer: Reposer,
    image: np.ndarray,
    source: np.ndarray,
    background: np.ndarray | None,
) -> tuple[Iterator[np.ndarray], float]:
    """The frames as they are rendered, and their frame rate."""
    if options.camera is not None:
        return _live(options.camera, reposer, image, source, background), _FPS
    size = image.shape[1::-1]
    found = bundled()[2] if options.driving is None else _driving(options, reposer, size)
    moved = found.scaled_to(*size).joints if options.no_retarget else retarget(found.joints, source, reposer.skeleton)
    # A batch of one keeps the latency low.
    frames = reposer.animate(image, moved, source[:, :3], batch_size=1, background=background)
    return frames, found.fps or _FPS


def _driving(options: argparse.Namespace, reposer: Reposer, size: tuple[int, int]) -> Poses:
    who = {"person": options.driving_person, "option": "--driving-person"}
    return find_poses(options.driving, reposer.skeleton, size, span=parse_span(options.start, options.end), **who)


def _live(
    index: int, reposer: Reposer, image: np.ndarray, source: np.ndarray, background: np.ndarray | None
) -> Iterator[np.ndarray]:
    poses = camera_poses(index)
    fitting = Fitting(learned_poses(poses), source, reposer.skeleton)
    posed = reposer.live(image, fitting.fitted, source[:, :3], background)
    return (posed(fitting(pose)) for pose in poses)


def main() -> None:
    """Runs the command line; a user's error ends in one sentence and exit code 2."""
    try:
        run()
    except UserError as error:
        print(f"\non_device: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
