"""The notebook from top to bottom, with a disconnect in the middle of training."""

import base64
import io
import os
import re
import signal
import threading
import time
import zipfile

import numpy as np
import psutil
import pytest
from PIL import Image
from small_networks import TINY

NAME = "train_unseen_pose.ipynb"
SETTINGS = {
    "CONFIG": "tiny", "START_FROM": "", "PEOPLE": 3, "POSES": 5, "SIZE": 64, "PAIRS": 3, "VARIANTS": ["float16"]
}  # fmt: skip
QUICK = [*TINY, "train.batch_size=2", "train.log_every=5", "train.checkpoint_every=5", "train.workers=0"]


def picture(png):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


def trainings(run):
    """The processes that train that run."""
    return [process for process in psutil.process_iter() if "train" in (line := command(process)) and str(run) in line]


def command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def killed_after_a_checkpoint(pid, run):
    """Kills a process once the run has a checkpoint."""

    def watch():
        deadline = time.monotonic() + 200
        while not (run / "checkpoints" / "checkpoint").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def finished(notebook):
    """The notebook, executed; the step at which it was disconnected; the folder of its results."""
    import nbclient

    with notebook(NAME, **SETTINGS, MORE=[*QUICK, "train.stages.0.steps=100000"]) as session:
        folder = session.folder / "drawn"
        session.run("settings", "install", "folder", "data")
        killer = killed_after_a_checkpoint(session.kernel_pid, folder / "run")
        with pytest.raises(nbclient.exceptions.DeadKernelError):
            session.run("train")
        killer.join()
    # What the kernel started goes with it; two trainings would write to one run.
    deadline = time.monotonic() + 60
    while trainings(folder / "run") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not trainings(folder / "run")
    from tf_unseen_pose.training.run import Run

    reached = Run.open(folder / "run").steps_done
    with notebook(NAME, **SETTINGS, MORE=[*QUICK, f"train.stages.0.steps={reached + 10}"]) as session:
        session.run()
    return session, reached, folder


def test_after_a_disconnect_all_cells_go_on(finished):
    session, reached, folder = finished
    assert reached % 5 == 0 and reached > 0
    assert "is complete already: 3 clips (1 for validation), 15 frames" in session.said("data")
    steps = [int(step) for step in re.findall(rf"(\d+)/{reached + 10} ", session.said("train"))]
    assert steps[0] == reached and steps[-1] == reached + 10


def test_pages_and_pictures_are_shown(finished):
    session, _, folder = finished
    for cell, page in (("data", "data/summary.html"), ("evaluate", "report/report.html")):
        (frame,) = session.shown(cell, "text/html")
        assert "<iframe" in frame and f"<title>{_title(folder / page)}" in frame.replace("&lt;", "<").replace(
            "&gt;", ">"
        )
    (tensorboard,) = session.shown("tensorboard", "text/html")
    assert "<iframe" in tensorboard
    samples = picture(*session.shown("samples", "image/png"))
    # Three clips of 64 x 64: photo, target, result.
    assert samples.shape == (3 * 64, 3 * 64, 3) and samples.std() > 20
    assert [len(session.shown("repose", f"image/{kind}")) for kind in ("jpeg", "png")] == [1, 2]
    posed, explained = map(picture, session.shown("repose", "image/png"))
    assert posed.shape == (64, 64, 3) and explained.shape[1] > 200
    (video,) = session.shown("animate", "text/html")
    assert "<video" in video and "data:video/mp4;base64," in video
    (table,) = session.shown("tflite", "text/markdown")
    assert "| float16 |" in table


def _title(page):
    return re.search("<title>(.*)</title>", page.read_text(encoding="utf-8"))[1]


def test_the_archive_holds_a_model_that_loads(finished, tmp_path):
    from tf_unseen_pose.inference.lite_networks import LiteNetworks
    from tf_unseen_pose.inference.tensorflow_networks import TensorFlowNetworks

    *_, folder = finished
    with zipfile.ZipFile(folder / "models" / "drawn.zip") as archive:
        archive.extractall(tmp_path)
    trained = TensorFlowNetworks.load(folder / "run").generator.get_weights()
    # Exported weights are in half precision.
    for one, other in zip(
        trained, TensorFlowNetworks.load(tmp_path / "drawn" / "1").generator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)
    about = LiteNetworks.load(tmp_path / "drawn", variant="float16").about
    assert about["licence"] == "all rights reserved" and about["height"] == 64


def test_videos_of_ones_own_are_prepared(notebook):
    from fractions import Fraction

    from tf_unseen_pose.data.synthetic import synthetic_clip
    from tf_unseen_pose.imaging.video_writer import VideoWriter

    with notebook(NAME, NAME="mine", OWN_VIDEOS=True) as session:
        session.run("settings", "install", "folder")
        with pytest.raises(Exception, match="There is no file in .*videos; put yours there"):
            session.run("data")
        with VideoWriter(session.folder / "mine" / "videos" / "me.mp4", Fraction(10)) as writer:
            for frame in synthetic_clip(4, 6, 200, 240, "dance"):
                writer.write(frame.image)
        session.run("data")
        assert "1 clip " in session.said("data") and len(session.shown("data", "text/html")) == 1
