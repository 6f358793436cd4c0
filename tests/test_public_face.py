"""What `import tf_unseen_pose` offers: names that are there, cheaply, each with an example that holds."""

import ast
import doctest
import operator
import subprocess
import sys
from pathlib import Path

import keras_cv  # noqa: F401  It says which backend it has found, once, and not within an example.
import pytest

import tf_unseen_pose

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
NAMES = [name for name in tf_unseen_pose.__all__ if name != "__version__"]
# What is not in the example of its class.
METHODS = ["Reposer.live", "Reposer.render"]


def test_importing_the_package_imports_nothing_large():
    program = "import sys, tf_unseen_pose; print({'numpy', 'cv2', 'tensorflow', 'pydantic'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "set()\n"


def test_type_checkers_and_python_find_the_same_names_in_the_same_modules():
    tree = ast.parse(Path(tf_unseen_pose.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0]
    found = {alias.asname: node.module for node in imports for alias in node.names if alias.asname}
    assert found == {name: f"tf_unseen_pose.{module}" for name, module in tf_unseen_pose._MODULES.items()}
    assert set(tf_unseen_pose.__all__) <= set(dir(tf_unseen_pose))
    with pytest.raises(AttributeError, match="no attribute 'Repose'"):
        tf_unseen_pose.Repose  # noqa: B018


@pytest.mark.parametrize("name", [*NAMES, *METHODS])
def test_the_example_of(name, tmp_path, monkeypatch, only_known_here, request):
    monkeypatch.chdir(tmp_path)
    server = request.getfixturevalue("model_server").address if name == "RemoteReposer" else None
    text = operator.attrgetter(name)(tf_unseen_pose).__doc__
    example = doctest.DocTestParser().get_doctest(text, {"server": server}, name, None, None)
    assert any(name.rpartition(".")[2] in part.source for part in example.examples)
    said = []
    doctest.DocTestRunner(optionflags=FLAGS).run(example, out=said.append)
    assert not said, "".join(said)
