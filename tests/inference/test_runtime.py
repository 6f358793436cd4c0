import subprocess
import sys

import pytest

from tf_unseen_pose.inference import runtime
from tf_unseen_pose.inference.bundled import FOLDER
from tf_unseen_pose.inference.runtime import Runtime, chosen_runtime


@pytest.mark.parametrize(
    ("path", "gpu", "asked", "xla", "chosen"),
    [
        ("lite", False, "auto", False, Runtime.litert),
        ("lite", True, "auto", False, Runtime.tensorflow),
        ("lite", False, "auto", True, Runtime.tensorflow),
        ("lite", True, "litert", False, Runtime.litert),
        ("lite", False, "tensorflow", True, Runtime.tensorflow),
        ("runs/mine", False, "auto", False, Runtime.tensorflow),
        ("mine.tflite", False, "auto", False, Runtime.litert),
    ],
)
def test_litert_runs_what_it_can_where_there_is_no_gpu(monkeypatch, path, gpu, asked, xla, chosen):
    monkeypatch.setattr(runtime, "_has_gpu", lambda: gpu)
    assert chosen_runtime(path, asked, xla) is chosen


def test_what_no_runtime_does_is_refused(refuses):
    refuses(lambda: chosen_runtime("lite", "torch"), "torch", "auto, litert or tensorflow")
    refuses(lambda: chosen_runtime("lite", "litert", xla=True), "XLA", "tensorflow")


WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
from tf_unseen_pose.cli.app import main
main()
"""


def test_a_photo_is_reposed_like_another_without_tensorflow(tmp_path, has_model):
    photo = FOLDER / "person.jpg"
    arguments = ["synthesize", photo, "--target", photo, "--runtime", "litert", "-o", tmp_path / "out.png"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0 and (tmp_path / "out.png").exists(), done.stderr
