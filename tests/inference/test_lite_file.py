import sys

import numpy as np
import pytest

from tf_unseen_pose.export.tflite.flatbuffer import with_metadata
from tf_unseen_pose.inference.lite_file import METADATA, LiteFile, metadata


@pytest.fixture
def content(lite_files):
    return (lite_files[1] / "float16.tflite").read_bytes()


def test_signatures_with_their_tensors(content):
    file = LiteFile(content)
    assert sorted(file.signatures) == ["decide", "encode_source", "render", "synthesize"]
    assert file.inputs("encode_source") == {
        "image": ((1, 64, 64, 3), "float32"), "source_joints": ((1, 14, 3), "float32")
    }  # fmt: skip
    assert set(file.inputs("render")) == {*file.outputs("encode_source"), "target_joints"}
    assert file.inputs("decide") == file.inputs("render")
    assert file.outputs("decide") == {"decisions": ((1, 32, 32, 9), "float32")}
    assert file.outputs("render") == file.outputs("synthesize") == {"image": ((1, 64, 64, 3), "float32")}


def test_results_are_the_callers_own(content):
    """Not views of the interpreter's memory, which the next call overwrites."""
    file, rng = LiteFile(content), np.random.default_rng(0)
    joints = rng.uniform(5, 60, (1, 14, 3)).astype(np.float32)
    images = rng.uniform(-1, 1, (2, 1, 64, 64, 3)).astype(np.float32)
    first = file["encode_source"](image=images[0], source_joints=joints)["image"]
    kept = first.copy()
    file["encode_source"](image=images[1], source_joints=joints)
    np.testing.assert_array_equal(first, kept)


def test_what_is_no_file_of_ours_is_refused(content, tmp_path, refuses):
    refuses(lambda: LiteFile.open(tmp_path / "none.tflite"), "none.tflite", "export --tflite")
    refuses(lambda: LiteFile(b"torn"), "damaged")
    refuses(lambda: LiteFile(content[: len(content) // 2]), "damaged")
    refuses(lambda: LiteFile(content, threads=0), "0 threads")
    refuses(lambda: LiteFile(with_metadata(content, METADATA, b"{")), "damaged")
    refuses(lambda: LiteFile(with_metadata(content, METADATA, b'{"format": 99}')), "format 99")
    other = with_metadata(content, METADATA, b"[]")
    refuses(lambda: LiteFile(other), "damaged")
    assert metadata(other) == b"[]"


def test_without_litert_a_sentence_says_so(content, monkeypatch, refuses):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    refuses(lambda: LiteFile(content), "ai-edge-litert", "pip")
