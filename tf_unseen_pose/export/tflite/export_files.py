"""`export --tflite`: from a run to its files."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_unseen_pose.assets.shipped import write_sums
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.differences import largest
from tf_unseen_pose.export.tflite.comparison import Task, compare, measure_task
from tf_unseen_pose.export.tflite.conversion import convert
from tf_unseen_pose.export.tflite.description import described
from tf_unseen_pose.export.tflite.inspection import require_portable
from tf_unseen_pose.export.tflite.sample_inputs import bundled_examples, called_with, dataset_pairs
from tf_unseen_pose.export.tflite.timing import Clock
from tf_unseen_pose.export.tflite.variants import VARIANTS, quantized
from tf_unseen_pose.files import replacing
from tf_unseen_pose.inference.lite_file import LiteFile
from tf_unseen_pose.locks import at_work
from tf_unseen_pose.model import PoseModel
from tf_unseen_pose.training.run import Run

# Tolerance for float32 additions in another order, as in `export.parity`: where `lite` samples a photo's edges, a few
# values in a million differ by 1e-4 and more.
_TOLERANCE = 1e-3
_BUNDLED_EXAMPLES, _CHECKED = 48, 4
# The report's pictures without and with a dataset.
_PICTURES = "the bundled photo", "held-out pairs"
# Columns of the report: measurement, title and format.
_COLUMNS = (
    ("bytes", "MB", lambda value: f"{value / 1e6:.2f}"),
    ("render_1_thread_ms", "render, 1 thread, ms", lambda value: f"{value:.1f}"),
    ("render_2_thread_ms", "2 threads", lambda value: f"{value:.1f}"),
    ("encode_source_2_thread_ms", "encode_source, 2 threads, ms", lambda value: f"{value:.1f}"),
    ("peak_mib", "memory, MiB", lambda value: f"{value:.0f}"),
    ("largest_difference_to_run", "largest difference to TensorFlow, of -1..1", lambda value: f"{value:.1e}"),
    ("psnr", "PSNR to float32, dB", lambda value: "equal" if value >= 100 else f"{value:.1f}"),
    ("least_psnr", "least", lambda value: "equal" if value >= 100 else f"{value:.1f}"),
    ("ssim", "SSIM", lambda value: f"{value:.4f}"),
    ("vgg", "VGG error", lambda value: f"{value:.4f}"),
    ("vgg_inside", "inside the person", lambda value: f"{value:.4f}"),
    ("ssim_inside", "SSIM inside", lambda value: f"{value:.4f}"),
    ("pckh", "PCKh@0.5", lambda value: f"{value:.4f}"),
)


@dataclass(frozen=True)
class Options:
    """Options of the export.

    Attributes:
        variants: the ones to write; float32 is always measured.
        licence: of the weights, stored in each file.
        data: dataset for int8 calibration (training pairs) and the report (validation pairs); by default the bundled
            photo.
        pairs: maximum number of each.
        task: how held-out pairs are evaluated.
        seconds: limit for timing each signature of each file.
    """

    variants: tuple[str, ...] = VARIANTS
    licence: str = "not stated"
    data: Path | None = None
    pairs: int = 200
    task: Task = Task()
    seconds: float = 2.0


def export_tflite(run: Run, folder: Path, options: Options = Options()) -> Path:
    """Writes a run's averaged weights as TFLite files to `folder`/tflite; returns that folder.

    Every file is inspected and measured before anything is written; files are written atomically.

    Raises:
        UserError: the run has no weights; the folder is a file, or a run; an unknown variant; an unsuitable dataset; a
            file would have unsupported operations, or differ from the run; another process uses the folder.
    """
    if folder.is_file() or (folder / "config.json").exists():
        raise UserError(f"{folder} is not a folder of versions; choose a new folder for the export.")
    if unknown := set(options.variants) - set(VARIANTS):
        raise UserError(f"There is no variant {sorted(unknown)[0]}; known are {', '.join(VARIANTS)}.")
    with at_work(folder):
        return _export_files(run, folder, options)


def _export_files(run: Run, folder: Path, options: Options) -> Path:
    dataset = ClipDataset.open(options.data) if options.data else None
    generator = run.load_generator()
    if dataset:
        ranges = [called_with(pair) for pair in dataset_pairs(dataset, run.config, "train", options.pairs)]
    else:
        ranges = list(bundled_examples(run.config, min(options.pairs, _BUNDLED_EXAMPLES)))
    # Before minutes of work: rejects a dataset without validation pairs.
    held_out = _held_out(run, dataset, options)
    contents = _contents(run, generator, ranges, options)
    difference = require_same(contents["float32"], generator, list(bundled_examples(run.config, _CHECKED, seed=1)))
    measured = compare(contents, held_out)
    measured["float32"]["largest_difference_to_run"] = difference
    if dataset:
        measured = measure_task(measured, contents, run, dataset, options.pairs, options.task)
    clock = Clock(options.seconds)
    for variant, content in contents.items():
        measured[variant] |= {"bytes": len(content), **clock.measure(content)}
    target = folder / "tflite"
    target.mkdir(parents=True, exist_ok=True)
    _write(target, {name: contents[name] for name in options.variants})
    _write_report(target, measured, {"pairs": _PICTURES[dataset is not None], "machine": clock.machine})
    write_sums(target)
    return target


def _contents(run: Run, generator: PoseModel, ranges: list, options: Options) -> dict[str, bytes]:
    """The files by variant, float32 first."""
    converted = convert(generator)
    networks = [network.name for network in generator.networks]
    contents = {}
    for variant in ("float32", *(name for name in options.variants if name != "float32")):
        content = quantized(converted, variant, networks, ranges)
        require_portable(content, variant)
        contents[variant] = described(content, variant, run, options.licence, generator.steepness)
    return contents


def require_same(content: bytes, generator: PoseModel, examples: list[dict[str, np.ndarray]]) -> float:
    """Compares a float32 file with its model, on inputs of `synthesize`.

    Returns:
        The largest difference, on a scale where black is -1 and white 1.

    Raises:
        UserError: it is beyond rounding.
    """
    file, found = LiteFile(content, threads=1), 0.0
    encode, render = (tf.function(each, autograph=False) for each in (generator.encode_source, generator.render))
    for inputs in examples:
        image, source, target = (inputs[key] for key in ("image", "source_joints", "target_joints"))
        state, expected = file["encode_source"](image=image, source_joints=source), encode(image, source)
        hole = largest("hole", np.abs(state["hole"] - expected.hole))
        # With the file's hole, a part of which may differ.
        picture = render(expected._replace(hole=state["hole"]), target).numpy()
        made = file["synthesize"](**inputs)["image"], file["render"](**state, target_joints=target)["image"]
        found = max(found, hole, *(largest("image", np.abs(each - picture)) for each in made))
        if not found <= _TOLERANCE:
            raise UserError(
                f"The float32 file differs from the run by {found:.3g}; nothing was exported: try the other "
                "TensorFlow stack, and report this."
            )
    return found


def _held_out(run: Run, dataset: ClipDataset | None, options: Options) -> list[dict[str, np.ndarray]]:
    if dataset:
        return [called_with(pair) for pair in dataset_pairs(dataset, run.config, "validation", options.pairs)]
    return list(bundled_examples(run.config, min(options.pairs, _BUNDLED_EXAMPLES), seed=2))


def _write(target: Path, contents: dict[str, bytes]) -> None:
    for variant, content in contents.items():
        with replacing(target / f"{variant}.tflite") as temporary:
            temporary.write_bytes(content)


def _write_report(target: Path, measured: dict, about: dict[str, str]) -> None:
    for name, text in (
        ("report.json", json.dumps({**about, "variants": measured}, indent=2) + "\n"),
        ("report.md", _as_markdown(measured, about)),
    ):
        with replacing(target / name) as temporary:
            temporary.write_text(text)


def _as_markdown(measured: dict[str, dict[str, float]], about: dict[str, str]) -> str:
    """The report as a table with a row per variant, without empty columns."""
    columns = [column for column in _COLUMNS if any(column[0] in values for values in measured.values())]
    rows = [["variant", *(title for _, title, _ in columns)], ["---", *("--:" for _ in columns)]]
    for variant, values in measured.items():
        rows.append([variant, *(shown(values[key]) if key in values else "" for key, _, shown in columns)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\nPictures of {about['pairs']}. LiteRT with XNNPACK on {about['machine']}; medians of calls.\n"
