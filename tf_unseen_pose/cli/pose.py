"""The command `pose`."""

from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.cli.options import End, Force, PoseModel, Start, require_writable
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import require_folder, require_other_file
from tf_unseen_pose.words import counted


def pose(
    picture: Annotated[Path, typer.Argument(metavar="IMAGE|VIDEO", help="A photo or a video of one person.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The pose file (JSON) to write.")],
    overlay: Annotated[
        Path | None, typer.Option(help="Also write the picture, or a video, with the skeleton drawn over it.")
    ] = None,
    start: Start = None,
    end: End = None,
    force: Force = False,
    pose_model: PoseModel = None,
) -> None:
    """Find the joints of a person in a photo or a video."""
    from tf_unseen_pose.imaging.drawing import draw_pose
    from tf_unseen_pose.imaging.image_files import save_image
    from tf_unseen_pose.imaging.photos import is_image, load_image
    from tf_unseen_pose.imaging.time_span import parse_span
    from tf_unseen_pose.imaging.video_writer import require_video_name
    from tf_unseen_pose.inference import animation
    from tf_unseen_pose.known_skeletons import BODY
    from tf_unseen_pose.pose.pose_files import write_poses
    from tf_unseen_pose.pose.sources import find_poses, is_pose_file

    span = parse_span(start, end)
    if is_pose_file(picture):
        raise UserError(f"{picture} is no picture; name a photo or a video.")
    require_folder(output)
    if overlay:
        (require_writable if is_image(picture) else require_video_name)(overlay)
        require_other_file(overlay, picture, force=force)
    poses = find_poses(picture, BODY, None, pose_model, span=span)
    write_poses(output, poses)
    typer.echo(f"Wrote {output}: {counted(len(poses.joints), 'pose')}.")
    if not overlay:
        return
    if is_image(picture):
        save_image(overlay, draw_pose(load_image(picture), poses.joints[0], BODY))
    else:
        frames = animation.overlaid(picture, poses, BODY, span)
        animation.write_animation(frames, len(poses.joints), overlay, poses.fps, synthetic=False)
    typer.echo(f"Wrote {overlay}.")
