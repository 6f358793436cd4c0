"""The command `import-posewarp`."""

from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.cli.options import Settings
from tf_unseen_pose.errors import UserError


def import_posewarp(
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="The authors' vgg_100000.h5 or vgg+gan_5000.h5.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Run folder to write.")],
    settings: Settings = [],  # noqa: B006  Typer reads the default, nobody changes it.
) -> None:
    """Turn the weights that the authors released into a run."""
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
