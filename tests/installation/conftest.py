"""The package as others get it: built, and installed into environments of its own."""

import importlib.metadata
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
# All that a package is built from.
SOURCES = ("LICENSE", "MANIFEST.in", "README.md", "configs", "pyproject.toml", "saved_models", "tf_unseen_pose")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """The folder of the source archive and of the wheel that was built from it."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    # A copy: builds leave files beside what they build.
    for entry in [*(ROOT / name for name in SOURCES), *ROOT.glob("requirements*.txt")]:
        if entry.is_dir():
            shutil.copytree(entry, source / entry.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(entry, source)
    wanted = Requirement("setuptools>=77")
    offline = ["--no-isolation"] if Version(importlib.metadata.version("setuptools")) in wanted.specifier else []
    command = [sys.executable, "-m", "build", *offline, "--outdir", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if not offline and "No matching distribution found" in done.stdout + done.stderr:
        pytest.skip(f"needs {wanted} installed, or a network to fetch it (pip install -r requirements-dev.txt)")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(packages):
    (path,) = packages.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def install(wheel, tmp_path_factory):
    """Makes an environment with the wheel and, of what is installed here, what some requirements need, or everything.

    Returns its folder of programs, and the names of the distributions that are in it beside the wheel.
    """

    def make(requirements=None):
        folder = tmp_path_factory.mktemp("environment")
        venv.create(folder, with_pip=False, symlinks=True)
        site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
        names = {}
        if requirements is None:
            here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
            (site / "here.pth").write_text("".join(f"{path}\n" for path in sorted(here)))
        else:
            names = needed(requirements)
            for distribution in names.values():
                link(distribution, site)
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "--quiet"]
        subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], check=True, timeout=300)
        return folder / "bin", set(names)

    return make


def needed(requirements):
    """The installed distributions that some requirements need, and those that these need: by name."""
    found, todo = {}, [Requirement(text) for text in requirements]
    while todo:
        requirement = todo.pop()
        name = requirement.name.lower().replace("_", "-")
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}) or name in found:
            continue
        found[name] = importlib.metadata.distribution(name)
        todo += map(Requirement, found[name].requires or ())
    return found


def link(distribution, site):
    """Puts an installed distribution into another environment without copying it."""
    for top in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
        target = site / top
        # Several may share a folder, as those of `google` do.
        if not target.exists():
            target.symlink_to(distribution.locate_file(top))
