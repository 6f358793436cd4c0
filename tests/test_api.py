"""The API's pages, as `make api` writes them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pdoc", reason="needs pdoc: pip install -r requirements-docs.txt")
ROOT = Path(__file__).parents[1]


def test_every_module_has_a_page_and_pdoc_nothing_to_warn_of(tmp_path):
    done = subprocess.run(
        [sys.executable, ".ci/api.py", str(tmp_path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = {path.relative_to(tmp_path).with_suffix("") for path in tmp_path.rglob("*.html")}
    files = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / "tf_unseen_pose").rglob("*.py")}
    modules = {file.parent if file.name == "__init__" else file for file in files if file.name != "__main__"}
    assert modules <= pages, sorted(modules - pages)
    geometry = (tmp_path / "tf_unseen_pose" / "geometry" / "pose_maps.html").read_text(encoding="utf-8")
    assert "limb_priors" in geometry and "Arguments:" in geometry and "1 + L" in geometry
    assert "synthesize" in (tmp_path / "tf_unseen_pose.html").read_text(encoding="utf-8")
