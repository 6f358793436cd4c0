"""The command `synthesize`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tf_unseen_pose.cli.options import (
    LITE,
    WHO,
    Background,
    Force,
    InsecureToken,
    Model,
    Person,
    Photo,
    PoseModel,
    RuntimeOption,
    Server,
    ServerAuthority,
    ServerCert,
    ServerJpeg,
    ServerKey,
    ServerOptions,
    ServerTimeout,
    ServerTls,
    ServerToken,
    SourcePose,
    open_background,
    open_reposer,
    require_writable,
)
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import require_other_file
from tf_unseen_pose.inference.runtime import Runtime

if TYPE_CHECKING:
    import numpy as np

    from tf_unseen_pose.inference.protocol import ReposerLike


def synthesize(
    photo: Photo,
    target: Annotated[Path, typer.Option(help="Target pose: a pose file or a photo.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Image to write.")],
    model: Model = LITE,
    source_pose: SourcePose = None,
    person: Person = None,
    target_person: Annotated[
        str | None, typer.Option(metavar=WHO, help="Person in the target photo, as --person.")
    ] = None,
    retarget: Annotated[
        bool | None,
        typer.Option(
            help="Fit the pose to the person's proportions and place; by default only poses from photos are fitted.",
            show_default=False,
        ),
    ] = None,
    background: Background = None,
    crop: Annotated[bool, typer.Option("--crop", help="Write only the part that may change.")] = False,
    max_side: Annotated[int, typer.Option(min=32, help="Shrink the photo to this longer side.")] = 4096,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also write OUT-explain.png, a sheet of all stages.")
    ] = False,
    runtime: RuntimeOption = Runtime.auto,
    force: Force = False,
    pose_model: PoseModel = None,
    server: Server = None,
    server_token: ServerToken = None,
    server_tls: ServerTls = False,
    server_authority: ServerAuthority = None,
    server_cert: ServerCert = None,
    server_key: ServerKey = None,
    insecure_token: InsecureToken = False,
    server_jpeg: ServerJpeg = False,
    server_timeout: ServerTimeout = 60,
) -> None:
    """Render the person of a photo in another pose."""
    from tf_unseen_pose.imaging import image_files
    from tf_unseen_pose.imaging.photos import is_image, lasting_exif, load_image

    image, exif = load_image(photo), lasting_exif(photo)
    require_writable(output)
    require_other_file(output, photo, target, source_pose, background, force=force)

    from tf_unseen_pose.pose.people import parse_choice
    from tf_unseen_pose.pose.sources import find_poses, is_pose_file

    who, target_who = parse_choice(person), parse_choice(target_person)
    if explain and server:
        raise UserError("Servers do not send the stages that --explain shows; leave out --server or --explain.")
    if not (is_pose_file(target) or is_image(target)):
        raise UserError(f"The target {target} is neither a photo nor a pose file; use 'animate' for videos.")
    scene = open_background(background, server, pose_model)
    if explain and runtime == Runtime.auto:
        runtime = Runtime.tensorflow
    guards = (server_token, server_tls, server_authority, server_cert, server_key, insecure_token, server_jpeg)
    reposer = open_reposer(model, runtime, False, ServerOptions(server, *guards, server_timeout))
    photo_size, image = image.shape[1::-1], image_files.shrink(image, max_side)
    size = image.shape[1::-1]
    found = find_poses(source_pose or photo, reposer.skeleton, photo_size, pose_model, person=who)
    found = found.scaled_to(*size)
    source = found.joints[0]
    wanted = find_poses(target, reposer.skeleton, photo_size, pose_model, person=target_who, option="--target-person")
    poses = wanted.scaled_to(*size).joints[:1]
    if is_image(target) if retarget is None else retarget:
        from tf_unseen_pose.pose.cut_off import in_words, outside
        from tf_unseen_pose.pose.retargeting import retarget as fit

        cut_off = outside(wanted.joints[0], wanted.width, wanted.height)
        if guessed := in_words(cut_off, reposer.skeleton):
            typer.echo(f"What {target} does not show is guessed: {guessed}.")
        poses = fit(poses, source, reposer.skeleton)
    stages = _stages(reposer, image, source, poses[0], found.extent) if explain else None
    made = reposer.synthesize(image, poses[0], source, crop, scene, extent=found.extent)
    image_files.save_image(output, made, synthetic=True, exif=exif)
    typer.echo(f"Wrote {output}.")
    if stages is not None:
        sheet = output.with_name(f"{output.stem}-explain.png")
        image_files.save_image(sheet, stages, synthetic=True)
        typer.echo(f"Wrote {sheet}.")


def _stages(reposer: "ReposerLike", *pair: "np.ndarray | None") -> "np.ndarray":
    """A sheet of what the networks make of what `Reposer.canvas` takes."""
    from tf_unseen_pose.imaging.drawing import explanation_sheet
    from tf_unseen_pose.inference.reposer import Reposer

    assert isinstance(reposer, Reposer)  # Servers are refused before.
    canvas = reposer.canvas(*pair)
    return explanation_sheet(reposer.explain(canvas), vars(canvas), reposer.skeleton)
