"""`prepare` as users type it: what it leaves, what it reports, how it goes on after a kill."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.records import ClipDataset

ROOT = Path(__file__).parents[2]


def test_prepare_and_what_train_refuses(folder, run, tmp_path):
    data, where = tmp_path / "data", shutil.copytree(folder / "run", tmp_path / "run")
    code, out, _ = run("prepare", "-o", data, "--format", "synthetic", "--clips", 1, "--frames", 4, "--size", 64)
    assert code == 0 and "1 clip (0 for validation), 4 frames" in out and "summary.html" in out
    # Without --config a run keeps its own.
    code, _, err = run("train", "--data", data, "--run", where, "--set", "train.seed=4")
    assert code == 2 and "train.seed=0, not 4" in err
    code, _, err = run("prepare", tmp_path / "nowhere", "-o", tmp_path / "x", "--format", "posewarp")
    assert code == 2 and "nowhere" in err


def test_prepare_keeps_the_good_video_and_reports_every_other(films, run, tmp_path, has_model):
    code, out, err = run("prepare", films / "folder", "-o", tmp_path / "set", "--workers", 2)
    assert code == 0, err
    (clip,) = ClipDataset.open(tmp_path / "set").clips
    assert (clip.name, clip.action) == ("dance.mp4", "folder") and len(clip.frames) >= 2
    for name, words in (
        ("cut.mp4", "no readable frame"), ("empty.mp4", "damaged"), ("nobody.mp4", "no person"),
        ("picture.jpg", "not a video"),
        ("still.mp4", "too few usable frames (1"), ("text.mp4", "damaged"), ("two.mp4", "several people"),
    ):  # fmt: skip
        (line,) = (line for line in out.splitlines() if f"{name} was skipped" in line)
        assert words in line, line
    assert (tmp_path / "set" / "summary.html").is_file() and "summary.html" in out


def test_a_killed_prepare_ends_with_the_same_dataset(tmp_path):
    """SIGKILL to the command and its workers, while clips are staged."""
    options = ["--format", "synthetic", "--clips", "4", "--frames", "8", "--size", "64", "--workers", "2"]

    def command(name):
        return [sys.executable, "-m", "tf_unseen_pose", "prepare", "-o", str(tmp_path / name), *options]

    victim = subprocess.Popen(command("set"), cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    while victim.poll() is None and not list((tmp_path / "set").rglob("clip-*.json")):
        time.sleep(0.02)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    assert not (tmp_path / "set" / "dataset.json").exists()
    subprocess.run(command("set"), cwd=ROOT, check=True, capture_output=True)
    # By one process, undisturbed.
    prepare([], tmp_path / "whole", Options("synthetic", clips=4, frames=8, size=64), progress=False)
    names = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "set").iterdir())
    for name in names:
        if name != "summary.html":  # It shows the folder's name.
            assert (tmp_path / "set" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_beam_is_asked_for_in_one_sentence(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    code, _, err = run("prepare", "-o", tmp_path / "x", "--format", "synthetic", "--runner", "DirectRunner")
    assert code == 2 and "requirements-beam.txt" in err


def test_a_disk_that_refuses_is_reported_in_one_sentence(folder, run, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", str(folder / "x"))

    monkeypatch.setattr("tf_unseen_pose.data.prepare.prepare", full)
    code, _, err = run("prepare", "-o", folder / "x", "--format", "synthetic")
    assert code == 2 and "No space left on device" in err and err.count("\n") == 1
