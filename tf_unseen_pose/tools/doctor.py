"""Checks what the package needs on this machine, and how to get what is missing.

    findings = examine()

Each library is loaded in its own process, so one that crashes (as a TensorFlow built for another processor) is one
finding among others.
"""

import importlib.metadata
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
from packaging.requirements import Requirement

import tf_unseen_pose
from tf_unseen_pose.assets.downloads import default_cache
from tf_unseen_pose.assets.shipped import verified
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.pose.landmarker_model import VARIABLE, model_in_place
from tf_unseen_pose.words import counted

_PACKAGE = Path(tf_unseen_pose.__file__).parent
# The Python whose requirements apply: the newer stack also runs on the older Python.
_PYTHONS = (f"{sys.version_info.major}.{sys.version_info.minor}", "3.11", "3.12")
# Timeout in seconds for loading a library; TensorFlow from a cold disk takes up to half a minute.
_PATIENCE = 180


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        state: "well"; "note", which works or can wait; "missing", without which something fails.
        subject: what was checked.
        what: what was found.
        fix: what to do, if anything.
    """

    state: str
    subject: str
    what: str
    fix: str = ""


def examine() -> list[Finding]:
    """Runs all checks; takes as long as loading the libraries."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        loading = [threads.submit(library.finding) for library in _LIBRARIES if _version(library.distribution)]
        found = [*_program(), *_requirements(), *(each.result() for each in loading)]
    return [*found, _machine(), *_graphics(found), *_models(), _pose_model(), _cache()]


def _program() -> Iterator[Finding]:
    yield Finding("well", "Python", f"{platform.python_version()} ({sys.executable}), {platform.platform()}")
    yield Finding("well", "tf_unseen_pose", f"{tf_unseen_pose.__version__} in {_PACKAGE}")


def _requirements() -> Iterator[Finding]:
    """Whether all requirements are installed in tested versions."""
    asked, lacking = _asked(), 0
    for requirement in asked:
        installed = _version(requirement.name)
        state = "missing" if installed is None else "note"
        if installed is None or not requirement.specifier.contains(installed, prereleases=True):
            lacking += 1
            what = "is not installed" if installed is None else f"is {installed}; tested is {requirement.specifier}"
            yield Finding(state, requirement.name, f"{what}.", f'pip install "{requirement}"')
    yield Finding("well", "packages", f"{len(asked) - lacking} of {len(asked)} as they should be")


def _asked() -> list[Requirement]:
    """The requirements for this Python, without markers."""
    file = _PACKAGE.parent / "requirements.txt"
    lines = file.read_text().splitlines() if file.is_file() else importlib.metadata.requires("tf_unseen_pose") or []
    every = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    stacks = [[entry for entry in every if _holds(entry, python)] for python in _PYTHONS]
    tensorflow = _version("tensorflow")
    fitting = (stack for stack in stacks if any(_is_tensorflow(entry, tensorflow) for entry in stack))
    chosen = next(fitting, stacks[0])
    for entry in chosen:
        entry.marker = None
    return chosen


def _holds(requirement: Requirement, python: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"python_version": python, "extra": ""})


def _is_tensorflow(requirement: Requirement, version: str | None) -> bool:
    return requirement.name == "tensorflow" and version is not None and requirement.specifier.contains(version)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


@dataclass(frozen=True)
class _Library:
    """A library, how to load it, and how to report it.

    Attributes:
        distribution: its package name; only installed packages are loaded.
        code: prints JSON about it.
        told: the JSON in words; raises UserError if a part is missing.
        fix: what to do if it cannot be loaded.
    """

    name: str
    distribution: str
    code: str
    told: Callable[[dict], str]
    fix: str

    def finding(self) -> Finding:
        loaded, reason = _output(self.code)
        if loaded is None:
            return Finding("missing", self.name, f"cannot be loaded: {reason}", self.fix)
        try:
            return Finding("well", self.name, self.told(loaded))
        except UserError as error:
            return Finding("missing", self.name, str(error), self.fix)


