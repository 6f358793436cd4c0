"""Imports go downward only: a lower layer must not know of a higher one."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "tf_unseen_pose"
# From bottom to top; modules of one layer may import each other.
LAYERS = [
    {"errors"},
    {"files", "compat", "presets", "skeleton"},
    {"assets"},
    {"config"},
    {"geometry", "imaging"},
    {"pose", "model", "data"},
    {"training"},
    {"evaluation", "inference", "serving"},
    {"on_device"},
    {"export", "tools"},
    {"cli"},
    {"__main__", "__init__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tf_unseen_pose"):
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("tf_unseen_pose."))


def test_imports_go_downward():
    checked = 0
    for path in PACKAGE.rglob("*.py"):
        relative = path.relative_to(PACKAGE)
        mine = relative.parts[0].removesuffix(".py")
        for other in imported(path):
            checked += 1
            assert LEVEL[other] <= LEVEL[mine], f"{relative} imports {other}, which lies above it"
            assert {mine, other} != {"model", "data"}, f"{relative} imports {other}: data and model are independent"
    assert checked > 50


def test_the_server_serves_any_model():
    """It, and whatever it imports, knows nothing of this project's models."""
    found, todo = set(), ["server"]
    while todo:
        found.add(name := todo.pop())
        text = (PACKAGE / "serving" / f"{name}.py").read_text()
        assert set(imported(PACKAGE / "serving" / f"{name}.py")) <= {"errors", "serving"} and "import keras" not in text
        todo += set(re.findall(r"from tf_unseen_pose\.serving\.(\w+) import", text)) - found
    assert len(found) > 10


def test_only_compat_knows_the_stack():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        if path.name != "compat.py":
            assert "tensorflow_addons" not in text and "keras.__version__" not in text, path
        assert "tf.keras" not in text, f"{path}: import keras itself"


def test_every_directory_of_tests_mirrors_one_of_the_package():
    for folder in PACKAGE.rglob("*/__init__.py"):
        folder = folder.parent.relative_to(PACKAGE)
        for test in (PACKAGE.parent / "tests" / folder).glob("test_*.py"):
            name = test.stem.removeprefix("test_")
            assert (PACKAGE / folder / f"{name}.py").exists() or (PACKAGE / folder / name).is_dir(), test
