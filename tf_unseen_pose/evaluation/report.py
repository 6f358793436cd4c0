"""The report of an evaluation.

REPORT/report.html    one self-contained page
REPORT/report.json    its numbers
REPORT/table.md       the main numbers, a row per method
REPORT/cases.png      some pairs: source, target, every model, and their faces
"""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path

import jinja2
import numpy as np
from PIL import Image

from tf_unseen_pose.data.clip_poses import spread
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation import plots
from tf_unseen_pose.evaluation.case_pictures import LABELS, Panels, case_rows, pair_sheet
from tf_unseen_pose.evaluation.evaluate import COPY, TARGET, Evaluation
from tf_unseen_pose.evaluation.intervals import Estimate
from tf_unseen_pose.evaluation.markdown_table import as_markdown
from tf_unseen_pose.evaluation.metric_columns import GIVEN_TO_COPIES, HEADLINES, MetricColumn
from tf_unseen_pose.evaluation.metric_table import MetricTable
from tf_unseen_pose.evaluation.summary import summary
from tf_unseen_pose.files import replacing, require_folder
from tf_unseen_pose.imaging.drawing import contact_sheet, draw_pose
from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.provenance import saving_options
from tf_unseen_pose.known_skeletons import is_person
from tf_unseen_pose.words import counted

PAGE, NUMBERS, TABLE, CASES = "report.html", "report.json", "table.md", "cases.png"
# Number of pairs shown: best, worst, and across actions.
_SHOWN, _SHOWN_ACROSS = 10, 12
_LISTED_ACTIONS = 30
_SIDE, _ACROSS_SIDE, _QUALITY = 384, 192, 85
# Fewer clips hardly generalise.
_FEW_CLIPS = 10


def require_report_folder(path: Path) -> None:
    """Checks, before minutes of work, that a report can be written.

    Raises:
        UserError: the path is a file, or its parent folder is missing.
    """
    if path.is_file() or path.suffix.lower() in (".html", ".json"):
        raise UserError(f"{path} is the name of a file; name a folder for {PAGE} and {NUMBERS}.")
    require_folder(path)


