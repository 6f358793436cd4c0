"""Two processes in one folder: the second says who is at work, and what a dead one has left is no obstacle."""

import os
import platform
import subprocess
import sys

import pytest
from short_training import settings

from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.saved_model import export_run
from tf_unseen_pose.export.tflite import export_tflite
from tf_unseen_pose.locks import LOCK_NAME, at_work
from tf_unseen_pose.training.fit import train
from tf_unseen_pose.training.run import Run

HOLD = """
import sys
from pathlib import Path
from tf_unseen_pose.locks import at_work
with at_work(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


@pytest.fixture
def other_process(tmp_path):
    """A process that is at work in tmp_path / "folder"."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "folder")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_the_second_process_is_told_who_is_at_work_until_that_one_is_gone(
    tmp_path, dataset_path, refuses, other_process
):
    folder, config = tmp_path / "folder", settings()
    (folder / "kept.txt").write_text("as it was")
    for call in (
        lambda: train(dataset_path, folder, config, progress=False),
        lambda: prepare([], folder, Options("synthetic", clips=1, frames=2, size=48), progress=False),
        lambda: export_run(Run(tmp_path / "run", config), folder),
        lambda: export_tflite(Run(tmp_path / "run", config), folder),
    ):
        refuses(call, f"Process {other_process.pid} is using {folder}")
    assert sorted(entry.name for entry in folder.iterdir()) == [LOCK_NAME, "kept.txt"]
    other_process.kill()
    other_process.wait()
    # Its note is still there.
    assert (folder / LOCK_NAME).read_text().startswith(f"{other_process.pid}\n")
    with at_work(folder):
        assert (folder / LOCK_NAME).read_text() == f"{os.getpid()}\n{platform.node()}\n"
    assert [entry.name for entry in folder.iterdir()] == ["kept.txt"]


def test_a_folder_that_stays_empty_is_removed(tmp_path):
    with pytest.raises(ZeroDivisionError), at_work(tmp_path / "new" / "folder"):
        _ = 1 / 0
    assert not (tmp_path / "new" / "folder").exists()


def test_without_the_systems_locks_a_file_stands_for_one(tmp_path, monkeypatch, refuses, recwarn):
    """As on some network file systems. One that a process on another machine left is named."""

    def missing(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", missing)
    place = tmp_path / LOCK_NAME
    with at_work(tmp_path):
        refuses(lambda: at_work(tmp_path).__enter__(), f"Process {os.getpid()} is using")
    place.write_text("99999999\n" + platform.node() + "\n")
    with at_work(tmp_path):
        pass
    assert not place.exists() and not recwarn
    place.write_text("7\nelsewhere\n")
    refuses(lambda: at_work(tmp_path).__enter__(), f"Process 7 on elsewhere (if it is gone: delete {place})")


def test_where_nothing_can_be_locked_work_goes_on(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    with at_work(tmp_path):
        (tmp_path / "made").touch()
    with at_work(tmp_path / "made"):  # A file: who writes there says so.
        pass
    with pytest.raises(UserError, match="is not a run"):
        Run.create(tmp_path, settings())
