"""Every shell command of the README and of docs/ is run, in reading order, in one folder with stand-ins for the files
that a reader would have; what cannot be run here is listed with the reason, and checked to be understood.

Trainings and the like are cut to seconds by options that are appended, which override those of the page.
"""

import importlib.util
import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer

from tf_unseen_pose.cli import app
from tf_unseen_pose.data.bundled import FOLDER, bundled
from tf_unseen_pose.data.pose_files import Poses, read_poses, write_poses
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.data.video import VideoWriter
from tf_unseen_pose.images import save_image
from tf_unseen_pose.on_device.__main__ import command_line
from tf_unseen_pose.on_device.__main__ import run as run_on_device
from tf_unseen_pose.skeleton import GOLF, PERSON

CLI, ON_DEVICE = ["python", "-m", "tf_unseen_pose"], ["python", "-m", "tf_unseen_pose.on_device"]
# The beginning of a command: why it is not run.
NOT_RUN = {
    "make": "makes environments, or runs these tests",
    "source": "changes the reader's shell",
    "pip": "installs packages",
    "tensorboard": "serves until it is stopped",
    "docker": "needs Docker and the network",
    "serving/start.sh": "needs tensorflow_model_server; tests/serving/deployment runs it where it is",
    "unseen-pose --help": "shows what the next entry shows",
    "python -m tf_unseen_pose --help": "shows the commands, which every other command here asks for",
    "python -m tf_unseen_pose serve": "serves until it is stopped; tests/serving runs servers",
    "python -m tf_unseen_pose synthesize .* --server": "needs that server; tests/serving/test_client.py has one",
    "python -m tf_unseen_pose prepare .* --runner": "needs a cluster; tests/data/test_beam.py runs Beam's own runner",
    "TF_CONFIG=": "needs two machines; tests/training/test_replicas.py runs two processes",
    "python -m tf_unseen_pose train .* --config configs/lite.yaml": "needs a GPU and VGG's weights",
    "python -m tf_unseen_pose ablate": "trains four networks, three with VGG; tests/evaluation/test_ablation.py",
    "python -m tf_unseen_pose export lite": "the model in full; the page about devices exports a small one",
    "python -m tf_unseen_pose import-posewarp": "needs the authors' file; tests/model/test_posewarp_import.py",
    "python -m tf_unseen_pose train .* --init runs/paper": "goes on from what the line above would make",
}  # fmt: skip
# Networks of a few channels on a canvas of 64 x 64.
SMALL = (
    "model.height=64", "model.width=64", "model.segmentation.widths=[8,12,16]", "model.background.widths=[8,12,16]",
    "model.foreground.widths=[16,24]", "model.foreground.finer=8",
)  # fmt: skip
# Of the shipped model's widths, since its weights are taken.
AS_LITE = ("model.height=64", "model.width=64")
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


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, root):
    """What a reader has beside the repository, small."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "configs").symlink_to(root / "configs")
    for name in ("me", "somebody"):
        shutil.copy(FOLDER / "person.jpg", folder / f"{name}.jpg")
    motion = read_poses(FOLDER / "motion.json", PERSON)
    write_poses(folder / "poses.json", Poses(motion.joints[:3], motion.width, motion.height, 10))
    film(folder / "me.mp4", 4, "dance")
    film(folder / "dance.mp4", 5, "dance")
    for name, seed in (("dance", 6), ("kick", 7)):
        (folder / "videos" / name).mkdir(parents=True)
        film(folder / "videos" / name / "one.mp4", seed, name)
    source, target = (list(synthetic_clip(2, 6, 100, 140, skeleton=GOLF))[i] for i in (0, 4))
    save_image(folder / "golfer.jpg", source.image)
    for name, frame in (("golfer", source), ("swing", target)):
        write_poses(folder / f"{name}.json", Poses(frame.joints[None], 140, 100))
    return folder


@pytest.fixture(scope="module")
def finished():
    """The commands that were run: what several pages show is run once."""
    return set()


def film(path, seed, action):
    with VideoWriter(path, 10) as writer:
        for frame in synthetic_clip(seed, 8, 240, 320, action):
            writer.write(frame.image)


def settings(*values):
    return [part for value in values for part in ("--set", value)]


def cut(arguments):
    """What is appended to a command of the command line so that it takes seconds."""
    name = arguments[0]
    if name == "prepare" and "synthetic" in arguments:
        return ["--frames", "4", "--size", "64"]
    if name == "prepare" and "videos" in arguments:
        return ["--validation", "0.5"]
    if name == "train":
        small = AS_LITE if "--init" in arguments else SMALL
        # A run that exists keeps its own.
        return settings(*BRIEF) if "--config" not in arguments else settings(*small, *BRIEF)
    if name == "evaluate":
        return ["--pairs", "2", "--no-poses"]
    if name == "export" and "--tflite" in arguments:
        return ["--variant", "float16", "--pairs", "1", "--no-poses"]
    return []


@pytest.mark.parametrize("name", [
    "README", "docs/quick-start", "docs/your-photo", "docs/your-videos", "docs/held-objects", "docs/datasets",
    "docs/training", "docs/evaluation", "docs/serving", "docs/devices",
])  # fmt: skip
def test_the_commands_of_a_page_run(name, pages, workplace, finished, run, monkeypatch, has_model):
    monkeypatch.chdir(workplace)
    for command in dict.fromkeys(pages[name].commands):
        if reason(command) or command in finished:
            continue
        arguments = words(command)
        if arguments[:3] == ON_DEVICE:
            run_on_device([*arguments[3:], "--frames", "2"])
        else:
            assert arguments[:3] == CLI, command
            code, out, err = run(*arguments[3:], *cut(arguments[3:]))
            assert code == 0, f"{command}\n{out}\n{err}"
        for option in ("-o", "--run", "--overlay"):
            if option in arguments:
                made = arguments[arguments.index(option) + 1]
                assert Path(made).exists(), f"{command} left no {made}"
        finished.add(command)


def test_python_examples_run(pages, has_model):
    photo, source, motion = bundled()
    seen = 0
    for page in pages.values():
        for language, content, _ in page.blocks:
            if language == "python":
                given = {"image": photo, "source_joints": source[:, :3], "target_joints": motion.joints[3, :, :3]}
                made = {**given, "poses": motion.joints[:2, :, :3]}
                exec(compile(content, page.name, "exec"), made)
                results = [value for name, value in made.items() if name in ("result", "photo", "frame")]
                assert results and all(result.shape == photo.shape for result in results)
                seen += 1
    assert seen == 2
