"""The API's pages, as `make api` writes them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pdoc", reason="needs pdoc: pip install -r requirements-docs.txt")
ROOT = Path(__file__).parents[1]


def test_renders_without_a_warning(tmp_path):
    (recipe,) = re.findall(r"\bpdoc (.+) -o build/api (.+)", (ROOT / "Makefile").read_text())
    arguments = [part.strip("'") for part in " ".join(recipe).split()]
    command = [sys.executable, "-m", "pdoc", *arguments, "-o", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "warn" not in done.stderr.lower(), done.stderr

    pages = {path.relative_to(tmp_path).with_suffix("").as_posix() for path in tmp_path.rglob("*.html")}
    modules = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / "tf_unseen_pose").rglob("*.py")}
    names = {(path.parent if path.name == "__init__" else path).as_posix() for path in modules}
    assert names - {name for name in names if name.endswith("__main__")} <= pages

    geometry = (tmp_path / "tf_unseen_pose" / "geometry.html").read_text()
    assert "Arguments:" in geometry and "Returns:" in geometry
    assert "limb_priors" in geometry and "1 + L" in geometry
