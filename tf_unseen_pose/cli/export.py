"""The command `export`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tf_unseen_pose.cli.options import FeaturesWeights, PoseModel, Poses
from tf_unseen_pose.errors import UserError

if TYPE_CHECKING:
    from tf_unseen_pose.training.run import Run


class Variant(StrEnum):
    """Number formats of a TFLite file."""

    float32 = "float32"
    float16 = "float16"
    dynamic = "dynamic"
    int8 = "int8"


def _export_onnx(run: "Run", output: Path, licence: str) -> None:
    from tf_unseen_pose.export.onnx import export_onnx

    for path, difference in export_onnx(run, output, licence):
        size = path.stat().st_size / 1e6
        typer.echo(f"{path}: {size:.1f} MB, differs from TensorFlow by {difference:.1e} of the range at most.")


def export(
    model: Annotated[Path, typer.Argument(metavar="RUN", help="Run of 'train' or 'import-posewarp'.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of versions; its name is the model's name on a server.")
    ],
    report: Annotated[Path | None, typer.Option(help="report.json of 'evaluate', whose metrics are included.")] = None,
    max_side: Annotated[
        int,
        typer.Option(min=64, max=8192, help="SavedModel: shrink photos to this longer side."),
    ] = 2048,
    tflite: Annotated[
        bool,
        typer.Option(
            "--tflite",
            help="Write TFLite files to OUTPUT/tflite.",
        ),
    ] = False,
    onnx: Annotated[
        bool,
        typer.Option("--onnx", help="Write ONNX files to OUTPUT/onnx; takes --licence, needs requirements-onnx.txt."),
    ] = False,
    variant: Annotated[
        list[Variant] | None, typer.Option(help="TFLite: variant to write; repeatable, by default all four.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="TFLite: dataset for int8 calibration (training pairs) and the report (validation pairs); by default "
            "the bundled photo."
        ),
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, help="TFLite: maximum number of pairs of each.")] = 200,
    licence: Annotated[str, typer.Option(help="Licence of the weights, stored in every file.")] = "not stated",
    poses: Poses = True,
    features_weights: FeaturesWeights = None,
    pose_model: PoseModel = None,
) -> None:
    """Export a run as a SavedModel, TFLite files or ONNX files.

    A SavedModel becomes the next version in the folder, ready for TensorFlow Serving.
    """
    from tf_unseen_pose.training.run import Run

    if onnx:
        if tflite or variant or data or report:
            raise UserError("--onnx takes --licence alone; call 'export' again without --onnx for the rest.")
        _export_onnx(Run.open(model), output, licence)
        return
    if not tflite:
        if variant or data:
            raise UserError("--variant and --data are for TFLite files; add --tflite.")
        from tf_unseen_pose.export.saved_model import export_run

        version = export_run(Run.open(model), output, report, max_side=max_side)
        typer.echo(f"{version} is ready and computes what the run does: serve it, or use it as --model.")
        return
    if report:
        raise UserError("--report is for SavedModels; TFLite files get a report of their own.")
    from tf_unseen_pose.export.tflite import export_tflite
    from tf_unseen_pose.export.tflite.comparison import Task
    from tf_unseen_pose.export.tflite.export_files import Options

    names: dict[str, Any] = {} if not variant else {"variants": tuple(dict.fromkeys(each.value for each in variant))}
    options = Options(licence=licence, data=data, pairs=pairs, task=Task(poses, pose_model, features_weights), **names)
    folder = export_tflite(Run.open(model), output, options)
    typer.echo((folder / "report.md").read_text(encoding="utf-8"))
    typer.echo(f"{folder} is ready: try it with 'python -m tf_unseen_pose.on_device PHOTO --model {folder}'.")
