"""The wheel: whole, without what only development needs, and at work where there is no repository."""

import os
import subprocess
import tarfile
import zipfile
from email.parser import BytesParser

import pytest
from packaging.requirements import Requirement
from PIL import Image

from tf_unseen_pose.imaging.video import probe

DEVELOPMENT = {"build", "ovmsclient", "pytest", "pytest-xdist", "ruff", "apache-beam", "playwright"}


@pytest.fixture(scope="module")
def files(wheel):
    """The contents of the wheel's files, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def metadata(files):
    (content,) = (content for name, content in files.items() if name.endswith(".dist-info/METADATA"))
    return BytesParser().parsebytes(content)


def run(folder, *command, code=0, **variables):
    """Calls a program in a folder, without the repository on its path: what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    done = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_all_that_the_package_has_is_in_it_byte_for_byte(files, root):
    places = {"tf_unseen_pose": "tf_unseen_pose", "configs": "tf_unseen_pose/configs"}
    places["saved_models/lite"] = "tf_unseen_pose/saved_models/lite"
    expected = {
        f"{place}/{path.relative_to(root / folder).as_posix()}": path.read_bytes()
        for folder, place in places.items()
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "tf_unseen_pose/saved_models/lite/tflite/float16.tflite" in expected
    assert {name for name in files if ".dist-info/" not in name} == set(expected)
    assert all(files[name] == content for name, content in expected.items())


def test_it_asks_for_what_running_needs_and_no_more(metadata, root):
    asked = [Requirement(text) for text in metadata.get_all("Requires-Dist")]
    always = {entry.name for entry in asked if not (entry.marker and "extra" in str(entry.marker))}
    lines = (root / "requirements.txt").read_text().splitlines()
    assert always == {Requirement(line).name for line in lines if line and not line.startswith("#")}
    assert {"tensorflow", "mediapipe", "typer"} <= always and not always & DEVELOPMENT
    assert set(metadata.get_all("Provides-Extra")) == {"beam", "dev", "faces", "onnx"}
    assert DEVELOPMENT - {"playwright"} <= {entry.name for entry in asked} - always
    assert metadata["License-Expression"] == "MIT"


def test_the_source_archive_holds_what_wheels_are_built_from(packages, root):
    (path,) = packages.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("LICENSE", "README.md", "pyproject.toml", "saved_models/lite/2/saved_model.pb", "configs/lite.yaml"):
        assert name in names
    assert {file.name for file in root.glob("requirements*.txt")} <= names


def test_installed_alone_it_runs_the_demo_from_another_folder(install, tmp_path):
    programs, _ = install()
    assert run(tmp_path, programs / "unseen-pose", "--version") == "unseen-pose 0.1.0\n"
    # As the shell asks once `--install-completion` has been called.
    asked = {"_UNSEEN_POSE_COMPLETE": "complete_bash", "COMP_WORDS": "unseen-pose an", "COMP_CWORD": "1"}
    assert run(tmp_path, programs / "unseen-pose", **asked).split() == ["animate"]
    said = run(tmp_path, programs / "unseen-pose", "demo", "-o", "made")
    assert "made/demo.png" in said
    with Image.open(tmp_path / "made" / "demo.png") as sheet:
        sheet.load()
        assert sheet.width > 2000 and sheet.text["Comment"].startswith("Synthetic")
    assert probe(tmp_path / "made" / "demo.mp4").frame_count == 50
    # Where it looked is the environment, and the configurations that the README names are there.
    code = "import tf_unseen_pose.config as c; print(c.__file__, c.load_config('configs/clip-96.yaml').model.height)"
    place, height = run(tmp_path, programs / "python", "-c", code).split()
    assert place.startswith(str(programs.parent)) and height == "96"


def test_a_device_needs_no_tensorflow(install, root, tmp_path):
    lines = (root / "requirements-lite.txt").read_text().splitlines()
    # Another of OpenCV's packages is installed here, with the same modules and more.
    lines = [line.replace("opencv-python-headless", "opencv-contrib-python") for line in lines]
    programs, names = install([line for line in lines if not line.startswith("#")])
    assert {"ai-edge-litert", "numpy", "opencv-contrib-python", "pillow"} <= names
    assert not [name for name in names if "tensorflow" in name or "keras" in name]
    said = run(tmp_path, programs / "python", "-m", "tf_unseen_pose.on_device", "--frames", 3, "-o", "out.png")
    assert "Made 3 frames" in said
    code = (
        "from tf_unseen_pose.inference.bundled import bundled; from tf_unseen_pose import Reposer;"
        "image, source, motion = bundled();"
        "made = Reposer.load('lite').synthesize(image, motion.joints[2], source);"
        "import numpy, sys; from PIL import Image;"
        "shown = numpy.asarray(Image.open('out.png')); assert shown.shape == made.shape == image.shape;"
        "print(*(numpy.ptp(each - 1.0 * image) > 99 for each in (made, shown)), 'tensorflow' in sys.modules)"
    )
    assert "True True False" in run(tmp_path, programs / "python", "-c", code).splitlines()
    # The commands that need more say so.
    said = run(tmp_path, programs / "unseen-pose", "demo", code=2)
    assert said.startswith("unseen-pose: The package 'typer' is not installed;") and said.count("\n") == 1
