"""A version's description of itself: its origin and quality."""

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

import tensorflow as tf

import tf_unseen_pose
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.training.run import Run


def write_about(run: Run, report: Path | None, version: Path) -> None:
    """Writes assets.extra/about.json (code, training, metrics) and assets.extra/skeleton.json.

    Args:
        run: the exported run.
        report: its report.json by `evaluate`.
        version: the version's folder.

    Raises:
        UserError: the report is missing or not by `evaluate`.
    """
    folder = version / "assets.extra"
    folder.mkdir(exist_ok=True)
    about = origin(run) | {"metrics": _metrics(report) if report else None}
    for name, content in (("about.json", about), ("skeleton.json", asdict(run.config.model.body))):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


def origin(run: Run) -> dict:
    """The code and training behind a run's exports."""
    return {
        "project": f"tf_unseen_pose {tf_unseen_pose.__version__}",
        "git_revision": _revision(),
        "tensorflow": tf.__version__,
        "steps": run.steps_done or None,
    }


def _revision() -> str | None:
    """The checkout's commit, with "-dirty" if files were changed; None if the package is installed."""
    root = Path(tf_unseen_pose.__file__).parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _metrics(report: Path) -> dict:
    """Means of the model and the baselines over the pairs of a report."""
    try:
        within = json.loads(report.read_text())["within"]
        return {"pairs": within["count"], "clips": within["clips"], **within["all"]}
    except FileNotFoundError as error:
        raise UserError(f"There is no report {report}; name the report.json that 'evaluate' wrote.") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{report} is not a report.json of 'evaluate'; name one.") from error
