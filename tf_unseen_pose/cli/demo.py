"""The command `demo`."""

from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.cli.options import LITE, Model, RuntimeOption
from tf_unseen_pose.inference.runtime import Runtime


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for what the demo makes.")] = Path("demo"),
    photo: Annotated[Path | None, typer.Option(help="A photo of yourself, whole, alone; else a bundled one.")] = None,
    model: Model = LITE,
    runtime: RuntimeOption = Runtime.auto,
) -> None:
    """Put a bundled person, or yourself, through a motion.

    The model and the motion come along.
    """
    from tf_unseen_pose.inference.demo import demo as run

    for path in run(output, photo, model, runtime):
        typer.echo(f"Look at {path}.")
