"""The command `animate`."""

from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.cli.options import (
    LITE,
    WHO,
    Background,
    End,
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
    Start,
    open_background,
    open_reposer,
)
from tf_unseen_pose.files import require_other_file
from tf_unseen_pose.inference.runtime import Runtime
from tf_unseen_pose.words import counted


def animate(
    photo: Photo,
    driving: Annotated[Path, typer.Option(help="Driving motion: a video or a pose file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help=".mp4 or .gif to write.")],
    model: Model = LITE,
    source_pose: SourcePose = None,
    person: Person = None,
    driving_person: Annotated[
        str | None,
        typer.Option(metavar=WHO, help="Person in the video's first frame that shows anybody, as --person."),
    ] = None,
    start: Start = None,
    end: End = None,
    sound: Annotated[bool, typer.Option(help="Keep the driving video's sound.")] = True,
    retarget: Annotated[bool, typer.Option(help="Fit the motion to the person's proportions and place.")] = True,
    background: Background = None,
    side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="Show the driving video and its skeleton on the left.")
    ] = False,
    crop: Annotated[bool, typer.Option("--crop", help="Write only the part that may change.")] = False,
    fps: Annotated[
        float | None, typer.Option(min=1, max=240, help="Frames per second; by default the driving video's.")
    ] = None,
    max_side: Annotated[int, typer.Option(min=32, help="Shrink the photo to this longer side.")] = 1920,
    batch_size: Annotated[int, typer.Option(min=1, max=64, help="Frames rendered together.")] = 4,
    xla: Annotated[
        bool, typer.Option("--xla", help="Compile the networks with XLA: faster on GPUs, slower on CPUs.")
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
    """Render the person of a photo in the motion of a video. Ctrl-C keeps the frames so far."""
    from tf_unseen_pose.imaging.image_files import shrink
    from tf_unseen_pose.imaging.photos import load_image
    from tf_unseen_pose.imaging.time_span import parse_span

    span = parse_span(start, end)
    image = load_image(photo)

    from tf_unseen_pose.imaging.video_writer import require_video_name
    from tf_unseen_pose.inference import animation
    from tf_unseen_pose.pose.people import parse_choice
    from tf_unseen_pose.pose.retargeting import retarget as fit
    from tf_unseen_pose.pose.sources import find_poses

    require_video_name(output)
    who, driving_who = parse_choice(person), parse_choice(driving_person)
    require_other_file(output, driving, background, force=force)
    scene = open_background(background, server, pose_model)
    guards = (server_token, server_tls, server_authority, server_cert, server_key, insecure_token, server_jpeg)
    reposer = open_reposer(model, runtime, xla, ServerOptions(server, *guards, server_timeout))
    photo_size, image = image.shape[1::-1], shrink(image, max_side)
    size = image.shape[1::-1]
    pose = find_poses(source_pose or photo, reposer.skeleton, photo_size, pose_model, person=who).scaled_to(*size)
    source = pose.joints[0]
    found = find_poses(
        driving, reposer.skeleton, photo_size, pose_model, span=span, person=driving_who, option="--driving-person"
    )
    targets = fit(found.joints, source, reposer.skeleton) if retarget else found.scaled_to(*size).joints
    frames = reposer.animate(image, targets, source, crop, batch_size, scene, extent=pose.extent)
    if side_by_side:
        frames = animation.beside_driving(frames, driving, found, reposer.skeleton, span)
    rate = fps or found.fps or animation.DEFAULT_FPS
    with animation.driving_sound(driving if sound else None, output, span, rate == found.fps) as track:
        written, finished = animation.write_animation(frames, len(targets), output, rate, sound=track)
    typer.echo(f"Wrote {output}: {written} of {counted(len(targets), 'frame')} at {rate:.4g} frames a second.")
    if note := animation.note_of_unseen(found.joints):
        typer.echo(note)
    if not finished:
        raise typer.Exit(130)
