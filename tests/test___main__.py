"""The program around its commands: help, version, how it is installed."""

import tomllib
from pathlib import Path

import tf_unseen_pose

ROOT = Path(__file__).parents[1]


def test_help_fits_and_every_command_explains_itself(run):
    code, out, _ = run("--help")
    listed = out.partition("Commands:")[2]
    commands = [line.split()[0] for line in listed.splitlines() if line.strip()]
    # Nothing is cut short.
    assert code == 0 and "..." not in listed and {"demo", "train", "doctor"} <= set(commands)
    for command in commands:
        code, out, _ = run(command, "--help")
        assert code == 0 and f"{command} [OPTIONS]" in out


def test_the_version_is_the_packages(run):
    assert run("--version")[:2] == (0, f"unseen-pose {tf_unseen_pose.__version__}\n")


def test_the_console_script_is_the_same_command_line():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["scripts"]["unseen-pose"] == "tf_unseen_pose.__main__:main"