def _output(code: str) -> tuple[dict | None, str]:
    """The last JSON that a program printed, or None and the reason."""
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=_PATIENCE, env=quiet
        )
    except subprocess.TimeoutExpired:
        return None, f"it took more than {_PATIENCE} seconds."
    if done.returncode < 0:
        return None, f"the process was ended by {signal.Signals(-done.returncode).name}."
    if done.returncode > 0:
        return None, (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return json.loads(done.stdout.splitlines()[-1]), ""


def _codecs(found: dict) -> str:
    if found["lacking"]:
        raise UserError(f"{found['version']} has FFmpeg without {', '.join(found['lacking'])}.")
    return f"{found['version']} with FFmpeg {found['ffmpeg']}; H.264 and GIF in and out"


_LIBRARIES = (
    _Library(
        "TensorFlow",
        "tensorflow",
        """
import json, keras, tensorflow as tf
devices = [device.name.removeprefix("/physical_device:") for device in tf.config.list_physical_devices()]
print(json.dumps({"version": tf.__version__, "devices": devices}))
""",
        lambda found: f"{found['version']} with Keras {_version('keras')}; devices: {', '.join(found['devices'])}",
        "install it anew; builds of PyPI need a processor with AVX",
    ),
    _Library(
        "MediaPipe",
        "mediapipe",
        "import json, mediapipe; from mediapipe.tasks.python import vision; print(json.dumps(mediapipe.__version__))",
        lambda version: f"{version}",
        "install what the message names; on Debian and Ubuntu: apt-get install libgl1 libegl1 libgles2 libglib2.0-0",
    ),
    _Library(
        "OpenCV",
        "opencv-contrib-python",
        "import json, cv2; print(json.dumps(cv2.__version__))",
        lambda version: f"{version}",
        "install what the message names; on Debian and Ubuntu: apt-get install libgl1 libglib2.0-0",
    ),
    _Library(
        "LiteRT",
        "ai-edge-litert",
        "import json; from importlib.metadata import version; from ai_edge_litert.interpreter import Interpreter;"
        " print(json.dumps(version('ai-edge-litert')))",
        lambda version: f"{version}",
        "install it anew: pip install --force-reinstall --no-deps ai-edge-litert",
    ),
    _Library(
        "PyAV",
        "av",
        """
import av, json
lacking = []
for name, mode in (("libx264", "w"), ("h264", "r"), ("gif", "w"), ("gif", "r")):
    try:
        av.Codec(name, mode)
    except ValueError:
        lacking.append(f"{name} ({'encoder' if mode == 'w' else 'decoder'})")
print(json.dumps({"version": av.__version__, "ffmpeg": av.ffmpeg_version_info, "lacking": lacking}))
""",
        _codecs,
        "install PyPI's build, which has FFmpeg inside: pip install --force-reinstall --no-deps --only-binary :all: av",
    ),
)


def _machine() -> Finding:
    memory, cores = psutil.virtual_memory(), os.cpu_count()
    # Containers and schedulers may allow fewer cores; macOS does not tell.
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    free, whole = (f"{size / 2**30:.1f}" for size in (memory.available, memory.total))
    return Finding(
        "well", "machine", f"{allowed} of {counted(cores or 1, 'core')} to be used, {free} of {whole} GB of memory free"
    )


def _graphics(found: list[Finding]) -> Iterator[Finding]:
    """The driver's GPUs, and whether TensorFlow sees them."""
    program = shutil.which("nvidia-smi")
    if not program:
        return
    command = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    cards = done.stdout.strip().splitlines() if done.returncode == 0 else []
    for card in cards:
        yield Finding("well", "GPU", card)
    seen = any(finding.subject == "TensorFlow" and "GPU" in finding.what for finding in found)
    if cards and not seen:
        version = _version("tensorflow") or ""
        fix = f'pip install "tensorflow[and-cuda]=={version}"'
        yield Finding("note", "GPU", "is not used by TensorFlow, which computes on the processor.", fix)


def _models() -> Iterator[Finding]:
    try:
        for folder in verified("lite"):
            yield Finding("well", "model 'lite'", f"{folder}: all checksums are right")
    except UserError as error:
        yield Finding("missing", "model 'lite'", str(error))


def _pose_model() -> Finding:
    try:
        place = model_in_place()
    except UserError as error:
        return Finding("missing", "pose model", str(error))
    if place:
        return Finding("well", "pose model", str(place))
    fix = f"nothing while there is a network; without one, name the file with --pose-model or {VARIABLE}"
    return Finding("note", "pose model", "is not here yet; it is fetched (9 MB) when a pose is first looked for.", fix)


def _cache() -> Finding:
    folder = default_cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Finding("well", "cache", f"{folder} can be written to")
    except OSError as error:
        fix = "let XDG_CACHE_HOME name a folder that you may write to"
        return Finding("missing", "cache", f"{folder} cannot be written to: {error.strerror}.", fix)
