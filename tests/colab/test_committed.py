"""What is committed of the notebooks: outputs of one run, small, and nothing that only runs where it was written."""

import ast
import base64
import importlib.util
import io
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from tf_unseen_pose.presets import PRESETS

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "colab").glob("*.ipynb"))


def cells(path, kind):
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def parameters(path):
    (cell,) = (cell for cell in cells(path, "code") if "parameters" in cell["metadata"].get("tags", ()))
    return "".join(cell["source"])


def test_there_are_two():
    assert [path.name for path in NOTEBOOKS] == ["repose_a_photo.ipynb", "train_unseen_pose.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_of_one_run_and_small(path):
    code = cells(path, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data"}
    text = json.dumps([output for output in outputs if output["output_type"] == "stream"])
    assert "Wrote" in text and not re.search(r"/(tmp|root|home)/|\\r|\\u001b|0000 00:", text)
    pictures = [output["data"] for output in outputs if "data" in output and "text/markdown" not in output["data"]]
    for data in pictures:
        ((kind, content),) = data.items()
        assert kind in ("image/jpeg", "image/gif") and _size(content)[0] <= 800
    assert len(pictures) > 3 and path.stat().st_size < 800_000


def _size(content):
    with Image.open(io.BytesIO(base64.b64decode("".join(content)))) as picture:
        return picture.size


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_have_names_and_links_lead_somewhere(path):
    names = [cell["id"] for kind in ("markdown", "code") for cell in cells(path, kind)]
    assert len(set(names)) == len(names) and all(re.fullmatch(r"[a-z-]+", name) for name in names)
    text = "".join("".join(cell["source"]) for cell in cells(path, "markdown"))
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    for link in links:
        assert (path.parent / link).exists(), link


@pytest.fixture
def installed(monkeypatch):
    """Runs a notebook's cell that installs the package, which is missing there: what pip is asked for."""
    shell = pytest.importorskip("IPython.core.interactiveshell", reason="needs IPython, as the notebooks do")
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "tf_unseen_pose" else found(name, *rest)
    )

    def run(path, package, at):
        monkeypatch.chdir(at)
        (source,) = ("".join(cell["source"]) for cell in cells(path, "code") if cell["id"] == "install")
        kernel, asked = shell.InteractiveShell(), []
        kernel.history_manager.enabled = False
        kernel.register_magic_function(asked.append, magic_name="pip")
        kernel.user_ns["PACKAGE"] = package
        done = kernel.run_cell(source)
        done.raise_error()
        return re.match(r'install --quiet "([^"]+)"', *asked)[1]

    return run


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_package_is_installed_from_what_is_given_or_there(path, installed, tmp_path, monkeypatch):
    address, name = "https://git.example/me/copy.git", "tf_unseen_pose-0.1.0-py3-none-any.whl"
    assert installed(path, address, tmp_path) == f"git+{address}"
    for given in (f"https://files.example/{name}", f"dist/{name}", "/content/drive/MyDrive/tf_unseen_pose"):
        assert installed(path, given, tmp_path) == given
    with pytest.raises(FileNotFoundError, match="set PACKAGE to a wheel"):
        installed(path, "", tmp_path)
    colab = SimpleNamespace(files=SimpleNamespace(upload=lambda: {name: b"of a dialog"}))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "google.colab", colab)
        assert installed(path, "", tmp_path) == name
    (tmp_path / name).write_bytes(b"beside the notebook")
    assert installed(path, "", tmp_path) == str(tmp_path / name)
    # A clone has the wheels of `make wheel` elsewhere.
    assert installed(path, "", path.parent) == str(ROOT)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_as_they_stand_they_ask_for_nothing(path):
    """ "Run all" on a new machine must not wait for a dialog."""
    values = {node.targets[0].id: node.value for node in ast.parse(parameters(path)).body if hasattr(node, "targets")
              and isinstance(node.targets[0], ast.Name)}  # fmt: skip
    asking = [name for name in values if name.startswith(("OWN_", "ON_"))]
    assert asking and not any(ast.literal_eval(values[name]) for name in asking)


def test_every_configuration_that_is_offered_is_there():
    offered = re.search(r"CONFIG = .*@param (\[.*\])", parameters(ROOT / "colab" / "train_unseen_pose.ipynb"))
    names = json.loads(offered[1])
    assert len(names) > 3
    for name in names:
        assert name in PRESETS or (ROOT / name).is_file(), name
