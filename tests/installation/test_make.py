"""What newcomers type first."""

import shutil
import subprocess
import sys

import pytest
from PIL import Image


def test_make_demo_leaves_its_picture(root, tmp_path):
    if shutil.which("make") is None:
        pytest.skip("needs make")
    for name in ("Makefile", "configs", "saved_models", "tf_unseen_pose"):
        (tmp_path / name).symlink_to(root / name)
    # In the environment of the tests, taken as made.
    command = ["make", "demo", f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.ready"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert all(f"Look at demo/{name}." in done.stdout for name in ("demo.png", "demo.mp4"))
    with Image.open(tmp_path / "demo" / "demo.png") as sheet:
        assert sheet.width > 2000
    assert (tmp_path / "demo" / "demo.mp4").stat().st_size > 10_000
