from pathlib import Path

from tf_unseen_pose.export import onnx, saved_model, tflite


def test_a_savedmodel_is_asked_for(run, tmp_path, monkeypatch):
    """`tests/export` exports."""
    called = {}

    def export_run(exported, output, report, max_side):
        called.update(run=exported.path.parent.name, output=output, report=report, max_side=max_side)
        return output / "3"

    monkeypatch.setattr(saved_model, "export_run", export_run)
    code, out, _ = run("export", "lite", "-o", tmp_path / "models", "--report", "report.json", "--max-side", 900)
    assert code == 0 and out.startswith(f"{tmp_path / 'models' / '3'} is ready")
    assert called == {"run": "lite", "output": tmp_path / "models", "report": Path("report.json"), "max_side": 900}
    code, _, err = run("export", "lite", "-o", tmp_path, "--variant", "int8")
    assert code == 2 and "add --tflite" in err


def test_tflite_files_are_asked_for(run, tmp_path, monkeypatch):
    called = []

    def export_tflite(exported, output, options):
        called.append((exported.path.parent.name, output, options))
        (tmp_path / "report.md").write_text("| float16 |")
        return tmp_path

    monkeypatch.setattr(tflite, "export_tflite", export_tflite)
    arguments = ("--tflite", "--variant", "int8", "--variant", "float16", "--data", "pairs", "--pairs", 3)
    code, out, _ = run("export", "lite", "-o", tmp_path / "x", *arguments, "--licence", "mine", "--no-poses")
    assert code == 0 and out.startswith("| float16 |") and f"{tmp_path} is ready" in out
    ((name, output, options),) = called
    assert (name, output, options.variants, options.data) == (
        "lite",
        tmp_path / "x",
        ("int8", "float16"),
        Path("pairs"),
    )
    assert (options.pairs, options.licence, options.task.poses) == (3, "mine", False)
    code, _, err = run("export", "lite", "-o", tmp_path / "x", "--tflite", "--report", "report.json", "--max-side", 900)
    assert code == 2 and "--report is for SavedModels" in err


def test_onnx_files_are_asked_for(run, tmp_path, monkeypatch):
    def export_onnx(exported, output, licence):
        path = output / f"{licence} {exported.path.parent.name}.onnx"
        path.write_bytes(bytes(1_500_000))
        return [onnx.export_files.Written(path, 2e-5)]

    monkeypatch.setattr(onnx, "export_onnx", export_onnx)
    code, out, _ = run("export", "lite", "-o", tmp_path, "--onnx", "--licence", "my")
    assert code == 0 and out.startswith(f"{tmp_path / 'my lite.onnx'}: 1.5 MB, differs from TensorFlow by 2.0e-05")
    code, _, err = run("export", "lite", "-o", tmp_path, "--onnx", "--variant", "int8")
    assert code == 2 and "--onnx takes --licence alone" in err
