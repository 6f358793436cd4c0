"""The command line: `python -m tf_unseen_pose COMMAND`, also installed as `unseen-pose`.

What a user can put right ends in one sentence and exit code 2, without a traceback.
"""

import logging
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.errors import UserError

# Before TensorFlow is imported anywhere: its notes about the machine are not what the user asked for.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
logging.getLogger("tensorflow").setLevel(logging.ERROR)

app = typer.Typer(
    help="Re-pose people in photos.", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)


class Format(StrEnum):
    posewarp = "posewarp"
    pairs = "pairs"
    synthetic = "synthetic"


Settings = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="Override, e.g. train.steps=500.")]


@app.command()
def synthesize(
    photo: Annotated[Path, typer.Argument(help="The photo of a person.")],
    target: Annotated[Path, typer.Option(help="Pose file (JSON) with the pose to be taken.")],
    model: Annotated[Path, typer.Option(help="A run made by 'train' or 'import-posewarp'.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image to write.")],
    source_pose: Annotated[Path | None, typer.Option(help="Pose file of the person in the photo.")] = None,
    crop: Annotated[bool, typer.Option("--crop", help="Write the crop alone, not the whole photo.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also write OUT-explain.png, every stage on a sheet.")
    ] = False,
):
    """Make the photo of that person in another pose."""
    from tf_unseen_pose import images

    image = images.load_image(photo)
    require_writable(output)

    from tf_unseen_pose.contact_sheet import explanation_sheet
    from tf_unseen_pose.data.pose_files import read_poses
    from tf_unseen_pose.reposer import Reposer

    reposer = Reposer.load(model)
    height, width = image.shape[:2]
    poses = [
        read_poses(path, reposer.skeleton).scaled_to(width, height).joints[0] if path else None
        for path in (source_pose, target)
    ]
    images.save_image(output, reposer.synthesize(image, poses[1], poses[0], crop=crop))
    typer.echo(f"Wrote {output}.")
    if explain:
        canvas, sheet = reposer.canvas(image, *poses), output.with_name(f"{output.stem}-explain.png")
        images.save_image(sheet, explanation_sheet(reposer.explain(canvas), vars(canvas), reposer.skeleton))
        typer.echo(f"Wrote {sheet}.")


@app.command()
def prepare(
    inputs: Annotated[list[Path] | None, typer.Argument(help="Folders to read; none for synthetic.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="The dataset folder to write.")] = ...,
    format: Annotated[Format, typer.Option(help="Layout of the input.")] = ...,
    clips: Annotated[int, typer.Option(min=1, help="Synthetic: number of clips.")] = 8,
    frames: Annotated[int, typer.Option(min=2, help="Synthetic: frames a clip.")] = 32,
    size: Annotated[int, typer.Option(min=32, help="Synthetic: side of the frames in pixels.")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Synthetic: seed.")] = 0,
    action: Annotated[str | None, typer.Option(help="Action label of all clips.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Name of a clip to keep; may be repeated.")] = None,
    max_side: Annotated[int | None, typer.Option(min=32, help="Shrink frames to this longer side.")] = None,
):
    """Turn clips or photo pairs into a dataset to train on."""
    from tf_unseen_pose.data.prepare import prepare as run

    summary = run(
        inputs or [], output, format.value, clips=clips, frames=frames, size=size, seed=seed, action=action,
        only=only or None, max_side=max_side,
    )  # fmt: skip
    state = "is complete already" if summary.was_complete else "is ready"
    typer.echo(f"{output} {state}: {summary.clips} clips, {summary.frames} frames, {summary.size / 1e6:.1f} MB.")
    if summary.broken:
        typer.echo(f"{len(summary.broken)} clips were skipped, see above.")


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="A dataset made by 'prepare'.")],
    run: Annotated[Path, typer.Option(help="The run folder; an existing run is resumed.")],
    config: Annotated[str | None, typer.Option(help="Preset (paper, tiny) or YAML file.")] = None,
    settings: Settings = [],  # noqa: B006  Typer reads the default, nobody changes it.
):
    """Train a model, or resume its training. Ctrl-C saves and stops."""
    from tf_unseen_pose.config import load_config

    stored = run / "config.json"
    resolved = load_config(config or (str(stored) if stored.is_file() else "paper"), settings)

    from tf_unseen_pose.training.fit import train as run_training

    run_training(data, run, resolved)
    typer.echo(f"{run} is ready: use it as --model, or train on with the same command.")


@app.command("import-posewarp")
def import_posewarp(
    weights: Annotated[Path, typer.Argument(help="The authors' vgg_100000.h5 or vgg+gan_5000.h5.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The run folder to write.")],
    settings: Settings = [],  # noqa: B006  Typer reads the default, nobody changes it.
):
    """Turn the weights that the paper's authors released into a run."""
    from tf_unseen_pose.config import load_config

    config = load_config("paper", settings)
    if output.exists():
        raise UserError(f"{output} exists; choose a new folder for the run.")

    from tf_unseen_pose.model import build_generator
    from tf_unseen_pose.model.posewarp_import import load_posewarp_weights
    from tf_unseen_pose.training.run import Run

    generator = build_generator(config.model)
    load_posewarp_weights(generator, weights)
    Run.create(output, config).save_weights(generator)
    typer.echo(f"{output} is ready: use it as --model.")


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for what the demo makes.")] = Path("demo"),
    minutes: Annotated[float, typer.Option(min=0.05, max=60, help="How long to train.")] = 2.5,
):
    """Train preset tiny on a synthetic clip and re-pose its figure."""
    from tf_unseen_pose.demo import demo as run

    typer.echo(f"Look at {run(output, minutes)}.")


def require_writable(path: Path) -> None:
    """Finds out before minutes of work whether an image can be written."""
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to write {path.name} to; create it first.")
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UserError(f"{path} does not say in which format to write; end it in .png or .jpg.")


def main() -> None:
    """Runs the command line."""
    try:
        app()
    except UserError as error:
        sys.exit(_report(str(error)))
    except OSError as error:
        # A full disk or a folder without permission can meet any command at any write.
        name = f" {error.filename}" if error.filename else ""
        sys.exit(
            _report(f"The file system refused{name}: {error.strerror or error}; free space or choose another place.")
        )
    except KeyboardInterrupt:
        sys.exit(130)


def _report(sentence: str) -> int:
    typer.echo(f"unseen-pose: {sentence}", err=True)
    return 2
