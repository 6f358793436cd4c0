"""The command `prepare`."""

import json
import logging
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tf_unseen_pose.cli.options import End, PoseModel, Start
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.words import counted

if TYPE_CHECKING:  # Both import TensorFlow.
    from tf_unseen_pose.data.prepare import Summary


class Format(StrEnum):
    """Input layouts."""

    video = "video"
    posewarp = "posewarp"
    pairs = "pairs"
    avatars = "avatars"
    synthetic = "synthetic"
    dataset = "dataset"


class People(StrEnum):
    """What tells one person's videos from another's."""

    clips = "clips"
    folders = "folders"


def prepare(
    output: Annotated[str, typer.Option("-o", "--output", help="Dataset folder to write.")],
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="INPUT", help="Videos or folders; none for synthetic.")
    ] = None,
    format: Annotated[
        Format, typer.Option(help="Layout of the input; dataset joins finished datasets.")
    ] = Format.video,
    action: Annotated[
        str | None, typer.Option(help="Action label of all clips; by default a video's folder name.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Name of a clip to keep; repeatable.")] = None,
    max_side: Annotated[
        int | None, typer.Option(min=32, help="Shrink frames to this longer side; by default 1280 for videos.")
    ] = None,
    register: Annotated[
        bool | None, typer.Option(help="Remove small camera movements; by default for videos.", show_default=False)
    ] = None,
    validation: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of the people held out for validation; datasets keep theirs.")
    ] = 0.1,
    rate: Annotated[float, typer.Option(min=0.01, max=240, help="Videos: frames per second to read.")] = 10,
    start: Start = None,
    end: End = None,
    people: Annotated[
        People, typer.Option(help="Videos: whether each clip or each folder shows a different person.")
    ] = (People.clips),
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that read clips; by default one per core for videos, else one.")
    ] = None,
    clips: Annotated[int, typer.Option(min=1, help="Synthetic: number of clips.")] = 8,
    frames: Annotated[int, typer.Option(min=2, help="Synthetic: frames per clip.")] = 32,
    size: Annotated[int, typer.Option(min=32, help="Synthetic: frame side in pixels.")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Synthetic: seed.")] = 0,
    skeleton: Annotated[str, typer.Option(help="Synthetic: person, or golf (with a club).")] = "person",
    runner: Annotated[
        str | None, typer.Option(help="Run with Apache Beam: DirectRunner, DaskRunner, FlinkRunner, DataflowRunner ...")
    ] = None,
    runner_option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Option of the runner; repeatable.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --runner: print Beam's portable pipelines as JSON, and run nothing.")
    ] = False,
    pose_model: PoseModel = None,
) -> None:
    """Turn videos, clips or photo pairs into a dataset."""
    from tf_unseen_pose.data.plan import Options
    from tf_unseen_pose.data.prepare import prepare as run
    from tf_unseen_pose.data.video_clips import VideoOptions
    from tf_unseen_pose.imaging.time_span import parse_span

    video = VideoOptions(rate=rate, people=people.value, pose_model=pose_model, span=parse_span(start, end))
    options = Options(
        format.value, action=action, only=tuple(only or ()), max_side=max_side, register=register,
        validation=validation, video=video,
        clips=clips, frames=frames, size=size, seed=seed, skeleton=skeleton,
    )  # fmt: skip
    if dry_run and not runner:
        raise UserError("--dry-run prints the pipelines of a runner; name it with --runner.")
    if runner:
        flags = _beam_flags(runner, runner_option or [])
        from tf_unseen_pose.data.beam import portable_graphs, prepare_with_beam

        if dry_run:
            typer.echo(json.dumps(portable_graphs(inputs or [], output, options, flags), indent=1))
            return
        summary = prepare_with_beam(inputs or [], output, options, flags)
    else:
        summary = run([Path(path) for path in inputs or []], Path(output), options, workers)
    _tell(output, summary)


def _tell(output: str, summary: "Summary") -> None:
    state = "is complete already" if summary.was_complete else "is ready"
    clips, frames = counted(summary.clips, "clip"), counted(summary.frames, "frame")
    parts = f"{clips} ({summary.validation_clips} for validation), {frames}"
    typer.echo(f"{output} {state}: {parts}, {summary.size / 1e6:.1f} MB.")
    for reason, count in sorted(summary.rejected.items(), key=lambda item: -item[1]):
        typer.echo(f"  {counted(count, 'frame')} left out: {reason}")
    for name, reason in summary.broken.items():
        typer.echo(f"  {name} was skipped: {reason}")
    if summary.page:
        typer.echo(f"Look at {summary.page} before you train.")


def _beam_flags(runner: str, options: list[str]) -> list[str]:
    """Beam's flags from a runner's name and its options, KEY=VALUE each.

    Raises:
        UserError: Apache Beam is not installed.
    """
    # Without Google's packages Beam warns about them at every import.
    logging.disable(logging.WARNING)
    try:
        import apache_beam  # noqa: F401  Only to find out whether it is there.
    except ImportError as error:
        raise UserError(
            "Apache Beam is not installed; run 'pip install -r requirements-beam.txt', or leave out --runner."
        ) from error
    finally:
        logging.disable(logging.NOTSET)
    return [f"--runner={runner}", *(f"--{option.removeprefix('--')}" for option in options)]
