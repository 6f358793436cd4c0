"""Executes the notebooks of `colab/` and keeps their outputs, made small; needs nbclient, which the newer stack has.

    python -m docs.notebooks                      both, which takes half an hour
    python -m docs.notebooks repose_a_photo       one of them

Pictures become JPEG, videos short GIFs; pages and TensorBoard are named instead of kept. The notebooks as they stand
show the bundled photo and drawn people, and no others may be shown.
"""

import base64
import io
import os
import re
import sys
import tempfile
import time
from itertools import groupby
from pathlib import Path

import nbclient
import nbformat
from PIL import Image

from tf_unseen_pose.imaging.video import read_video

ROOT = Path(__file__).parents[1]
NAMES = ("repose_a_photo", "train_unseen_pose")
# Pixels of a picture's width, of a moving one's longer side; of the latter every fourth frame is kept.
_SIDE, _MOVING_SIDE, _EVERY = 800, 320, 4
# Lines that TensorFlow, LiteRT and MediaPipe log to standard error.
_LOGGED = re.compile(
    r"([IWE]0000 |(WARNING|INFO): (All log|Logging before|Created TensorFlow Lite)|To enable the follow).*\n"
)
_VIDEO = re.compile(r'src="data:video/mp4;base64,([^"]+)"')


def main(*names: str) -> None:
    os.environ["PYTHONPATH"] = str(ROOT)
    for name in names or NAMES:
        path = ROOT / "colab" / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        metadata = notebook.metadata.copy()
        with tempfile.TemporaryDirectory() as folder:
            execute(notebook, Path(folder).resolve())
        notebook.metadata = metadata
        nbformat.write(notebook, path)


def execute(notebook, folder: Path) -> None:
    """Runs all cells in a folder, and says how long each took."""
    resources = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(notebook, timeout=None, kernel_name="python3", resources=resources)
    with client.setup_kernel():
        for position, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                begun = time.monotonic()
                client.execute_cell(cell, position)
                print(f"{cell.id}: {time.monotonic() - begun:.0f} s", flush=True)
                cell.metadata.pop("execution", None)
                cell.outputs = made_small(cell.outputs, folder)


def made_small(outputs: list, folder: Path) -> list:
    """The outputs of a cell as they may be kept."""
    kept = []
    for is_text, group in groupby(outputs, lambda output: output.output_type == "stream"):
        if is_text:
            if text := _as_seen("".join(output.text for output in group), folder):
                kept.append(nbformat.v4.new_output("stream", name="stdout", text=text))
        else:
            kept += map(_shown, group)
    return kept


def _as_seen(text: str, folder: Path) -> str:
    """As a terminal shows it, without what libraries log; files by their names in the folder."""
    text = _LOGGED.sub("", text.replace(f"{folder}/", "")).replace("\r\n", "\n")
    return "".join(re.findall(r"[^\r\n]*\S[^\r\n]*\n", text))


def _shown(output):
    data = output.data
    if kind := next((kind for kind in data if kind.startswith("image/")), None):
        output.data = {"image/jpeg": _jpeg(base64.b64decode(data[kind]))}
    elif video := _VIDEO.search(data.get("text/html", "")):
        output.data = {"image/gif": _gif(base64.b64decode(video[1]))}
    elif "<iframe" in data.get("text/html", ""):
        output.data = {"text/markdown": "*A page is shown here. It is not kept in the notebook.*"}
    else:
        output.data.pop("text/plain", None)
    return output


def _jpeg(content: bytes) -> str:
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    # Of a sheet with many rows the first ones.
    picture = picture.crop((0, 0, picture.width, min(picture.height, 3 * picture.width // 2)))
    picture.thumbnail((_SIDE, 2 * _SIDE))
    return _encoded(picture, "JPEG", quality=80)


def _gif(content: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(content)
        file.flush()
        times, frames = zip(*read_video(Path(file.name)), strict=True)
    pictures = [Image.fromarray(frame) for frame in frames[::_EVERY]]
    for picture in pictures:
        picture.thumbnail((_MOVING_SIDE, _MOVING_SIDE))
    pictures = [picture.quantize(64) for picture in pictures]
    step = 1000 * _EVERY * float(times[-1] - times[0]) / (len(times) - 1)
    return _encoded(pictures[0], "GIF", save_all=True, append_images=pictures[1:], duration=round(step), loop=0)


def _encoded(picture: Image.Image, kind: str, **options) -> str:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    main(*sys.argv[1:])
