"""The command line as users type it: what it leaves, what it says, how it ends."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tf_unseen_pose import cli
from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.pose_files import Poses, write_poses
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.images import load_image, save_image
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.training.run import Run

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A photo, two poses and an untrained run."""
    path = tmp_path_factory.mktemp("work")
    source, target = (list(synthetic_clip(2, 6, 150, 200))[i] for i in (0, 3))
    save_image(path / "photo.png", source.image)
    write_poses(path / "source.json", Poses(source.joints[None], 200, 150))
    write_poses(path / "target.json", Poses(target.joints[None], 200, 150))
    config = load_config("tiny")
    Run.create(path / "run", config).save_weights(build_generator(config.model))
    return path


@pytest.fixture
def run(monkeypatch, capsys):
    """Calls the command line in this process: (exit code, standard output, standard error)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["unseen-pose", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return (caught.value.code or 0, *capsys.readouterr())

    return call


def synthesize(folder, **changes):
    options = {
        "photo": folder / "photo.png",
        "--target": folder / "target.json",
        "--source-pose": folder / "source.json",
    }
    options.update({"--model": folder / "run", "-o": folder / "out.png"}, **changes)
    photo = options.pop("photo")
    return ["synthesize", photo, *(item for pair in options.items() for item in pair if item is not True)]


def test_synthesize_writes_the_photo_and_the_explanation(folder, run):
    code, out, _ = run(*synthesize(folder), "--explain")
    assert code == 0 and "out.png" in out and "out-explain.png" in out
    assert load_image(folder / "out.png").shape == (150, 200, 3)
    sheet = load_image(folder / "out-explain.png")
    assert sheet.shape[0] > 800 and sheet.std() > 20
    assert run(*synthesize(folder), "--crop")[0] == 0
    assert load_image(folder / "out.png").shape == (64, 64, 3)


def spoil(folder, name, change):
    content = json.loads((folder / "target.json").read_text())
    change(content["poses"][0]["joints"])
    (folder / name).write_text(json.dumps(content))
    return folder / name


def test_synthesize_refuses_in_one_sentence(folder, run, tmp_path):
    (folder / "text.jpg").write_text("not a picture")
    Run.create(tmp_path / "empty", load_config("tiny"))

    def invisible(joints):
        joints[:] = [[x, y, 0] for x, y, _ in joints]

    def set_joint(i, values):
        return lambda joints: joints.__setitem__(i, values)

    cases = [
        ({"photo": folder / "none.jpg"}, "no file"),
        ({"photo": folder / "text.jpg"}, "not an image"),
        ({"--target": spoil(folder, "13.json", lambda joints: joints.pop())}, "13 joints"),
        ({"--target": spoil(folder, "nan.json", set_joint(3, [float("nan"), 5, 1]))}, "right_elbow"),
        ({"--target": spoil(folder, "blind.json", invisible)}, "visible"),
        ({"--target": spoil(folder, "out.json", set_joint(4, [500, 20, 1]))}, "outside"),
        ({"--target": folder / "photo.png"}, "not a pose file"),
        ({"--source-pose": folder / "none.json"}, "no pose file"),
        ({"--model": tmp_path / "empty"}, "no weights"),
        ({"--model": folder / "none"}, "no model folder"),
        ({"-o": folder / "none" / "out.png"}, "no folder"),
        ({"-o": folder / "out.docx"}, "format"),
    ]
    for changes, words in cases:
        code, out, err = run(*synthesize(folder, **changes))
        assert code == 2 and words in err, (changes, err)
        assert err.count("\n") == 1 and "Traceback" not in err and not out


def test_a_real_process_ends_with_code_2_and_one_line(folder):
    command = [sys.executable, "-m", "tf_unseen_pose", *map(str, synthesize(folder, photo=folder / "none.jpg"))]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr == f"unseen-pose: There is no file {folder / 'none.jpg'}; name an existing photo.\n"


def test_prepare_train_and_train_on(run, tmp_path):
    data, where = tmp_path / "data", tmp_path / "run"
    code, out, _ = run("prepare", "-o", data, "--format", "synthetic", "--clips", 1, "--frames", 4, "--size", 64)
    assert code == 0 and "1 clips, 4 frames" in out
    begin = ["train", "--data", data, "--run", where]
    small = ["--set", "train.batch_size=2", "--set", "train.steps=2"]
    assert run(*begin, "--config", "tiny", *small)[0] == 0
    # Without --config a run keeps its own; more steps may be asked for.
    assert run(*begin, "--set", "train.steps=3")[0] == 0
    assert (where / "checkpoints" / "ckpt-3.index").exists()
    code, _, err = run(*begin, "--set", "train.seed=4")
    assert code == 2 and "train.seed=0, not 4" in err
    code, _, err = run("prepare", tmp_path / "nowhere", "-o", tmp_path / "x", "--format", "posewarp")
    assert code == 2 and "nowhere" in err


def test_import_posewarp_leaves_a_run_that_synthesize_takes(folder, run, shared, tmp_path):
    golden = shared / "golden"
    script = [sys.executable, golden / "make_posewarp_h5.py", golden / "posewarp_parity.npz", tmp_path / "authors.h5"]
    subprocess.run(script, check=True)
    where = tmp_path / "paper"
    code, _, err = run("import-posewarp", tmp_path / "authors.h5", "-o", where, "--set", "model.background_fill=zero")
    assert code == 0, err
    assert run(*synthesize(folder, **{"--model": where}), "--crop")[0] == 0
    crop = load_image(folder / "out.png")
    assert crop.shape == (256, 256, 3) and np.ptp(crop) > 5
    code, _, err = run("import-posewarp", folder / "photo.png", "-o", tmp_path / "no")
    assert code == 2 and "not a readable HDF5" in err
    code, _, err = run("import-posewarp", tmp_path / "authors.h5", "-o", where)
    assert code == 2 and "exists" in err


def test_a_disk_that_refuses_is_reported_in_one_sentence(folder, run, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", str(folder / "x"))

    monkeypatch.setattr("tf_unseen_pose.data.prepare.prepare", full)
    code, _, err = run("prepare", "-o", folder / "x", "--format", "synthetic")
    assert code == 2 and "No space left on device" in err and err.count("\n") == 1


def test_the_console_script_is_the_same_command_line():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["scripts"]["unseen-pose"] == "tf_unseen_pose.cli:main"
