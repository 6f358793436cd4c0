"""The images' recipes: linted, of files that are there, of packages that suffice."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

RECIPES = ("Dockerfile", "serving/Dockerfile")


@pytest.fixture(params=RECIPES)
def recipe(request, root):
    return instructions(root / request.param)


def instructions(path):
    """The instructions of a Dockerfile: [(name, arguments)]."""
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def arguments(recipe, name):
    return [value for each, value in recipe if each == name]


@pytest.mark.parametrize("name", RECIPES)
def test_hadolint_finds_nothing(root, name):
    hadolint = shutil.which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if hadolint is None:
        pytest.skip("needs hadolint (pip install -r requirements-dev.txt)")
    done = subprocess.run([hadolint, str(root / name)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_images_are_named_by_version_and_nobody_is_root(recipe):
    for image in arguments(recipe, "FROM"):
        assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+( AS \w+)?", image)
    assert arguments(recipe, "USER")[-1] == "1000:1000"
    # Signals reach the program itself, not a shell.
    for name in ("ENTRYPOINT", "CMD"):
        (value,) = arguments(recipe, name)
        assert json.loads(value)


def test_what_is_copied_is_there_and_sent(recipe, root):
    ignored, *exceptions = [
        line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith(("#", "**"))
    ]
    assert ignored == "*"
    sent = {path for line in exceptions for path in root.glob(line.removeprefix("!"))}
    for copied in arguments(recipe, "COPY"):
        source = copied.split()[0]
        if source.startswith("--from=") or source == ".":
            continue
        assert (root / source).exists() and any((root / source).is_relative_to(path) for path in sent), source
    # All that the package is built from.
    names = {path.name for path in sent}
    assert {"pyproject.toml", "README.md", "LICENSE", "tf_unseen_pose", "configs", "saved_models"} <= names


def test_gpus_get_the_tensorflow_of_the_images_python(root):
    recipe = instructions(root / "Dockerfile")
    python = re.match(r"python:(\d+\.\d+)", arguments(recipe, "FROM")[-1])[1]
    pinned = re.search(r"tensorflow\[and-cuda\]==([\d.]+)", " ".join(arguments(recipe, "RUN")))[1]
    lines = (root / "requirements.txt").read_text().splitlines()
    (asked,) = (
        entry
        for entry in (Requirement(line) for line in lines if line.startswith("tensorflow=="))
        if entry.marker.evaluate({"python_version": python})
    )
    assert str(asked.specifier) == f"=={pinned}"


def test_the_servers_image_has_all_that_serving_needs(install, root, tmp_path):
    recipe = instructions(root / "serving/Dockerfile")
    (packages,) = (
        value.split("requirements.txt")[1].split() for value in arguments(recipe, "RUN") if "-constraint" in value
    )
    programs, names = install(packages)
    assert "mediapipe" not in names and "opencv-contrib-python" not in names
    shutil.copytree(root / "saved_models/lite", tmp_path / "lite")
    program, *options = json.loads(arguments(recipe, "ENTRYPOINT")[0])
    options[options.index("0.0.0.0")] = "127.0.0.1"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    server = subprocess.Popen(
        [programs / program, *options, tmp_path / "lite", "--port", "0"], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    try:
        lines = []
        for line in server.stdout:
            lines.append(line)
            if found := re.search(r"127\.0\.0\.1:(\d+)", line):
                break
        else:
            pytest.fail("".join(lines) + server.stderr.read())
        check = json.loads(arguments(recipe, "HEALTHCHECK")[0].partition("CMD ")[2])
        port = found[1]
        check = [programs / "python", *(word.replace(":8500", f":{port}") for word in check[1:])]
        assert subprocess.run(check, env=environment).returncode == 0
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        # Nobody answers any more.
        assert subprocess.run(check, env=environment, capture_output=True).returncode != 0
    finally:
        server.kill()
        server.communicate()