def write_report(evaluation: Evaluation, path: Path) -> Path:
    """Writes the report to the folder `path`, created if missing; returns the page's path.

    Raises:
        UserError: they cannot be written.
    """
    texts = {
        NUMBERS: json.dumps(summary(evaluation), indent=1, allow_nan=False) + "\n",
        TABLE: as_markdown(evaluation),
        PAGE: _page(evaluation),
    }
    try:
        path.mkdir(exist_ok=True)
        save_image(path / CASES, pair_sheet(evaluation), synthetic=True)
        for name, text in texts.items():
            with replacing(path / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot write to {path}: {error.strerror}; free space or choose another folder.") from error
    return path / PAGE


def _page(evaluation: Evaluation) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tf_unseen_pose", "evaluation"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = _shown
    labels = {name: name for name in evaluation.models} | LABELS
    within, seed = evaluation.within, evaluation.options.seed
    headlines = [metric for metric in within.metrics if metric.key in HEADLINES]
    worst, best, ranked_by = _ranked(within)
    return environment.get_template("report.html.jinja").render(
        evaluation=evaluation,
        count=counted,
        judged=within.methods[0],
        labels=labels,
        canvas=evaluation.models[within.methods[0]].config.model,
        notes=list(_notes(evaluation)),
        tables={name: (table, table.estimates(seed), _best) for name, table in _tables(evaluation)},
        seconds=evaluation.seconds,
        against=_against(within, headlines, seed),
        headlines=headlines,
        actions={name: (table, _by_action(table, seed)) for name, table in _tables(evaluation)},
        listed=_LISTED_ACTIONS,
        plots=_plots(within, headlines, labels),
        ranked_by=ranked_by,
        strips={"Worst": _strips(evaluation, worst), "Best": _strips(evaluation, best)},
        across=_across_strips(evaluation),
    )


def _tables(evaluation: Evaluation) -> list[tuple[str, MetricTable]]:
    named = (("within", evaluation.within), ("sequences", evaluation.sequences), ("across", evaluation.across))
    return [(name, table) for name, table in named if table is not None]


def _notes(evaluation: Evaluation) -> Iterator[str]:
    """Caveats for the reader of the numbers."""
    within, clips = evaluation.within, len(set(evaluation.within.clips.tolist()))
    if evaluation.options.split != "validation":
        yield (
            "Clips for training are among those evaluated: a model that was trained on them has seen these people, and "
            "its numbers say little about others."
        )
    if evaluation.options.joints != "all":
        yield "All methods were given 14 joints a pose: nothing told them where hands and feet are, or how heads turn."
    if clips < _FEW_CLIPS:
        yield f"Only {counted(clips, 'clip was', 'clips were')} evaluated: intervals say little so far."
    if evaluation.drawn_masks:
        yield (
            f"A mask of the person is missing in {evaluation.drawn_masks} of {counted(len(within.samples), 'pair')}; "
            "there, inside and outside are told by thick limbs, drawn from the joints."
        )
    if "vgg" not in within.values:
        yield evaluation.perceptual
    if "pckh" not in within.values:
        skeleton = evaluation.dataset.skeleton
        reason = (
            "" if is_person(skeleton) else f" (those of the skeleton '{skeleton.name}' cannot be found in pictures)"
        )
        yield f"No poses were looked for in the results{reason}, so nothing is said of their poses."
    if evaluation.faces:
        yield evaluation.faces
    if evaluation.unplaced:
        yield f"Not judged as whole photos: {counted(evaluation.unplaced, 'pair')}, of which a pose leaves the photo."
    if evaluation.sequences is None:
        yield "There is no flicker, since no clip has a frame rate and three frames in succession."
    if evaluation.left_out:
        yield (
            f"Left out: {counted(evaluation.left_out, 'pose')} of other actions, with too little of the body to be "
            "fitted to the source."
        )


# Numbers -------------------------------------------------------------------------------------------------------------


def _shown(estimate: Estimate | None, metric: MetricColumn) -> str:
    return "–" if estimate is None else f"{estimate.mean:.{metric.digits}f}"


def _best(estimates: dict[str, Estimate], metric: MetricColumn) -> set[str]:
    """The methods with the best displayed mean, without copying where it is right by construction."""
    if not metric.comparable:
        return set()
    taking_part = {
        method: float(_shown(estimate, metric))
        for method, estimate in estimates.items()
        if method != TARGET and not (method == COPY and metric.key in GIVEN_TO_COPIES)
    }
    if len(taking_part) < 2:
        return set()
    best = (max if metric.higher_is_better else min)(taking_part.values())
    return {method for method, value in taking_part.items() if value == best}


def _by_action(table: MetricTable, seed: int) -> dict[str, dict]:
    return {action: table.estimates(seed, action) for action in table.action_names[:_LISTED_ACTIONS]}


def _against(table: MetricTable, headlines: list[MetricColumn], seed: int) -> dict[str, list]:
    """The evaluated model against each other method, pair by pair, per metric."""
    others = [method for method in table.methods[1:] if method != TARGET]
    return {other: [(metric, table.comparison(metric.key, other, seed)) for metric in headlines] for other in others}


def _ranked(table: MetricTable) -> tuple[list[int], list[int], MetricColumn]:
    """The evaluated model's worst and best pairs, each in order, and the metric; no pair is both."""
    key = "vgg_inside" if "vgg_inside" in table.values else "ssim_inside"
    metric = next(metric for metric in table.metrics if metric.key == key)
    values = table.column(key, table.methods[0]) * (1 if metric.higher_is_better else -1)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")].tolist()
    worst = order[: min(_SHOWN, -(-len(order) // 2))]
    best = order[len(worst) :][::-1][:_SHOWN]
    return worst, best, metric


# Pictures ------------------------------------------------------------------------------------------------------------


def _plots(table: MetricTable, headlines: list[MetricColumn], labels: dict[str, str]) -> list[tuple[str, str]]:
    """(title, data URI)."""
    methods = {method: labels[method] for method in table.methods if method != TARGET}
    drawn = [(metric.label, plots.distribution(table, metric.key, methods)) for metric in headlines]
    key = "vgg_inside" if "vgg_inside" in table.values else "ssim_inside"
    drawn.append(("How far the pose moves", plots.by_movement(table, key, methods)))
    return [(title, _data_uri(png, "png")) for title, png in drawn]


def _strips(evaluation: Evaluation, positions: list[int]) -> list[tuple[str, str]]:
    """(caption, data URI) of pairs; see `case_rows`."""
    table, strips = evaluation.within, []
    for position in positions:
        pair = table.samples[position]
        values = ", ".join(
            f"{metric.label} {table.column(metric.key, table.methods[0])[position]:.{metric.digits}f}"
            for metric in table.metrics
            if metric.key in HEADLINES
        )
        clip = evaluation.dataset.clips[pair.source_clip]
        numbers = [clip.frames[frame].number for frame in (pair.source_frame, pair.target_frame)]
        strips.append(
            (
                f"{clip.name}, frame {numbers[0]} to {numbers[1]}: {values}",
                _strip(case_rows(evaluation, pair, _SIDE), _SIDE),
            )
        )
    return strips


def _across_strips(evaluation: Evaluation) -> list[tuple[str, str]]:
    """The same for pairs across actions, spread over them: no target, but its pose."""
    table = evaluation.across
    strips: list[tuple[str, str]] = []
    if table is None:
        return strips
    for position in spread(len(table.samples), _SHOWN_ACROSS):
        pair = table.samples[position]
        example = evaluation.reader.across(pair)
        pose = draw_pose(np.zeros_like(example.source), example.target_joints, evaluation.dataset.skeleton)
        source, target = (evaluation.dataset.clips[clip] for clip in (pair.source_clip, pair.target_clip))
        caption = f"{source.name} ({source.action}) in a pose of {target.name} ({target.action})"
        results = [(LABELS.get(name, name), picture) for name, picture in evaluation.render(example).items()]
        row = [("source", example.source), ("target pose", pose), *results]
        strips.append((caption, _strip([row], _ACROSS_SIDE)))
    return strips


def _strip(rows: list[Panels], side: int) -> str:
    """Rows of panels of some height as a data URI."""
    panels = [panel for row in rows for panel in row]
    sheet, buffer = contact_sheet(panels, columns=len(rows[0]), side=side), io.BytesIO()
    Image.fromarray(sheet).save(buffer, "JPEG", quality=_QUALITY, **saving_options(".jpg"))
    return _data_uri(buffer.getvalue(), "jpeg")


def _data_uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
