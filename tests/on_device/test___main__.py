import json
import sys

import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.inference.bundled import FOLDER, bundled
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.on_device import __main__ as command
from tf_unseen_pose.on_device.camera import Fitting
from tf_unseen_pose.pose.retargeting import retarget


@pytest.fixture
def on_device(lite_files, monkeypatch, capsys):
    """Calls the demonstration: exit code, standard output, standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["on_device", "--model", str(lite_files[1]), *map(str, arguments)])
        code = 0
        try:
            command.main()
        except SystemExit as ended:
            code = ended.code
        return (code, *capsys.readouterr())

    return call


def test_a_photo_follows_a_pose_file(on_device, tmp_path):
    poses = json.loads((FOLDER / "motion.json").read_text())
    poses["poses"] = poses["poses"][::20]
    (tmp_path / "poses.json").write_text(json.dumps(poses))
    source = ("--source-pose", FOLDER / "person.json")
    arguments = (FOLDER / "person.jpg", *source, "--driving", tmp_path / "poses.json", "--frames", 3)
    code, said, shown = on_device(*arguments, "-o", tmp_path / "out.gif")
    assert code == 0 and "Made 3 frames" in said and "frames/s" in shown
    with Image.open(tmp_path / "out.gif") as gif:
        assert gif.n_frames == 3 and gif.size == bundled()[0].shape[1::-1]
    assert on_device(*arguments, "-o", tmp_path / "out.png")[0] == 0
    assert Image.open(tmp_path / "out.png").size == bundled()[0].shape[1::-1]
    assert not list(tmp_path.glob(".partial*"))


def test_the_bundled_photo_needs_nothing(on_device):
    code, said, _ = on_device("--frames", 2)
    assert code == 0 and "Made 2 frames" in said


def test_refusals(on_device, tmp_path):
    for arguments, word in (
        (("--driving", tmp_path / "none.json"), "none.json"),
        (("--variant", "int4"), "int4"),
        (("-o", tmp_path / "out.xyz"), "out.xyz"),
        (("-o", tmp_path / "none" / "out.gif"), "no folder"),
        ((tmp_path / "none.jpg",), "none.jpg"),
        (("--background", tmp_path / "room.png"), "room.png"),
    ):
        code, _, shown = on_device(*arguments)
        assert code == 2 and word in shown and "Traceback" not in shown


def test_a_camera_without_its_packages(on_device, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    code, _, shown = on_device("--camera")
    assert code == 2 and "cv2" in shown and "install" in shown
    code, _, shown = on_device("--window")
    assert code == 2 and "opencv-python" in shown


def test_poses_that_come_one_by_one_are_fitted_as_a_whole_motion_is():
    _, source, motion = bundled()
    driving = motion.joints * np.float32([0.7, 0.7, 1, 0.7]) + np.float32([40, 9, 0, 0])
    fitting = Fitting(driving, source, BODY)
    np.testing.assert_array_equal(fitting.fitted, retarget(driving, source, BODY))
    # One frame more of 60 or so moves the percentiles a little.
    np.testing.assert_allclose(fitting(driving[7]), fitting.fitted[7], atol=3)
    assert np.abs(fitting(driving[7]) - driving[7]).max() > 20
