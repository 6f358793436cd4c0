"""The command line: `python -m tf_unseen_pose COMMAND`, also installed as `unseen-pose`.

What a user can put right ends in one sentence and exit code 2, without a traceback.
"""

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

import tf_unseen_pose
from tf_unseen_pose.assets.shipped import model_folder
from tf_unseen_pose.cli import log
from tf_unseen_pose.cli.doctor import doctor
from tf_unseen_pose.cli.evaluate import ablate, evaluate
from tf_unseen_pose.cli.export import export
from tf_unseen_pose.cli.pick import pick
from tf_unseen_pose.cli.prepare import PoseModel, prepare
from tf_unseen_pose.cli.repose import LITE, Model, animate, require_writable, synthesize
from tf_unseen_pose.cli.serve import serve
from tf_unseen_pose.errors import UserError, WorkerLost
from tf_unseen_pose.files import require_folder

# How often and after how many seconds a worker begins again when another one has gone, and where it is counted.
_MOST_TRIES, _PAUSE, _TRIES = 100, 5, "UNSEEN_POSE_TRIES"

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


Settings = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="Override, e.g. train.batch_size=8.")]


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"unseen-pose {tf_unseen_pose.__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Say what is done meanwhile, and show TensorFlow's notes.")
    ] = False,
) -> None:
    """Re-pose people in photos."""
    log.configure(verbose)


app.command()(synthesize)
app.command()(animate)


@app.command()
def pose(
    picture: Annotated[Path, typer.Argument(metavar="IMAGE|VIDEO", help="A photo or a video of one person.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The pose file (JSON) to write.")],
    overlay: Annotated[
        Path | None, typer.Option(help="Also write the picture, or a video, with the skeleton drawn over it.")
    ] = None,
    pose_model: PoseModel = None,
) -> None:
    """Find the joints of a person in a photo or a video."""
    from tf_unseen_pose.imaging.drawing import draw_pose
    from tf_unseen_pose.imaging.image_files import load_image, save_image
    from tf_unseen_pose.imaging.video import require_video_name
    from tf_unseen_pose.inference import animation
    from tf_unseen_pose.pose.pose_files import write_poses
    from tf_unseen_pose.pose.sources import find_poses, is_image, is_pose_file
    from tf_unseen_pose.skeleton import PERSON

    if is_pose_file(picture):
        raise UserError(f"{picture} is no picture; name a photo or a video.")
    require_folder(output)
    if overlay:
        (require_writable if is_image(picture) else require_video_name)(overlay)
    poses = find_poses(picture, PERSON, None, pose_model)
    write_poses(output, poses)
    typer.echo(f"Wrote {output}: {len(poses.joints)} {'pose' if len(poses.joints) == 1 else 'poses'}.")
    if not overlay:
        return
    if is_image(picture):
        save_image(overlay, draw_pose(load_image(picture), poses.joints[0], PERSON))
    else:
        frames = animation.overlaid(picture, poses, PERSON)
        animation.write_animation(frames, len(poses.joints), overlay, poses.fps, synthetic=False)
    typer.echo(f"Wrote {overlay}.")


app.command()(prepare)
app.command()(pick)


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="A dataset made by 'prepare'.")],
    run: Annotated[Path, typer.Option(help="The run folder; an existing run is resumed.")],
    config: Annotated[
        str | None, typer.Option(help="Preset (paper, lite, tiny) or YAML file, e.g. configs/clip-256.yaml.")
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(help="A run, or a weights file of one, to start from: fine-tuning on one's own video."),
    ] = None,
    settings: Settings = [],  # noqa: B006  Typer reads the default, nobody changes it.
) -> None:
    """Train a model, or resume its training. Ctrl-C saves and stops."""
    from tf_unseen_pose.config import load_config

    if init and not (init := model_folder(init)).exists():
        raise UserError(f"There is no run or weights file {init} to start from; name an existing one.")
    # What the run was begun with, or what it starts from.
    stored = [folder / "config.json" for folder in (run, init) if folder and (folder / "config.json").is_file()]
    resolved = load_config(config or (str(stored[0]) if stored else "paper"), settings)

    from tf_unseen_pose.training.fit import train as run_training

    try:
        run_training(data, run, resolved, init=init)
    except WorkerLost as lost:
        _begin_again(lost)
    typer.echo(f"{run} is ready: use it as --model, or train on with the same command.")


app.command()(evaluate)
app.command()(ablate)
app.command()(serve)


@app.command("import-posewarp")
def import_posewarp(
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="The authors' vgg_100000.h5 or vgg+gan_5000.h5.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The run folder to write.")],
    settings: Settings = [],  # noqa: B006  Typer reads the default, nobody changes it.
) -> None:
    """Make a run of the weights that the authors released."""
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
    photo: Annotated[Path | None, typer.Option(help="A photo of yourself, whole, alone; else a bundled one.")] = None,
    model: Model = LITE,
) -> None:
    """Put a bundled person, or yourself, through a motion.

    The model and the motion come along.
    """
    from tf_unseen_pose.inference.demo import demo as run

    sheet, video = run(output, photo, model)
    typer.echo(f"Look at {sheet} and {video}.")


app.command()(export)
app.command()(doctor)


def _begin_again(lost: WorkerLost) -> None:
    """Replaces this process, whose connections are of no more use, by the same command."""
    tries = int(os.environ.get(_TRIES, 0)) + 1
    if tries > _MOST_TRIES:
        raise lost
    typer.echo(f"unseen-pose: {lost}", err=True)
    time.sleep(_PAUSE)
    os.environ[_TRIES] = str(tries)
    os.execv(sys.executable, [sys.executable, "-m", "tf_unseen_pose", *sys.argv[1:]])


def main() -> None:
    """Runs the command line."""
    try:
        app()
    except UserError as error:
        sys.exit(_report(str(error)))
    except ImportError as error:
        if (error.name or "").startswith("tf_unseen_pose"):
            raise
        sys.exit(_report(f"A package cannot be loaded ({error}); 'unseen-pose doctor' says what is missing."))
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
