"""The command `ablate`."""

from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.cli.options import FeaturesWeights, Pairs, PoseModel, Poses, Seed, Split, SplitOption


def ablate(
    data: Annotated[Path, typer.Option(help="Dataset of 'prepare'.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for runs and report.")],
    steps: Annotated[int, typer.Option(min=1, help="Steps per variant.")],
    config: Annotated[str, typer.Option(help="Preset (paper, lite, tiny) or YAML file.")] = "paper",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting of all variants.")
    ] = None,
    split: SplitOption = Split.validation,
    pairs: Pairs = 200,
    seed: Seed = 0,
    poses: Poses = True,
    features_weights: FeaturesWeights = None,
    pose_model: PoseModel = None,
) -> None:
    """Train the paper's losses and a U-Net, and compare them.

    Ctrl-C saves; the same command resumes.
    """
    from tf_unseen_pose.evaluation.report import require_report_folder

    require_report_folder(output)

    from tf_unseen_pose.evaluation import ablation
    from tf_unseen_pose.evaluation.evaluate import Options
    from tf_unseen_pose.inference.reposer import Reposer

    configs = ablation.variants(config, settings or [], steps)
    output.mkdir(exist_ok=True)
    options = Options(split.value, pairs, seed, False, poses, pose_model, features_weights)
    report = ablation.ablate(data, output, configs, options, Reposer.of)
    if report is None:
        typer.echo(f"Stopped; the same command goes on in {output}.")
        raise typer.Exit(130)
    typer.echo(f"{(report / 'table.md').read_text(encoding='utf-8')}\nLook at {report / 'cases.png'} and {report}.")
