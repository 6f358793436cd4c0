"""The command `pose`."""

from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.cli.options import End, Force, Person, PoseModel, Start, require_writable
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import require_folder, require_other_file
from tf_unseen_pose.words import counted


def pose(
    picture: Annotated[Path, typer.Argument(metavar="IMAGE|VIDEO", help="Photo or video.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Pose file (JSON) to write.")],
    overlay: Annotated[
        Path | None, typer.Option(help="Also write the photo or video with the skeleton drawn over it.")
    ] = None,
    person: Person = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Write one file per person from the left: OUT-1.json, OUT-2.json ...")
    ] = False,
    start: Start = None,
    end: End = None,
    force: Force = False,
    pose_model: PoseModel = None,
) -> None:
    """Detect the joints of people in a photo or a video."""
    from tf_unseen_pose.imaging.drawing import draw_pose
    from tf_unseen_pose.imaging.image_files import save_image
    from tf_unseen_pose.imaging.photos import is_image, load_image
    from tf_unseen_pose.imaging.time_span import parse_span
    from tf_unseen_pose.imaging.video_writer import require_video_name
    from tf_unseen_pose.inference import animation
    from tf_unseen_pose.known_skeletons import BODY
    from tf_unseen_pose.pose.people import parse_choice
    from tf_unseen_pose.pose.pose_files import Poses, write_poses
    from tf_unseen_pose.pose.sources import find_everybody, find_poses, is_pose_file

    def write(path: Path, poses: Poses) -> None:
        write_poses(path, poses)
        typer.echo(f"Wrote {path}: {counted(len(poses.joints), 'pose')}.")

    span = parse_span(start, end)
    if is_pose_file(picture):
        raise UserError(f"{picture} is a pose file; name a photo or a video.")
    require_folder(output)
    if overlay:
        (require_writable if is_image(picture) else require_video_name)(overlay)
        require_other_file(overlay, picture, force=force)
    who = parse_choice(person)
    if everybody:
        if who is not None or overlay or not span.is_whole:
            raise UserError("--all writes the poses of everybody; leave out --person, --overlay, --start and --end.")
        for number, poses in enumerate(find_everybody(picture, pose_model), 1):
            write(output.with_name(f"{output.stem}-{number}{output.suffix}"), poses)
        return
    poses = find_poses(picture, BODY, None, pose_model, span=span, person=who)
    write(output, poses)
    if not overlay:
        return
    if is_image(picture):
        save_image(overlay, draw_pose(load_image(picture), poses.joints[0], BODY))
    else:
        frames = animation.overlaid(picture, poses, BODY, span)
        animation.write_animation(frames, len(poses.joints), overlay, poses.fps, synthetic=False)
    typer.echo(f"Wrote {overlay}.")
