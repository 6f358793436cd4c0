"""What `doctor` finds, with things taken away."""

import importlib.metadata
import os
import subprocess
import sys

import pytest
from packaging.requirements import Requirement

from tf_unseen_pose.assets import shipped
from tf_unseen_pose.cli.doctor import doctor as command
from tf_unseen_pose.pose.landmarker_model import VARIABLE
from tf_unseen_pose.tools import doctor


def of(findings, subject):
    (finding,) = (each for each in findings if each.subject == subject)
    return finding


@pytest.fixture
def loads_nothing(monkeypatch):
    """Without what takes seconds."""
    monkeypatch.setattr(doctor, "_LIBRARIES", ())


@pytest.fixture(scope="module")
def here():
    """All there is to find on this machine."""
    return doctor.examine()


def test_what_is_here_is_found_as_it_says_itself(here):
    import av
    import cv2
    import keras
    import mediapipe
    import tensorflow as tf

    assert of(here, "TensorFlow").what.startswith(f"{tf.__version__} with Keras {keras.__version__}; devices: CPU:0")
    assert of(here, "MediaPipe").what == mediapipe.__version__ and of(here, "OpenCV").what == cv2.__version__
    assert of(here, "PyAV").what.startswith(f"{av.__version__} with FFmpeg {av.ffmpeg_version_info}")
    assert of(here, "LiteRT").what == importlib.metadata.version("ai-edge-litert")
    assert f"of {os.cpu_count()} cores" in of(here, "machine").what
    places = [each.what.partition(":")[0] for each in here if each.subject == "model 'lite'"]
    assert places == [str(shipped.model_folder("lite")), str(shipped.tflite_file("lite", "float16").parent)]
    assert not [each for each in here if each.state == "missing"]


def test_the_command_ends_well_or_with_2(here, run, monkeypatch):
    import tf_unseen_pose.tools.doctor

    monkeypatch.setattr(tf_unseen_pose.tools.doctor, "examine", lambda: here)
    code, out, err = run("doctor")
    assert code == 0 and out.endswith("All is well.\n") and not err
    lost = doctor.Finding("missing", "moon", "has gone.", "look for it")
    monkeypatch.setattr(tf_unseen_pose.tools.doctor, "examine", lambda: [*here, lost])
    code, out, _ = run("doctor")
    assert code == 2 and out.endswith("1 thing is missing.\n")
    assert [line.split() for line in out.splitlines()[-3:-1]] == [
        ["missing", "moon", "has", "gone."],
        ["->", "look", "for", "it"],
    ]


def test_a_tensorflow_that_cannot_be_loaded_is_one_finding_of_many(tmp_path, monkeypatch, here):
    # One that takes its process down, as on a processor without AVX.
    (tmp_path / "tensorflow.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(
        doctor, "_LIBRARIES", [each for each in doctor._LIBRARIES if each.name in ("TensorFlow", "PyAV")]
    )
    found = doctor.examine()
    broken = of(found, "TensorFlow")
    assert broken.state == "missing" and "SIGILL" in broken.what and "AVX" in broken.fix
    assert of(found, "PyAV") == of(here, "PyAV")
    (tmp_path / "tensorflow.py").write_text("raise ImportError('libfoo.so.1: cannot open shared object file')")
    broken = of(doctor.examine(), "TensorFlow")
    assert broken.state == "missing" and broken.what.endswith("libfoo.so.1: cannot open shared object file")


