"""The command `doctor`."""

import typer

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.words import counted


def doctor() -> None:
    """Check the installation and name what is missing.

    Loads every required library; exit code 2 if one is missing or broken. Add the output to bug reports.
    """
    try:
        from tf_unseen_pose.tools.doctor import examine
    except ModuleNotFoundError as error:
        raise UserError(f"The package '{error.name}' is not installed; run 'pip install {error.name}'.") from error

    findings = examine()
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        typer.echo(f"{finding.state:8}{finding.subject:{width}}  {finding.what}")
        if finding.fix:
            typer.echo(f"{'':8}{'':{width}}  -> {finding.fix}")
    missing = sum(finding.state == "missing" for finding in findings)
    if missing:
        typer.echo(f"{counted(missing, 'thing is', 'things are')} missing.")
        raise typer.Exit(2)
    typer.echo("All is well.")
