"""The commands `synthesize` and `animate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tf_unseen_pose.cli.prepare import PoseModel
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import require_folder

if TYPE_CHECKING:
    from tf_unseen_pose.inference.protocol import ReposerLike

Photo = Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo of a person.")]
Model = Annotated[
    Path,
    typer.Option(help="A run made by 'train' or 'import-posewarp', or a version made by 'export'; 'lite' comes along."),
]
LITE = Path("lite")
SourcePose = Annotated[Path | None, typer.Option(help="Pose file of the person in the photo; else it is found.")]
Server = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Have a server do it, on which --model is the model's name."),
]
ServerToken = Annotated[Path | None, typer.Option(help="A file with the bearer token that the server asks for.")]
ServerAuthority = Annotated[
    Path | None, typer.Option(help="Certificates (PEM) to know the server by; the connection is encrypted then.")
]
ServerTimeout = Annotated[float, typer.Option(min=1, help="Seconds that the server may take for a request.")]


def synthesize(
    photo: Photo,
    target: Annotated[Path, typer.Option(help="Pose file, or photo of somebody, with the pose to be taken.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image to write.")],
    model: Model = LITE,
    source_pose: SourcePose = None,
    retarget: Annotated[
        bool | None,
        typer.Option(
            help="Fit the pose to the person's proportions and place. By default: poses of photos are, those of pose "
            "files are taken as they are.",
            show_default=False,
        ),
    ] = None,
    crop: Annotated[bool, typer.Option("--crop", help="Write the crop alone, not the whole photo.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also write OUT-explain.png, every stage on a sheet.")
    ] = False,
    pose_model: PoseModel = None,
    server: Server = None,
    server_token: ServerToken = None,
    server_authority: ServerAuthority = None,
    server_timeout: ServerTimeout = 60,
) -> None:
    """Make the photo of that person in another pose."""
    from tf_unseen_pose.imaging import image_files

    image = image_files.load_image(photo)
    require_writable(output)

    from tf_unseen_pose.imaging.drawing import explanation_sheet
    from tf_unseen_pose.pose.sources import find_poses, is_image, is_pose_file

    if server and explain:
        raise UserError("The stages are not sent by servers; leave --server out to have them explained.")
    if not (is_image(target) or is_pose_file(target)):
        raise UserError(f"The target {target} is no photo and no pose file; use 'animate' for videos.")
    reposer = _reposer(model, False, server, server_token, server_authority, server_timeout)
    size = image.shape[1::-1]
    source = find_poses(source_pose or photo, reposer.skeleton, size, pose_model).scaled_to(*size).joints[0]
    poses = find_poses(target, reposer.skeleton, size, pose_model).scaled_to(*size).joints[:1]
    if is_image(target) if retarget is None else retarget:
        from tf_unseen_pose.pose.retargeting import retarget as fit

        poses = fit(poses, source, reposer.skeleton)
    image_files.save_image(output, reposer.synthesize(image, poses[0], source, crop=crop), synthetic=True)
    typer.echo(f"Wrote {output}.")
    if explain:
        from tf_unseen_pose.inference.local import Reposer

        assert isinstance(reposer, Reposer)  # Servers are refused above.
        canvas, sheet = reposer.canvas(image, source, poses[0]), output.with_name(f"{output.stem}-explain.png")
        stages = explanation_sheet(reposer.explain(canvas), vars(canvas), reposer.skeleton)
        image_files.save_image(sheet, stages, synthetic=True)
        typer.echo(f"Wrote {sheet}.")


def animate(
    photo: Photo,
    driving: Annotated[Path, typer.Option(help="Video of somebody, or pose file, with the motion to be made.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The .mp4 or .gif to write.")],
    model: Model = LITE,
    source_pose: SourcePose = None,
    retarget: Annotated[bool, typer.Option(help="Fit the motion to the person's proportions and place.")] = True,
    side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="Show the driving video and its skeleton on the left.")
    ] = False,
    crop: Annotated[bool, typer.Option("--crop", help="Write the crop alone, not the whole photo.")] = False,
    fps: Annotated[
        float | None, typer.Option(min=1, max=240, help="Frames a second; by default the driving video's.")
    ] = None,
    max_side: Annotated[
        int, typer.Option(min=32, help="Shrink the photo to this longer side; large videos play badly.")
    ] = 1280,
    batch_size: Annotated[int, typer.Option(min=1, max=64, help="Frames rendered at a time.")] = 4,
    xla: Annotated[bool, typer.Option("--xla", help="Compile the networks: faster on GPUs, not on CPUs.")] = False,
    pose_model: PoseModel = None,
    server: Server = None,
    server_token: ServerToken = None,
    server_authority: ServerAuthority = None,
    server_timeout: ServerTimeout = 60,
) -> None:
    """Make a video of that person in the motion of another. Ctrl-C keeps what is done."""
    from tf_unseen_pose.imaging.image_files import load_image, shrink

    image = load_image(photo)

    from tf_unseen_pose.imaging.video import require_video_name
    from tf_unseen_pose.inference import animation
    from tf_unseen_pose.pose.retargeting import retarget as fit
    from tf_unseen_pose.pose.sources import find_poses

    require_video_name(output)
    reposer = _reposer(model, xla, server, server_token, server_authority, server_timeout)
    photo_size, image = image.shape[1::-1], shrink(image, max_side)
    size = image.shape[1::-1]
    source = find_poses(source_pose or photo, reposer.skeleton, photo_size, pose_model).scaled_to(*size).joints[0]
    found = find_poses(driving, reposer.skeleton, photo_size, pose_model)
    targets = fit(found.joints, source, reposer.skeleton) if retarget else found.scaled_to(*size).joints
    frames = reposer.animate(image, targets, source, crop, batch_size)
    if side_by_side:
        frames = animation.beside_driving(frames, driving, found, reposer.skeleton)
    rate = fps or found.fps or animation.DEFAULT_FPS
    written, finished = animation.write_animation(frames, len(targets), output, rate)
    typer.echo(f"Wrote {output}: {written} of {len(targets)} frames at {rate:.4g} frames a second.")
    if unseen := int((found.joints[..., 2] <= 0).all(axis=1).sum()):
        typer.echo(f"In {unseen} frames nobody is seen; the frame before is held there.")
    if not finished:
        raise typer.Exit(130)


def _reposer(
    model: Path, xla: bool, server: str | None, token: Path | None, authority: Path | None, timeout: float
) -> "ReposerLike":
    """The model, or a server's with the same face."""
    if not server:
        if token or authority:
            raise UserError("--server-token and --server-authority are for a server; name it with --server.")
        from tf_unseen_pose.inference.local import Reposer

        return Reposer.load(model, xla)
    from tf_unseen_pose.inference.remote import RemoteReposer
    from tf_unseen_pose.serving.access import read_token

    return RemoteReposer(server, str(model), timeout, authority, read_token(token) if token else None)


def require_writable(path: Path) -> None:
    """Finds out before minutes of work whether an image can be written.

    Raises:
        UserError: it cannot, for want of the folder or of a name's ending that says the format.
    """
    require_folder(path)
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UserError(f"{path} does not say in which format to write; end it in .png or .jpg.")
