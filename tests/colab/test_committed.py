"""What is committed of the notebooks: no results, and nothing that only runs where it was written."""

import ast
import json
import re
from pathlib import Path

import pytest

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
def test_no_outputs_are_committed(path):
    for cell in cells(path, "code"):
        assert cell["outputs"] == [] and cell["execution_count"] is None, "".join(cell["source"])
    assert path.stat().st_size < 30_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_have_names_and_links_lead_somewhere(path):
    names = [cell["id"] for kind in ("markdown", "code") for cell in cells(path, kind)]
    assert len(set(names)) == len(names) and all(re.fullmatch(r"[a-z-]+", name) for name in names)
    text = "".join("".join(cell["source"]) for cell in cells(path, "markdown"))
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    for link in links:
        assert (path.parent / link).exists(), link


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