def test_the_command_needs_no_library(tmp_path):
    """A real process, in which none of the large packages can be imported."""
    for name in ("tensorflow", "keras", "mediapipe", "cv2", "av", "numpy", "ai_edge_litert"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('taken away')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(shipped._PACKAGE.parent)])}
    command = [sys.executable, "-m", "tf_unseen_pose", "doctor"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 2 and not done.stderr
    assert done.stdout.count("cannot be loaded: ImportError: taken away") == 5
    assert "all checksums are right" in done.stdout and done.stdout.endswith("5 things are missing.\n")


def test_packages_that_are_not_there_or_of_another_version(monkeypatch, loads_nothing):
    true = doctor._version
    versions = {"pyyaml": None, "typer": "0.1"}
    monkeypatch.setattr(doctor, "_version", lambda name: versions[name] if name in versions else true(name))
    found = doctor.examine()
    assert (of(found, "pyyaml").state, of(found, "pyyaml").fix) == ("missing", 'pip install "pyyaml>=6.0"')
    assert of(found, "typer").state == "note" and "0.1; tested is >=0.12" in of(found, "typer").what


@pytest.mark.parametrize(("version", "addons"), [("2.15.1", True), ("2.21.0", False), (None, None), ("2.18.0", None)])
def test_each_stack_is_asked_for_what_it_needs(monkeypatch, version, addons):
    true = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: version if name == "tensorflow" else true(name))
    asked = {entry.name: entry for entry in doctor._asked()}
    if addons is None:
        # Neither stack's: that of this Python.
        addons = sys.version_info < (3, 12)
    assert ("tensorflow-addons" in asked) == addons
    assert "tensorflow" in asked and "pytest" not in asked and "numpy" in asked


def test_what_is_asked_for_is_known_where_there_is_no_repository(monkeypatch, tmp_path):
    listed = ["tensorflow==2.15.1; python_version < '3.12'", "tensorflow==2.21.0; python_version >= '3.12'"]
    listed += ["pytest>=8; extra == 'dev'", "av>=14"]
    monkeypatch.setattr(doctor, "_PACKAGE", tmp_path / "tf_unseen_pose")
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: listed)
    assert [entry.name for entry in doctor._asked()] == [Requirement("tensorflow").name, "av"]


def test_a_damaged_or_missing_model_is_named(monkeypatch, tmp_path, loads_nothing):
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path,))
    found = of(doctor.examine(), "model 'lite'")
    assert found.state == "missing" and str(tmp_path / "lite") in found.what
    for name in ("1", "tflite"):
        (tmp_path / "lite" / name).mkdir(parents=True)
        (tmp_path / "lite" / name / "weights").write_bytes(b"123")
        shipped.write_sums(tmp_path / "lite" / name)
    assert [each.state for each in doctor.examine() if each.subject == "model 'lite'"] == ["well", "well"]
    (tmp_path / "lite" / "tflite" / "weights").write_bytes(b"124")
    states = [each.state for each in doctor.examine() if each.subject == "model 'lite'"]
    assert states == ["well", "missing"]


def test_a_pose_model_that_is_not_there(monkeypatch, tmp_path, loads_nothing):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.task"))
    found = of(doctor.examine(), "pose model")
    assert found.state == "missing" and "none.task" in found.what
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("tf_unseen_pose.pose.landmarker_model.wheel_has_networks", lambda: False)
    found = of(doctor.examine(), "pose model")
    assert found.state == "note" and "fetched" in found.what and "--pose-model" in found.fix


def test_a_cache_that_cannot_be_written_to(monkeypatch, tmp_path, loads_nothing):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    found = of(doctor.examine(), "cache")
    assert found.state == "missing" and str(tmp_path / "file") in found.what and "XDG_CACHE_HOME" in found.fix


@pytest.mark.parametrize("sees", [True, False])
def test_gpus_that_tensorflow_does_not_see(monkeypatch, tmp_path, sees):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H200, 143771 MiB, 570.1'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    tensorflow = doctor.Finding("well", "TensorFlow", "2.21.0; devices: CPU:0" + (", GPU:0" if sees else ""))
    card, *rest = doctor._graphics([tensorflow])
    assert card.what == "NVIDIA H200, 143771 MiB, 570.1" and card.state == "well"
    assert [each.state for each in rest] == ([] if sees else ["note"])
    assert all("tensorflow[and-cuda]" in each.fix for each in rest)


def test_ffmpeg_without_a_codec(monkeypatch):
    library = next(each for each in doctor._LIBRARIES if each.name == "PyAV")
    answer = '{"version": "18", "ffmpeg": "8", "lacking": ["libx264 (encoder)"]}'
    monkeypatch.setattr(doctor, "_output", lambda code: (doctor.json.loads(answer), ""))
    assert library.finding().state == "missing" and "libx264 (encoder)" in library.finding().what


def test_without_what_doctor_itself_needs_it_says_so(monkeypatch, refuses):
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.delitem(sys.modules, "tf_unseen_pose.tools.doctor")
    refuses(command, "'psutil'", "pip install psutil")
