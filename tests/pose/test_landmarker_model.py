"""Where the pose landmarker's model comes from."""

import io
import zipfile

import pytest

from tf_unseen_pose.pose import landmarker_model as module
from tf_unseen_pose.pose.landmarker_model import VARIABLE, bundle_of_wheel, landmarker_model, wheel_has_networks


def test_a_given_file_comes_before_the_environment(tmp_path, monkeypatch):
    (tmp_path / "given.task").write_bytes(b"given")
    (tmp_path / "environment.task").write_bytes(b"environment")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "environment.task"))
    assert landmarker_model(tmp_path / "given.task") == b"given"
    assert landmarker_model() == b"environment"


def test_refuses_a_file_that_cannot_be_read(tmp_path, monkeypatch, refuses):
    refuses(lambda: landmarker_model(tmp_path / "no.task"), tmp_path / "no.task", "--pose-model")
    refuses(lambda: landmarker_model(tmp_path), tmp_path, "--pose-model")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nothing.task"))
    refuses(landmarker_model, tmp_path / "nothing.task", VARIABLE)


def test_without_network_it_says_what_to_do(tmp_path, monkeypatch, refuses):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(module, "wheel_has_networks", lambda: False)
    # Nothing listens on port 1.
    url = "http://127.0.0.1:1/pose_landmarker_full.task"
    monkeypatch.setattr(module, "URL", url)
    refuses(landmarker_model, url, tmp_path / "tf_unseen_pose" / "models", "--pose-model FILE", VARIABLE)


@pytest.mark.skipif(not wheel_has_networks(), reason="this MediaPipe wheel holds no networks")
def test_the_wheels_networks_make_a_bundle(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    content = landmarker_model()
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        assert bundle.namelist() == ["pose_detector.tflite", "pose_landmarks_detector.tflite"]
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in bundle.infolist())
        # MediaPipe reads the networks in place, so they lie at multiples of 4 bytes.
        assert all(content.index(bundle.read(entry)) % 4 == 0 for entry in bundle.infolist())
    assert len(content) == len(bundle_of_wheel())
