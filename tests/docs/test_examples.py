"""Every shell command of the README and of docs/ is run, in reading order, in one folder with stand-ins for the files
that a reader would have; what cannot be run here is listed with the reason, and checked to be understood.

Trainings and the like are cut to seconds by options that are appended, which override those of the page.
"""

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import typer
from small_networks import LITE

from tf_unseen_pose.cli.app import app
from tf_unseen_pose.inference.bundled import bundled
from tf_unseen_pose.known_skeletons import SKELETONS
from tf_unseen_pose.on_device.__main__ import command_line
from tf_unseen_pose.on_device.__main__ import run as run_on_device

CLI, ON_DEVICE = ["python", "-m", "tf_unseen_pose"], ["python", "-m", "tf_unseen_pose.on_device"]
# The beginning of a command: why it is not run.
NOT_RUN = {
    "make test": "runs these tests; .ci/run calls it",
    "make demo": "tests/installation/test_make.py calls it",
    "make wheel": "tests/installation runs what it calls",
    "make web": "tests/serving/on_device/test_make.py calls it",
    "source": "changes the reader's shell",
    "pip": "installs packages; tests/installation installs wheels, .ci/run the requirements",
    "docker": "needs Docker and the network",
    "serving/start.sh": "needs tensorflow_model_server; tests/serving/deployment runs it where it is",
    "TF_CONFIG=": "needs two machines; tests/training/test_replicas.py runs two processes",
    "python -m tf_unseen_pose prepare .* --runner DirectRunner": "tests/data/test_beam.py runs it",
    "python -m tf_unseen_pose ablate": "tests/evaluation/test_ablation.py trains the variants",
    "python -m tf_unseen_pose export": "tests/export exports, tests/cli/test_export.py calls the command",
    "unseen-pose doctor": "tests/tools/test_doctor.py",
}  # fmt: skip
# Of the networks' own widths, since weights are taken.
SMALL_CANVAS = ("model.height=64", "model.width=64")
BRIEF = ("train.stages=[{loss: l1, steps: 1}]", "train.batch_size=1", "train.workers=0")


def reason(command):
    """Why a command is not run; None for one that is."""
    return next((why for start, why in NOT_RUN.items() if re.match(rf"{start}(\b|\s|$|(?<==))", command)), None)


def words(command):
    """Its words without settings of the environment, `unseen-pose` as the module that it is."""
    found = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
    return [*CLI, *found[1:]] if found[0] == "unseen-pose" else found


def understood(arguments):
    """Has the command line read a command with all its options, without doing anything."""
    group = typer.main.get_command(app)
    context = group.make_context("unseen-pose", arguments[:1], resilient_parsing=True)
    name, command, _ = group.resolve_command(context, list(arguments))
    assert command is not None, f"there is no command {arguments[0]}"
    command.make_context(name, list(arguments[1:]))


def test_shell_commands_stand_in_blocks_that_are_read(pages):
    pattern = r"^\s*(?:\$ )?(?:\.venv/bin/)?(?:python3? -m |unseen-pose |make |pip |docker |tensorboard )"
    for page in pages.values():
        for language, content, line in page.blocks:
            # The page of reference shows the form of each command, with names for what is to be filled in.
            if language != "sh" and page.name != "docs/commands":
                assert not re.search(pattern, content, re.MULTILINE), f"{page.name}, line {line}: call the block `sh`"


def test_every_command_is_understood(pages, root):
    seen = []
    for page in pages.values():
        for command in page.commands:
            seen.append(command)
            parts = words(command)
            if parts[:3] == ON_DEVICE:
                command_line().parse_args(parts[3:])
            elif parts[:3] == CLI:
                if parts[3:] != ["--help"]:
                    understood(parts[3:])
            elif parts[:2] == ["python", "-m"]:
                assert importlib.util.find_spec(parts[2]), command
            elif parts[0] == "tensorboard":
                assert importlib.util.find_spec(parts[0])
            elif parts[0] == "make":
                assert re.search(rf"^{parts[1]}:", (root / "Makefile").read_text(), re.MULTILINE), command
            else:
                assert reason(command), f"{page.name}: nobody knows how to check '{command}'"
                files = [part for part in parts if re.match(r"(serving|requirements)[\w./-]*\.\w+$", part)]
                assert all((root / file).is_file() for file in files), command
    assert len(seen) > 40
    for start in NOT_RUN:
        assert any(re.match(start, command) for command in seen), f"no page has '{start}' any more"


