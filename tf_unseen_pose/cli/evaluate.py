"""The command `evaluate`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.cli.options import FeaturesWeights, Pairs, PoseModel, Poses, Seed, Split, SplitOption
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.words import counted

# The evaluated model's name in the report.
MODEL_NAME = "model"


class Joints(StrEnum):
    """Joints of a pose that the models are given."""

    all = "all"
    fourteen = "14"


def evaluate(
    model: Annotated[Path, typer.Option(help="Run of 'train' or 'import-posewarp'.")],
    data: Annotated[Path, typer.Option(help="Dataset of 'prepare'.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for report.html, report.json, table.md and cases.png.")
    ],
    also: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=RUN", help="Another run to compare, e.g. the U-Net baseline; repeatable."),
    ] = None,
    split: SplitOption = Split.validation,
    pairs: Pairs = 200,
    seed: Seed = 0,
    across: Annotated[
        bool, typer.Option("--across", help="Also re-pose people into poses of others with the same action.")
    ] = False,
    joints: Annotated[
        Joints, typer.Option(help="Joints given to the models; 14 omits hands, feet and face.")
    ] = Joints.all,
    poses: Poses = True,
    features_weights: FeaturesWeights = None,
    pose_model: PoseModel = None,
) -> None:
    """Measure a model against baselines and write a report."""
    from tf_unseen_pose.evaluation.report import require_report_folder, write_report

    require_report_folder(output)
    paths = model_paths(model, also or [])

    from tf_unseen_pose.data.records import ClipDataset
    from tf_unseen_pose.evaluation.compared_models import Model
    from tf_unseen_pose.evaluation.evaluate import Options
    from tf_unseen_pose.evaluation.evaluate import evaluate as run
    from tf_unseen_pose.inference.reposer import Reposer

    dataset = ClipDataset.open(data)
    models = {name: Model.open(path, Reposer.of) for name, path in paths.items()}
    options = Options(split.value, pairs, seed, across, poses, pose_model, features_weights, joints.value)
    evaluation = run(dataset, models, options)
    page = write_report(evaluation, output)
    typer.echo(f"Evaluated {counted(len(evaluation.within.samples), 'pair')}. Look at {page}.")


def model_paths(model: Path, also: list[str]) -> dict[str, Path]:
    """Runs by the name of their column, the evaluated one first.

    Raises:
        UserError: an entry of `also` is not NAME=RUN, or a name is used twice.
    """
    paths = {MODEL_NAME: model}
    for text in also:
        name, separator, path = text.partition("=")
        if not (separator and name and path):
            raise UserError(f"'{text}' is not of the form NAME=RUN, for example U-Net=runs/unet.")
        if name in paths:
            raise UserError(f"Two models are called '{name}'; choose another name.")
        paths[name] = Path(path)
    return paths
