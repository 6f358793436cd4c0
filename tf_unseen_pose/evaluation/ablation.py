"""The paper's first table on one's own data: the same training with the loss changed, and the plain U-Net beside it.

    FOLDER/runs/NAME/     a run for every variant, resumed by the same call
    FOLDER/report/        all of them in one evaluation
    FOLDER/table.md       the quantities that matter, a row a variant
    FOLDER/cases.png      some cases that nobody trained on: source, target, every variant

All variants see the same batches, step by step, for the same number of steps, with the same first learning rate.
"""

from pathlib import Path

import numpy as np

from tf_unseen_pose.config import Config, load_config
from tf_unseen_pose.contact_sheet import contact_sheet
from tf_unseen_pose.data.clip_poses import spread
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.evaluation.evaluate import COPY, WARP, Evaluation, Options, evaluate
from tf_unseen_pose.evaluation.intervals import Estimate
from tf_unseen_pose.evaluation.models import Model
from tf_unseen_pose.evaluation.quantities import BY_KEY, Quantity
from tf_unseen_pose.evaluation.report import write_report
from tf_unseen_pose.files import replacing
from tf_unseen_pose.images import save_image
from tf_unseen_pose.training.fit import train

# The authors train with the adversarial loss for a tenth of the steps, after the rest without.
_ADVERSARIAL_PART, _DISCRIMINATOR_FIRST = 0.1, 5
_COLUMNS = ("vgg", "vgg_inside", "ssim", "ssim_inside", "pckh", "background")
_SHOWN, _SIDE = 8, 160
_LABELS = {COPY: "copying the source", WARP: "warp only"}


def variants(config: str, settings: list[str], steps: int) -> dict[str, Config]:
    """The configurations that are compared, by the name of their row; the judged one first.

    Args:
        config: a preset or a YAML file; its first stage gives the learning rate.
        settings: overrides, as `load_config` takes them.
        steps: of every variant, over all its stages.

    Raises:
        UserError: as `load_config`.
    """
    rate = load_config(config, settings).train.stages[0].learning_rate
    last = max(1, round(_ADVERSARIAL_PART * steps))

    def stage(loss, steps, more=""):
        return f"{{loss: {loss}, steps: {steps}, learning_rate: {rate!r}{more}}}"

    adversarial = stage("vgg_gan", last, f", discriminator_first: {_DISCRIMINATOR_FIRST}")
    stages = {
        "VGG": [stage("vgg", steps)],
        "VGG + GAN": [*([stage("vgg", steps - last)] if steps > last else []), adversarial],
        "L1": [stage("l1", steps)],
    }
    changes = {name: [f"train.stages=[{', '.join(parts)}]"] for name, parts in stages.items()}
    changes["U-Net"] = [*changes["VGG"], "model.network=unet"]
    return {name: load_config(config, [*settings, *change]) for name, change in changes.items()}


def ablate(dataset_path: Path, output: Path, configs: dict[str, Config], options: Options) -> Path | None:
    """Trains what is not trained yet, evaluates all, and writes the table.

    Args:
        output: an existing folder, or a new one in an existing folder.
        configs: by the name of their row; see `variants`.

    Returns:
        The table's path; None where training was stopped before its end.

    Raises:
        UserError: as `train` and `evaluate`.
    """
    models = {}
    for name, config in configs.items():
        run = train(dataset_path, output / "runs" / name.lower().replace(" ", ""), config)
        if run.steps_done < config.train.steps:
            return None
        models[name] = run.path
    evaluation = evaluate(
        ClipDataset.open(dataset_path), {name: Model.open(path) for name, path in models.items()}, options
    )
    write_report(evaluation, output / "report")
    save_image(output / "cases.png", _cases(evaluation))
    with replacing(output / "table.md") as temporary:
        temporary.write_text(table(evaluation), encoding="utf-8")
    return output / "table.md"


def table(evaluation: Evaluation) -> str:
    """Markdown: a row a method, every mean with its 95 % interval over clips."""
    estimates = evaluation.within.estimates(evaluation.options.seed)
    columns = [BY_KEY[key] for key in _COLUMNS if key in estimates]
    lines = ["| | " + " | ".join(f"{column.label} {_arrow(column)}" for column in columns) + " |"]
    lines += ["|---|" + "--:|" * len(columns)]
    for method in evaluation.methods:
        cells = [_cell(estimates[column.key].get(method), column) for column in columns]
        lines.append(f"| {_LABELS.get(method, method)} | " + " | ".join(cells) + " |")
    pairs, clips = len(evaluation.within.cases), len(set(evaluation.within.clips.tolist()))
    steps = max(model.config.train.steps for model in evaluation.models.values())
    return "\n".join([*lines, "", f"{steps} steps each; {pairs} pairs of {clips} clips. {evaluation.perceptual}", ""])


def _arrow(quantity: Quantity) -> str:
    return "↑" if quantity.higher_is_better else "↓"


def _cell(estimate: Estimate | None, quantity: Quantity) -> str:
    if estimate is None:
        return "–"
    mean, low, high = (
        "?" if value is None or not np.isfinite(value) else f"{value:.{quantity.digits}f}"
        for value in (estimate.mean, estimate.low, estimate.high)
    )
    return f"{mean} ({low}–{high})"


def _cases(evaluation: Evaluation) -> np.ndarray:
    """A contact sheet of cases that are spread over those evaluated."""
    panels = []
    for position in spread(len(evaluation.within.cases), _SHOWN):
        example = evaluation.reader.within(evaluation.within.cases[position])
        results = [(_LABELS.get(name, name), picture) for name, picture in evaluation.render(example).items()]
        panels += [("source", example.source), ("target", example.target), *results]
    return contact_sheet(panels, columns=2 + len(evaluation.methods), side=_SIDE)
