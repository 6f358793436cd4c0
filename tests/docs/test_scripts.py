"""The scripts of `examples/`, run in their order in one folder."""

import re
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose import PERSON, Poses, Reposer, Run, bundled, load_image, write_poses
from tf_unseen_pose.imaging.video import read_video
from tf_unseen_pose.inference.bundled import FOLDER

# The bundled model's own widths on a small canvas, for one step.
SMALL = """
preset: lite
model: {height: 64, width: 64}
train: {stages: [{loss: l1, steps: 1}], batch_size: 1, workers: 0, xla: false}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("examples")


@pytest.fixture
def eager():
    """Without graphs, whose tracing takes longer than a step."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def converted(lite_files, monkeypatch):
    """Files that were exported before in the place of those that a script exports, which takes half a minute."""
    from tf_unseen_pose.export.tflite import export_files

    def copied(run, folder, options):
        assert run.path == lite_files[0].path and options.variants == ("float16",) and options.licence
        return Path(shutil.copytree(lite_files[1], folder / "tflite"))

    monkeypatch.setattr(export_files, "export_tflite", copied)


@pytest.fixture
def script(root, folder, monkeypatch, capsys):
    """Runs a script in that folder, in which it leaves what it says that it wrote."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(root))

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(root / "examples" / f"{name}.py"), run_name="__main__")
        assert Path(re.findall(r"Wrote .*?(\S+\.\w+)(?:: \d+ frames)?\.$", capsys.readouterr().out)[-1]).is_file()

    return run


def has_left(result, photo, source):
    """Whether the left hand, which is stretched out in the photo, is elsewhere, and the floor as it was."""
    changed = np.abs(result.astype(int) - photo).mean(axis=-1)
    x, y = source[PERSON.joints.index("left_wrist"), :2].round().astype(int)
    return changed[y - 5 : y + 6, x - 5 : x + 6].mean() > 20 and changed[-photo.shape[0] // 10 :].max() == 0


def test_a_photo_is_reposed(script, has_model):
    script("repose_photo")
    photo, source, _ = bundled()
    assert has_left(load_image("reposed.png"), photo, source)


def test_a_photo_is_animated_and_a_model_trained_on_that_video(script, has_model, eager):
    photo, source, motion = bundled()
    write_poses(Path("short.json"), Poses(motion.joints[::12], motion.width, motion.height, 10))
    script("animate_photo", FOLDER / "person.jpg", "short.json")
    frames = [frame for _, frame in read_video(Path("moving.mp4"))]
    assert len(frames) == len(motion.joints[::12]) == 5 and np.ptp(frames, axis=0).max() > 100
    Path("small.yaml").write_text(SMALL)
    script("train_on_video", "moving.mp4", "--config", "small.yaml")
    run = Run.open("trained/run")
    assert run.steps_done == 1 and Path("trained/data/summary.html").is_file()
    before, after = Run.open("lite").load_generator().get_weights(), run.load_generator().get_weights()
    moved = [np.abs(one - other).max() for one, other in zip(before, after, strict=True)]
    assert 0 < max(moved) < 0.1
    assert load_image("trained/reposed.png").shape == photo.shape


def test_a_server_and_a_phones_file_make_what_the_model_makes(script, exported, converted):
    _, version, _ = exported
    photo, source, motion = bundled()
    script("serve_and_ask", version.parent)
    script("export_to_phone", version)
    for name in ("served.png", "phone/reposed.png"):
        # Servers do not sharpen the hole.
        made = Reposer.load(version, sharp_hole=name != "served.png").synthesize(photo, motion.joints[20], source)
        expected = made.astype(int)
        assert np.abs(load_image(name) - expected).mean() < 0.5 < np.abs(expected - photo).mean(), name
