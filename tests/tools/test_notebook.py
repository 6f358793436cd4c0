import importlib.machinery
import os
import signal
import subprocess
import sys
import threading
import time
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.tools import notebook

ROOT = Path(__file__).parents[2]
# Says that it runs, and what it is told to do; on Ctrl-C it takes its time, the second one ends it.
PATIENT = """
import os, signal, sys, time
stopped = False
def stop(*_):
    global stopped
    stopped = True
    signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGINT, stop)
print("running as", os.getpid(), flush=True)
while not stopped:
    time.sleep(0.05)
    print(".", end="", flush=True)
time.sleep(float(sys.argv[1]))
print("saved", flush=True)
"""


@pytest.fixture
def program(monkeypatch):
    """Puts a Python program in the package's place."""
    return lambda text: monkeypatch.setattr(notebook, "_PROGRAM", (sys.executable, "-c", text))


@pytest.fixture
def colab(monkeypatch):
    """Stands for Google Colab; gives what was asked of it."""
    asked = []
    modules = {name: types.ModuleType(f"google.colab.{name}") for name in ("drive", "files")}
    modules["drive"].mount = lambda place: asked.append(("mount", place))
    modules["files"].download = lambda name: asked.append(("download", name))
    # As Colab's: into the current folder.
    modules["files"].upload = lambda: Path("mine.mp4").write_bytes(b"a video")
    package = types.ModuleType("google.colab")
    package.__spec__ = importlib.machinery.ModuleSpec("google.colab", None)
    for name, module in modules.items():
        setattr(package, name, module)
        monkeypatch.setitem(sys.modules, f"google.colab.{name}", module)
    monkeypatch.setitem(sys.modules, "google", sys.modules.get("google", types.ModuleType("google")))
    monkeypatch.setitem(sys.modules, "google.colab", package)
    return asked


def interrupted_after(seconds):
    """Stops the cell, as Jupyter does: a signal to the notebook's process."""
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_a_command_runs_and_says_what_it_says(capfd, monkeypatch):
    monkeypatch.chdir(ROOT)
    notebook.unseen_pose("prepare", "--help")
    assert "--validation" in capfd.readouterr().out
    with pytest.raises(notebook.NotebookError, match="'pose' failed with exit code 2") as caught:
        notebook.unseen_pose("pose", Path("nothing.jpg"), "-o", Path("nothing.json"))
    assert "nothing.jpg" in capfd.readouterr().out and not Path("nothing.json").exists()
    # What IPython shows instead of a traceback.
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_words_come_as_they_are_written_and_letters_stay_whole(program, capsys):
    # A letter's two bytes are written one after the other.
    program("import os, time; os.write(1, b'caf\\xc3'); time.sleep(0.2); os.write(2, b'\\xa9'); print(os.environ)")
    os.environ["MPLBACKEND"] = "module://of_the_notebook"
    try:
        notebook.unseen_pose("any")
    finally:
        del os.environ["MPLBACKEND"]
    out = capsys.readouterr().out
    assert out.startswith("café") and "of_the_notebook" not in out


def test_bars_within_bars_share_a_line(program, capsys):
    program(
        "from tqdm import tqdm; [None for i in tqdm(range(2), 'outer') for j in tqdm(range(3), 'inner', leave=False)]"
    )
    notebook.unseen_pose("any")
    out = capsys.readouterr().out
    assert "outer" in out and "inner" in out and "\x1b" not in out and out.count("\n") == 1


def test_a_stopped_cell_waits_for_what_the_command_saves(program, capsys):
    program(PATIENT)
    interrupted_after(1)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(notebook.NotebookError, match="'0.3' was stopped; run the cell again"):
        notebook.unseen_pose("0.3")
    assert capsys.readouterr().out.endswith("saved\n") and signal.getsignal(signal.SIGINT) == before


def test_a_cell_that_is_stopped_twice_ends_at_once(program, capsys):
    program(PATIENT)
    interrupted_after(1)
    interrupted_after(1.5)
    begun = time.monotonic()
    with pytest.raises(notebook.NotebookError, match="was stopped"):
        notebook.unseen_pose("60")
    assert time.monotonic() - begun < 30 and "saved" not in capsys.readouterr().out


