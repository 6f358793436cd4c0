import json

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.assets.shipped import tflite_file
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.tflite import export_files
from tf_unseen_pose.export.tflite.export_files import Options, export_tflite, require_same
from tf_unseen_pose.imaging.image_files import to_uint8
from tf_unseen_pose.inference.lite_file import LiteFile


@pytest.fixture
def inputs(batch):
    made = batch(64, 64, batch=1)
    target = np.concatenate([made["target_joints"], np.zeros((1, 14, 1), np.float32)], axis=2)
    # Pixels of 8 bits, which the SavedModel takes.
    pixels = to_uint8(made["image"])
    return {
        "pixels": pixels,
        "image": pixels / np.float32(127.5) - 1,
        "source": made["source_joints"],
        "target": target,
    }


def test_float32_computes_what_the_saved_model_does(exported, lite_contents, inputs):
    signatures = tf.saved_model.load(str(exported[1])).signatures
    file = LiteFile(lite_contents["float32"])
    source = {"source_joints": inputs["source"]}
    state = file["encode_source"](image=inputs["image"], **source)
    expected = signatures["encode_source"](
        image=tf.constant(inputs["pixels"]), source_joints=tf.constant(inputs["source"])
    )
    assert set(state) == set(expected)
    for name, part in expected.items():
        np.testing.assert_allclose(state[name], part, atol=1e-4)
    rendered = file["render"](**state, target_joints=inputs["target"])["image"]
    whole = file["synthesize"](image=inputs["image"], **source, target_joints=inputs["target"])["image"]
    # What `explain` puts together is not rounded.
    stages = signatures["explain"](
        image=tf.constant(inputs["pixels"]),
        source_joints=tf.constant(inputs["source"]),
        target_joints=tf.constant(inputs["target"][..., :3]),
    )
    composite = stages["alpha"] * stages["foreground"] + (1 - stages["alpha"]) * stages["background"]
    composite += stages["stillness"] * (inputs["image"] - composite)
    for picture in (rendered, whole):
        np.testing.assert_allclose(picture, composite, atol=1e-4)
        assert np.abs(to_uint8(picture).astype(int) - stages["image"].numpy()).max() <= 1
    assert np.abs(rendered - inputs["image"]).mean() > 0.01


def test_depth_of_the_target_counts(exported, lite_contents, inputs):
    generator, file = exported[2], LiteFile(lite_contents["float32"])
    target = inputs["target"].copy()
    target[..., 3] = np.linspace(-40, 40, 14)
    state = generator.encode_source(inputs["image"], inputs["source"])
    arrays = {name: part.numpy() for name, part in state._asdict().items()}
    made = file["render"](**arrays, target_joints=target)["image"]
    np.testing.assert_allclose(made, generator.render(state, target), atol=1e-4)
    assert np.abs(made - generator.render(state, target[..., :3])).max() > 1e-3


def test_the_folder(lite_files):
    run, folder = lite_files
    names = {
        "float32.tflite",
        "float16.tflite",
        "dynamic.tflite",
        "int8.tflite",
        "report.json",
        "report.md",
        "SHA256SUMS",
    }
    assert {entry.name for entry in folder.iterdir()} == names
    size = {path.stem: path.stat().st_size for path in folder.glob("*.tflite")}
    assert size["int8"] < size["float16"] < size["float32"]
    assert tflite_file(folder, "int8") == tflite_file(folder.parent, "int8") == folder / "int8.tflite"
    report = json.loads((folder / "report.json").read_text())
    assert set(report["variants"]) == {"float32", "float16", "dynamic", "int8"}
    for values in report["variants"].values():
        assert values["render_1_thread_ms"] > 0 and values["peak_mib"] > 0
    # Weights of an export are in half precision already.
    assert report["variants"]["float16"]["psnr"] == 100
    assert 25 < report["variants"]["int8"]["psnr"] < 100
    assert "| int8 |" in (folder / "report.md").read_text()


def test_every_file_says_what_it_is(lite_files, lite_contents):
    run, _ = lite_files
    for variant, content in lite_contents.items():
        about = LiteFile(content).about
        assert (about["variant"], about["licence"], about["height"]) == (variant, "of a test", 64)
        assert LiteFile(content).skeleton == run.config.model.body
        render = about["signatures"]["render"]
        assert render["inputs"]["target_joints"]["shape"] == [1, 14, 4]
        assert render["outputs"]["image"]["shape"] == [1, 64, 64, 3]
        assert all(tensor["dtype"] == "float32" for each in about["signatures"].values() for side in each.values()
                   for tensor in side.values())  # fmt: skip


def test_a_damaged_file_of_a_folder_is_noticed(lite_files, tmp_path, refuses):
    _, folder = lite_files
    for entry in folder.iterdir():
        (tmp_path / entry.name).write_bytes(entry.read_bytes())
    assert tflite_file(tmp_path, "int8")
    content = (tmp_path / "int8.tflite").read_bytes()
    (tmp_path / "int8.tflite").write_bytes(content[:-1] + b"x")
    refuses(lambda: tflite_file(tmp_path, "int8"), "int8.tflite", "damaged")


def test_refusals_and_failures_leave_nothing(lite_files, lite_contents, tmp_path, monkeypatch, refuses):
    run, _ = lite_files
    monkeypatch.setattr(export_files, "convert", lambda _: lite_contents["float32"])
    refuses(lambda: export_tflite(run, run.path), "not a folder of versions")
    refuses(lambda: export_tflite(run, tmp_path / "new", Options(variants=("int4",))), "int4", "float16")
    monkeypatch.setattr(export_files, "require_portable", lambda *_: (_ for _ in ()).throw(UserError("No.")))
    refuses(lambda: export_tflite(run, tmp_path / "new", Options(variants=("float32",))), "No.")
    assert not (tmp_path / "new").exists()


def test_a_file_of_other_weights_is_refused(lite_files, lite_contents, inputs, refuses):
    run, _ = lite_files
    generator = run.load_generator()
    example = {"image": inputs["image"], "source_joints": inputs["source"], "target_joints": inputs["target"]}
    assert require_same(lite_contents["float32"], generator, [example]) < 1e-4
    for network in generator.networks:
        kept = network.get_weights()
        network.set_weights([0.8 * weight for weight in kept])
        refuses(lambda: require_same(lite_contents["float32"], generator, [example]), "differs from the run")
        network.set_weights(kept)
