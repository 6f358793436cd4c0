"""The command `demo`."""

from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.cli.options import LITE, Model, RuntimeOption
from tf_unseen_pose.inference.runtime import Runtime


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Output folder.")] = Path("demo"),
    photo: Annotated[
        Path | None, typer.Option(help="Photo of one person from head to foot; by default a bundled one.")
    ] = None,
    model: Model = LITE,
    runtime: RuntimeOption = Runtime.auto,
) -> None:
    """Animate a photo with the bundled motion."""
    from tf_unseen_pose.inference.demo import demo as run

    for path in run(output, photo, model, runtime):
        typer.echo(f"Look at {path}.")