def test_a_command_does_not_outlive_the_notebooks_process():
    script = f"""
from tf_unseen_pose.tools import notebook
notebook._PROGRAM = ({sys.executable!r}, "-c", {PATIENT!r})
notebook.unseen_pose("0")
"""
    kernel = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    command = int(kernel.stdout.readline().split()[-1])
    kernel.kill()
    kernel.wait()
    kernel.stdout.close()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{command}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{command}").exists()


def test_elsewhere_files_lie_in_folders(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert not notebook.on_colab()
    folder = notebook.workspace("me")
    assert folder == tmp_path / "me" and folder.is_dir() and notebook.workspace("me") == folder
    with pytest.raises(notebook.NotebookError, match="only be mounted on Colab"):
        notebook.workspace("other", drive=True)
    assert not (tmp_path / "other").exists()
    with pytest.raises(notebook.NotebookError, match=r"no file in .*videos; put yours there"):
        notebook.upload(folder / "videos")
    for name, seconds in (("later.mp4", 2000), ("earlier.mp4", 1000)):
        (folder / "videos" / name).write_bytes(b"")
        os.utime(folder / "videos" / name, (seconds, seconds))
    (folder / "videos" / ".partial").write_bytes(b"")
    assert [path.name for path in notebook.upload(folder / "videos")] == ["earlier.mp4", "later.mp4"]
    assert notebook.download(folder / "videos" / "later.mp4") == folder / "videos" / "later.mp4"
    assert "later.mp4 is ready" in capsys.readouterr().out
    with pytest.raises(notebook.NotebookError, match="no .*nothing to download"):
        notebook.download(folder / "nothing")


def test_a_folder_is_downloaded_as_one_file(tmp_path):
    (tmp_path / "model.v2" / "1").mkdir(parents=True)
    (tmp_path / "model.v2" / "1" / "weights").write_bytes(b"new")
    (tmp_path / "model.v2.zip").write_bytes(b"old")
    archive = notebook.download(tmp_path / "model.v2")
    assert archive == tmp_path / "model.v2.zip"
    with zipfile.ZipFile(archive) as content:
        assert content.read("model.v2/1/weights") == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.v2", "model.v2.zip"]


def test_on_colab_files_come_and_go_through_the_browser(tmp_path, monkeypatch, colab):
    monkeypatch.setattr(notebook, "_DRIVE", tmp_path / "drive")
    monkeypatch.chdir(tmp_path)
    assert notebook.on_colab()
    folder = notebook.workspace("me", drive=True)
    assert colab == [("mount", str(tmp_path / "drive"))] and folder == tmp_path / "drive" / "MyDrive" / "me"
    (uploaded,) = notebook.upload(folder / "videos")
    assert uploaded == folder / "videos" / "mine.mp4" and uploaded.read_bytes() == b"a video"
    assert Path.cwd() == tmp_path
    notebook.download(uploaded)
    assert colab[1:] == [("download", str(uploaded))]


def test_what_is_shown_is_of_its_kind_and_whole(tmp_path, monkeypatch):
    display = pytest.importorskip(
        "IPython.display", reason="needs IPython, which the newer stack has for the notebooks"
    )
    shown = []
    monkeypatch.setattr(display, "display", shown.append)
    page = "<html><style>p { color: red }</style><p title=\"1 > 0 & '2'\">ä</p></html>"
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    (tmp_path / "table.md").write_text("| a |\n|---|", encoding="utf-8")
    (tmp_path / "moving.mp4").write_bytes(b"video")
    save_image(tmp_path / "picture.png", np.zeros((2, 3, 3), np.uint8))
    save_image(tmp_path / "picture.jpg", np.zeros((2, 3, 3), np.uint8))
    for name in ("page.html", "table.md", "moving.mp4", "picture.png", "picture.jpg"):
        notebook.show(tmp_path / name)
    framed, table, video, png, jpeg = shown
    assert read_frame(framed.data) == page
    assert table.data == "| a |\n|---|" and "data:video/mp4;base64,dmlkZW8=" in video._repr_html_()
    assert (png.format, jpeg.format) == ("png", "jpeg") and png.data == (tmp_path / "picture.png").read_bytes()
    with pytest.raises(notebook.NotebookError, match="no .*other.png to show; run the cell that makes it"):
        notebook.show(tmp_path / "other.png")


def read_frame(text):
    """The page in a frame, as a browser reads it."""
    from html.parser import HTMLParser

    class Frame(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag == "iframe":
                self.page = dict(attributes)["srcdoc"]

    parser = Frame()
    parser.feed(text)
    return parser.page
