"""The command `train`."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.assets.shipped import model_folder
from tf_unseen_pose.cli.options import Settings
from tf_unseen_pose.errors import UserError, WorkerLost

# A worker that lost another one restarts: most tries, seconds between them, the variable that counts them.
_MOST_TRIES, _PAUSE, _TRIES = 100, 5, "UNSEEN_POSE_TRIES"


def train(
    data: Annotated[Path, typer.Option(help="Dataset of 'prepare'.")],
    run: Annotated[Path, typer.Option(help="Run folder; an existing run is resumed.")],
    config: Annotated[
        str | None, typer.Option(help="Preset (paper, lite, tiny) or YAML file, e.g. configs/clip-256.yaml.")
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(help="Run or weights file to start from (fine-tuning)."),
    ] = None,
    settings: Settings = [],  # noqa: B006  Typer reads the default, nobody changes it.
) -> None:
    """Train a model or resume its training. Ctrl-C saves and stops."""
    from tf_unseen_pose.config import load_config

    if init and not (init := model_folder(init)).exists():
        raise UserError(f"There is no run or weights file {init} to start from; name an existing one.")
    # The configuration of the run itself, or of what it starts from.
    stored = [folder / "config.json" for folder in (run, init) if folder and (folder / "config.json").is_file()]
    resolved = load_config(config or (str(stored[0]) if stored else "paper"), settings)

    from tf_unseen_pose.training.fit import train as run_training

    try:
        run_training(data, run, resolved, init=init)
    except WorkerLost as lost:
        _begin_again(lost)
    typer.echo(f"{run} is ready: use it as --model, or train on with the same command.")


def _begin_again(lost: WorkerLost) -> None:
    """Replaces this process, whose connections are broken, by the same command."""
    tries = int(os.environ.get(_TRIES, 0)) + 1
    if tries > _MOST_TRIES:
        raise lost
    typer.echo(f"unseen-pose: {lost}", err=True)
    time.sleep(_PAUSE)
    os.environ[_TRIES] = str(tries)
    os.execv(sys.executable, [sys.executable, "-m", "tf_unseen_pose", *sys.argv[1:]])
