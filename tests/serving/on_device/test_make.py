"""The page as `make web` builds and serves it."""

import os
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def test_make_web_builds_the_page_and_serves_it(built):
    if shutil.which("make") is None:
        pytest.skip("needs make")
    (built / "index.html").unlink()
    # What it installs is there.
    command = ["make", "web", "-o", "serving/on_device/node_modules/.ready"]
    program = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        lines = []
        for line in program.stdout:
            # Vite prints its address in colours.
            lines.append(re.sub(r"\x1b\[\d+m", "", line))
            if found := re.search(r"http://localhost:\d+/", lines[-1]):
                break
        else:
            pytest.fail("".join(lines))
        with urllib.request.urlopen(found[0]) as answer:
            assert answer.read() == (built / "index.html").read_bytes()
            assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    finally:
        os.killpg(program.pid, signal.SIGTERM)
        program.communicate(timeout=60)