def test_options_that_do_not_exist_are_found():
    with pytest.raises(Exception, match="No such option"):
        understood(["train", "--data", "x", "--run", "y", "--epochs", "3"])
    with pytest.raises(Exception, match="(?i)missing"):
        understood(["train", "--data", "x"])


def settings(*values):
    return [part for value in values for part in ("--set", value)]


def cut(arguments, addresses):
    """What is appended to a command of the command line so that it takes seconds, on ports that are free."""
    name = arguments[0]
    if name == "prepare" and "synthetic" in arguments:
        return ["--frames", "4", "--size", "64"]
    if name == "prepare" and "videos" in arguments:
        return ["--validation", "0.5"]
    if name == "train":
        # Pages choose the joints themselves; a square for VGG fits the canvas.
        of_lite = [value for value in LITE if "skeleton" not in value]
        small = SMALL_CANVAS if "--init" in arguments else [*of_lite, "loss.features_crop=32"]
        # A run that exists keeps its own. XLA is tested elsewhere, and compiles for long.
        return settings(*BRIEF) if "--config" not in arguments else settings(*small, *BRIEF, "train.xla=false")
    if name == "import-posewarp":
        return settings(*SMALL_CANVAS)
    if name == "evaluate":
        return ["--pairs", "2", "--no-poses"]
    return ["--server", addresses["serve"]] if "--server" in arguments else []


@pytest.fixture(scope="module")
def finished():
    """The commands that were run: what several pages show is run once."""
    return set()


@pytest.fixture(scope="module")
def background():
    """Starts a command that serves until it is stopped, on a free port: its address. All are stopped in the end."""
    programs = []

    def start(*command):
        command = [sys.executable, *command, "--port", "0"]
        program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        programs.append(program)
        lines = []
        for line in program.stdout:
            lines.append(line)
            if found := re.search(r"(localhost|127\.0\.0\.1):[1-9]\d*", line):
                return found[0]
        pytest.fail(f"{' '.join(command)}\n{''.join(lines)}")

    yield start
    for program in programs:
        program.terminate()
        program.communicate(timeout=60)


@pytest.fixture(scope="module")
def addresses():
    """Where the commands that serve were found, by their names."""
    return {}


@pytest.mark.parametrize("name", [
    "README", "docs/quick-start", "docs/your-photo", "docs/your-videos", "docs/held-objects", "docs/datasets",
    "docs/training", "docs/evaluation", "docs/serving", "docs/devices",
])  # fmt: skip
def test_the_commands_of_a_page_run(
    name, root, pages, workplace, exported, finished, run, background, addresses, monkeypatch, has_model
):
    monkeypatch.chdir(workplace)
    # What the page about serving exports.
    if not Path("models").exists():
        shutil.copytree(exported[1].parent, "models/mine")
    for command in dict.fromkeys(pages[name].commands):
        if reason(command) or command in finished:
            continue
        parts = words(command)
        if parts[0] == "tensorboard":
            address = background("-m", "tensorboard.main", *parts[1:])
            with urllib.request.urlopen(f"http://{address}/data/runs") as answer:
                assert json.load(answer) == ["."]
        elif parts[:4] == [*CLI, "serve"]:
            monkeypatch.setenv("PYTHONPATH", str(root))
            addresses["serve"] = background(*parts[1:])
        elif parts[:3] == ON_DEVICE:
            run_on_device([*parts[3:], "--frames", "2"])
        else:
            assert parts[:3] == CLI, command
            code, out, err = run(*parts[3:], *cut(parts[3:], addresses))
            assert code == 0, f"{command}\n{out}\n{err}"
        for option in ("-o", "--run", "--overlay"):
            if option in parts:
                made = parts[parts.index(option) + 1]
                # A file for everybody.
                made = made.replace(".", "-1.") if "--all" in parts else made
                assert Path(made).exists(), f"{command} left no {made}"
        finished.add(command)


def test_python_examples_run(pages, has_model, only_known_here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo, source, motion = bundled()
    shown = []
    for page in pages.values():
        for language, content, _ in page.blocks:
            # `tests/export/onnx` runs that one, where there are such files.
            if language == "python" and "import onnxruntime" not in content:
                given = {"image": photo, "source_joints": source[:, :3], "target_joints": motion.joints[3, :, :3]}
                made = {**given, "poses": motion.joints[:2, :, :3]}
                exec(compile(content, page.name, "exec"), made)
                shown += [value for name, value in made.items() if name in ("result", "photo", "frame")]
    assert [result.shape for result in shown] == [photo.shape] * 5 and "tennis" in SKELETONS
    assert (tmp_path / "result.png").exists()
