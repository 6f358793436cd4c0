"""The ablation of the paper's first table on your own data: the same training with other losses, and the plain U-Net.

    FOLDER/runs/NAME/     a run for every variant, resumed by the same call
    FOLDER/report/        the evaluation of all on held-out clips; see `report`

All variants see the same batches for the same number of steps, with the same initial learning rate. VGG + GAN starts as
a copy of VGG at the step at which the discriminator joins.
"""

import shutil
from pathlib import Path

from tf_unseen_pose.config import Config, load_config
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.evaluation.compared_models import Model, NewReposer
from tf_unseen_pose.evaluation.evaluate import Options, evaluate
from tf_unseen_pose.evaluation.report import write_report
from tf_unseen_pose.training.fit import train
from tf_unseen_pose.training.run import Run

# The authors train with the adversarial loss for a tenth of the steps, after the rest without.
_ADVERSARIAL_PART, _DISCRIMINATOR_FIRST = 0.1, 5
_VGG, _ADVERSARIAL = "VGG", "VGG + GAN"


def variants(config: str, settings: list[str], steps: int) -> dict[str, Config]:
    """The compared configurations by the name of their row, the evaluated one first.

    Args:
        config: a preset or a YAML file; its first stage gives the learning rate.
        settings: overrides, as `load_config` takes them.
        steps: of every variant, over all its stages.

    Raises:
        UserError: as `load_config`.
    """
    rate = load_config(config, settings).train.stages[0].learning_rate
    last = max(1, round(_ADVERSARIAL_PART * steps))

    def stage(loss: str, steps: int, more: str = "") -> str:
        return f"{{loss: {loss}, steps: {steps}, learning_rate: {rate!r}{more}}}"

    adversarial = stage("vgg_gan", last, f", discriminator_first: {_DISCRIMINATOR_FIRST}")
    stages = {
        _VGG: [stage("vgg", steps)],
        _ADVERSARIAL: [*([stage("vgg", steps - last)] if steps > last else []), adversarial],
        "L1": [stage("l1", steps)],
    }
    changes = {name: [f"train.stages=[{', '.join(parts)}]"] for name, parts in stages.items()}
    changes["U-Net"] = [*changes[_VGG], "model.network=unet"]
    return {name: load_config(config, [*settings, *change]) for name, change in changes.items()}


def ablate(
    dataset_path: Path, output: Path, configs: dict[str, Config], options: Options, reposer: NewReposer
) -> Path | None:
    """Trains the remaining variants, evaluates all, and writes the report.

    Args:
        output: an existing folder, or a new one in an existing folder.
        configs: by the name of their row; see `variants`.
        reposer: see `Model.open`.

    Returns:
        The report's folder; None if training was stopped early.

    Raises:
        UserError: as `train` and `evaluate`.
    """
    runs = {name: output / "runs" / name.lower().replace(" ", "") for name in configs}
    if not _branch(dataset_path, runs, configs):
        return None
    for name, config in configs.items():
        if train(dataset_path, runs[name], config).steps_done < config.train.steps:
            return None
    models = {name: Model.open(path, reposer) for name, path in runs.items()}
    write_report(evaluate(ClipDataset.open(dataset_path), models, options), output / "report")
    return output / "report"


def _branch(dataset_path: Path, runs: dict[str, Path], configs: dict[str, Config]) -> bool:
    """Trains the common part of VGG and VGG + GAN, and copies it, unless either is further already.

    Returns:
        False if training was stopped early.
    """
    if not {_VGG, _ADVERSARIAL} <= configs.keys() or runs[_ADVERSARIAL].exists():
        return True
    whole, (shared, *more) = configs[_VGG], configs[_ADVERSARIAL].train.stages
    if not more or Run(runs[_VGG], whole).steps_done > shared.steps:
        return True
    schedule = whole.train.model_copy(update={"stages": (shared,)})
    if train(dataset_path, runs[_VGG], whole.model_copy(update={"train": schedule})).steps_done < shared.steps:
        return False
    copy = runs[_ADVERSARIAL].with_suffix(".partial")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(runs[_VGG], copy, ignore=shutil.ignore_patterns("logs"))
    copy.rename(runs[_ADVERSARIAL])
    return True
