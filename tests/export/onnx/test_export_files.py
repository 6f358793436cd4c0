import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from small_networks import TINY

from tf_unseen_pose.config import load_config
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.onnx import conversion, export_files, export_onnx
from tf_unseen_pose.export.onnx.comparison import require_same
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.training.run import Run

reason = "needs tf2onnx and onnxruntime (requirements-onnx.txt)"
pytest.importorskip("tf2onnx", reason=reason)
onnx = pytest.importorskip("onnx", reason=reason)
onnxruntime = pytest.importorskip("onnxruntime", reason=reason)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A run, its generator, its files' folder: the modular network warps limbs as `lite` does, and converts sooner."""
    place = tmp_path_factory.mktemp("models") / "models" / "mine"
    config = load_config("tiny", TINY)
    run = Run.create(place / "run", config)
    generator = build_generator(config.model)
    run.save_weights(generator)
    written = export_onnx(run, place, licence="of a test")
    assert all(difference < 1e-4 for _, difference in written)
    return run, generator, place / "onnx"


@pytest.fixture
def inputs(batch):
    """Three examples, nothing about them symmetric, two with depth."""
    made = batch(64, 64, batch=3)
    depth = np.linspace(-9, 12, 14, dtype=np.float32)[:, None] * np.float32([1, 0, -0.7])[:, None, None]
    return made["image"], made["source_joints"], np.concatenate([made["target_joints"], depth], axis=2)


def test_the_documented_calls_make_the_picture_of_tensorflow(files, inputs, monkeypatch):
    _, generator, folder = files
    monkeypatch.chdir(folder.parents[2])
    page = (Path(__file__).parents[3] / "docs" / "devices.md").read_text()
    (example,) = (code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "onnxruntime" in code)
    canvas, source, target = inputs
    given = {"canvas": canvas, "source_joints": source, "poses": [target, target[::-1].copy()]}
    exec(compile(example, "docs/devices.md", "exec"), given)
    state = generator.encode_source(canvas, source)
    for picture, pose in zip(given["pictures"], given["poses"], strict=True):
        np.testing.assert_allclose(picture, generator.render(state, pose), atol=1e-4)
    decide = onnxruntime.InferenceSession(folder / "decide.onnx")
    # One example alone.
    parts = {name: part[:1] for name, part in given["state"].items()}
    (decisions,) = decide.run(None, {**parts, "target_joints": target[:1]})
    expected = tf.concat(generator.decide(state, target), axis=-1)[:1]
    np.testing.assert_allclose(decisions, expected, rtol=1e-4, atol=1e-4)
    assert (np.ptp(decisions, axis=(1, 2)) > 0.1).any() and np.abs(given["pictures"][0] - canvas).mean() > 0.01


def test_every_file_says_what_it_is(files):
    run, _, folder = files
    listed = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert set(listed) == {"encode_source.onnx", "decide.onnx", "render.onnx"}
    for name, checksum in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum
        session = onnxruntime.InferenceSession(folder / name)
        about = json.loads(session.get_modelmeta().custom_metadata_map["unseen_pose.json"])
        assert (about["licence"], about["height"], about["crop_factor"]) == (
            "of a test",
            64,
            run.config.data.crop_factor,
        )
        assert tuple(about["skeleton"]["joints"]) == run.config.model.body.joints
        ((stage, told),) = about["signatures"].items()
        assert f"{stage}.onnx" == name
        for side, tensors in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
            assert {tensor.name for tensor in tensors} == set(told[side])
            for tensor in tensors:
                assert told[side][tensor.name]["shape"] == [None, *tensor.shape[1:]] and tensor.shape[0] == "batch"


def test_a_file_that_computes_something_else_is_refused_and_none_is_written(files, tmp_path, monkeypatch, refuses):
    run, _, folder = files
    content, source = (folder / "encode_source.onnx").read_bytes(), np.float32([[[9, 5, 1]] * 14])
    given = {"canvas": np.linspace(-1, 1, 64 * 64 * 3, dtype=np.float32).reshape(1, 64, 64, 3), "source_joints": source}
    session = onnxruntime.InferenceSession(content)

    def same(canvas, source_joints, more=0.0):
        made = session.run(None, {"canvas": canvas, "source_joints": source_joints})
        return {out.name: tf.constant(part) + more for out, part in zip(session.get_outputs(), made, strict=True)}

    def other(*inputs):
        return same(*inputs) | {"background": same(*inputs, more=3e-4)["background"]}

    assert require_same("encode_source", content, same, given) < 1e-4
    refuses(lambda: require_same("encode_source", content, other, given), "encode_source.onnx differs", "nothing was")
    monkeypatch.setattr(export_files, "convert", lambda name, _: onnx.load(folder / f"{name}.onnx"))
    monkeypatch.setattr(export_files, "require_same", lambda *_: (_ for _ in ()).throw(UserError("No.")))
    refuses(lambda: export_onnx(run, tmp_path / "new"), "No.")
    assert not (tmp_path / "new").exists()
    refuses(lambda: export_onnx(run, run.path), "not a folder of versions")


def test_an_operation_that_onnx_has_not_is_named(refuses):
    spec = [tf.TensorSpec([None, 3], name="x")]
    function = tf.function(lambda x: {"y": tf.math.igamma(x, 2.0)}, input_signature=spec, autograph=False)
    refuses(lambda: conversion.convert("render", function), "Igamma of render", "nothing was exported")


@pytest.mark.parametrize("missing", ["tf2onnx", "onnxruntime"])
def test_a_missing_package_is_named(missing, monkeypatch, refuses):
    monkeypatch.setitem(sys.modules, missing, None)
    refuses(conversion.require_packages, f"'{missing}'", "requirements-onnx.txt")
