"""Helpers for notebooks: run commands, transfer files, and show results.

    unseen_pose("prepare", upload(folder / "videos")[-1], "-o", folder / "data")
    show(folder / "data" / "summary.html")

A command runs in its own process: the notebook never loads TensorFlow, and the GPU's memory is free when the command
ends. On Colab, files pass through the browser; elsewhere they are in folders.

IPython and `google.colab` exist wherever they are needed, so the package does not require them.
"""

import codecs
import contextlib
import html
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing

_PROGRAM = (sys.executable, "-m", "tf_unseen_pose")
_DRIVE = Path("/content/drive")
_PAGE_HEIGHT = 640  # Pixels.


class NotebookError(UserError):
    """An error that a notebook shows without a traceback. It stops "Run all", like any error."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def on_colab() -> bool:
    """Whether this is Google Colab."""
    return find_spec("google") is not None and find_spec("google.colab") is not None


# Commands ------------------------------------------------------------------------------------------------------------


def unseen_pose(command: str, *arguments: object) -> None:
    """Runs a command of this package as a shell would, and shows its output live.

    Stopping the cell sends Ctrl-C to the command: `train` and `prepare` save, and resume when the cell runs again.
    Stopping it twice ends the command at once. If the notebook's process is killed, the command ends with the next
    line that it writes.

    Args:
        command: "prepare", "train" ...
        arguments: its arguments, each converted to text.

    Raises:
        NotebookError, a UserError: the command failed, with its own message above, or was stopped.
    """
    # Its own session, so that stopping the cell reaches the command only once, through here.
    process = subprocess.Popen(
        [*_PROGRAM, command, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(),
        start_new_session=True,
    )
    with _interrupts_passed_to(process) as stopped, process:
        assert process.stdout
        _relay(process.stdout)
    if stopped:
        raise NotebookError(f"'{command}' was stopped; run the cell again to go on.")
    if process.returncode:
        raise NotebookError(
            f"'{command}' failed with exit code {process.returncode}; its last line above is the reason."
        )


def _environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}  # the notebook's own
    # All progress bars share a line, since notebooks cannot move the cursor up.
    return environment | {"TQDM_POSITION": "0"}


@contextlib.contextmanager
def _interrupts_passed_to(process: subprocess.Popen) -> Iterator[list[int]]:
    """Passes Ctrl-C, or stopping a cell, to the process and its children; yields the list of signals passed on."""
    signals = []

    def pass_on(number, frame):
        signals.append(number)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)

    # Only the main thread may receive signals and set their handlers.
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    previous = signal.signal(signal.SIGINT, pass_on)
    try:
        yield signals
    finally:
        signal.signal(signal.SIGINT, previous)


def _relay(output: IO[bytes]) -> None:
    """Shows bytes as they arrive, to the end."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while chunk := os.read(output.fileno(), 1 << 16):
        sys.stdout.write(decoder.decode(chunk))
        sys.stdout.flush()


# Files ---------------------------------------------------------------------------------------------------------------


def workspace(name: str, drive: bool = False) -> Path:
    """The output folder of a notebook, created if missing.

    Args:
        name: of the folder in the current one.
        drive: on Colab, use your Google Drive instead, which is mounted and outlives the machine.

    Raises:
        NotebookError, a UserError: `drive` elsewhere than on Colab.
    """
    place = Path.cwd()
    if drive:
        if not on_colab():
            raise NotebookError("Google Drive can only be mounted on Colab; leave it out, files stay on this machine.")
        from google.colab import drive as colab_drive

        colab_drive.mount(str(_DRIVE))
        place = _DRIVE / "MyDrive"
    folder = place / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def upload(folder: Path) -> list[Path]:
    """Your files: on Colab a dialog asks for them, elsewhere they must be in the folder.

    Args:
        folder: where they are kept; created if missing.

    Returns:
        All files of the folder, the newest last.

    Raises:
        NotebookError, a UserError: there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if on_colab():
        from google.colab import files

        # Uploads are written to the current folder.
        with contextlib.chdir(folder):
            files.upload()
    found = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    if not found:
        raise NotebookError(f"There is no file in {folder}; put yours there and run the cell again.")
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def download(path: Path) -> Path:
    """Downloads a file, or a folder as a ZIP file: on Colab through the browser, elsewhere its path is printed.

    Returns:
        The file's path.

    Raises:
        NotebookError, a UserError: there is no such file or folder.
    """
    if not path.exists():
        raise NotebookError(f"There is no {path} to download; run the cell that makes it.")
    if path.is_dir():
        archive = path.with_name(f"{path.name}.zip")
        with replacing(archive) as temporary:
            shutil.make_archive(str(temporary.with_suffix("")), "zip", path.parent, path.name)
        path = archive
    if on_colab():
        from google.colab import files

        files.download(str(path))
    else:
        print(f"{path} is ready ({path.stat().st_size / 1e6:.1f} MB).")
    return path


# Looking -------------------------------------------------------------------------------------------------------------


def show(path: Path) -> None:
    """Shows a picture, a video, a page (.html) or a text (.md) in the notebook, which keeps it when saved.

    Raises:
        NotebookError, a UserError: there is no such file.
    """
    from IPython import display

    if not path.is_file():
        raise NotebookError(f"There is no {path} to show; run the cell that makes it.")
    match path.suffix.lower():
        case ".html":
            display.display(display.HTML(_framed(path.read_text(encoding="utf-8"), path.stem)))
        case ".md":
            display.display(display.Markdown(filename=str(path)))
        case ".mp4":
            display.display(display.Video(str(path), embed=True, html_attributes="controls loop"))
        case _:
            display.display(display.Image(filename=str(path)))


def _framed(page: str, title: str) -> str:
    """A page in a frame, which separates its styles from the notebook's."""
    frame = f'<iframe srcdoc="{html.escape(page)}" title="{html.escape(title)}" width="100%" height="{_PAGE_HEIGHT}"'
    return f"<div>{frame} style='border: 1px solid #ccc'></iframe></div>"


def show_tensorboard(run: Path) -> None:
    """Shows TensorBoard on a run's logs in the notebook; it reloads them during training."""
    from tensorboard import notebook

    # In a virtual environment it is beside Python, and neither need be on the path.
    if (program := Path(sys.executable).with_name("tensorboard")).is_file():
        os.environ.setdefault("TENSORBOARD_BINARY", str(program))
    notebook.start(shlex.join(["--logdir", str(run / "logs")]))
