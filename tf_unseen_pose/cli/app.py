"""The command line: `python -m tf_unseen_pose COMMAND`, also installed as `unseen-pose`.

A user's error ends in one sentence and exit code 2, without a traceback.
"""

import sys
from typing import Annotated

import typer

import tf_unseen_pose
from tf_unseen_pose.cli import log
from tf_unseen_pose.cli.ablate import ablate
from tf_unseen_pose.cli.animate import animate
from tf_unseen_pose.cli.demo import demo
from tf_unseen_pose.cli.doctor import doctor
from tf_unseen_pose.cli.evaluate import evaluate
from tf_unseen_pose.cli.export import export
from tf_unseen_pose.cli.import_posewarp import import_posewarp
from tf_unseen_pose.cli.pick import pick
from tf_unseen_pose.cli.pose import pose
from tf_unseen_pose.cli.prepare import prepare
from tf_unseen_pose.cli.serve import serve
from tf_unseen_pose.cli.synthesize import synthesize
from tf_unseen_pose.cli.train import train
from tf_unseen_pose.errors import UserError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


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
        bool, typer.Option("-v", "--verbose", help="Show progress messages and the libraries' logs.")
    ] = False,
) -> None:
    """Re-pose people in photos."""
    log.configure(verbose)


# In the order of the help.
COMMANDS = (
    synthesize, animate, pose, prepare, pick, train, evaluate, ablate, serve, import_posewarp, demo, export, doctor,
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)


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
        # Any command can meet a full disk or a folder without permission.
        name = f" {error.filename}" if error.filename else ""
        sys.exit(
            _report(f"The file system refused{name}: {error.strerror or error}; free space or choose another place.")
        )
    except KeyboardInterrupt:
        sys.exit(130)


def _report(sentence: str) -> int:
    typer.echo(f"unseen-pose: {sentence}", err=True)
    return 2
