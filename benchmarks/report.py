"""What all benchmarks have in common: their options, a table on the screen, a JSON file with the machine's facts."""

import argparse
import datetime
import json
import os
import platform
import sys
from pathlib import Path

import keras
import tensorflow as tf

from tf_unseen_pose.config import PRESETS

RESULTS = Path(__file__).parent / "results"
# What is measured unless --preset says otherwise, as far as it exists.
COMPARED = ("paper", "lite")


def option_parser(name: str, description: str, repeats: int = 7) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has.

    Args:
        description: shown by --help; its first line is enough.
        repeats: default of --repeats.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=description.strip().splitlines()[0]
    )
    parser.add_argument("--repeats", type=_positive, default=repeats, help="rounds that count (%(default)s)")
    parser.add_argument(
        "--preset",
        nargs="+",
        choices=sorted(PRESETS),
        default=[preset for preset in COMPARED if preset in PRESETS],
        help="presets to measure",
    )
    parser.add_argument("--quick", action="store_true", help="small and short: tries the benchmark, measures nothing")
    parser.add_argument("-o", dest="output", type=Path, default=RESULTS / f"{name}.json", help="JSON file to write")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def machine_facts() -> dict:
    """What a number must be read with: processor, cores, load, accelerators, TensorFlow, date."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        # Well above the number of cores: others were at work, and absolute numbers mean little.
        "load": os.getloadavg()[0],
        "gpus": [device.name for device in tf.config.list_physical_devices("GPU")],
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "python": platform.python_version(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def publish(name: str, options: argparse.Namespace, rows: list[dict], ceiling: dict, **facts) -> None:
    """Prints the rows as a table and writes them with everything else to the JSON file.

    Args:
        rows: one dict a variant, column -> value; what a row lacks is left blank.
        ceiling: what `ceiling.measure` or the same run found.
        facts: more single values, printed below the table.
    """
    content = {
        "benchmark": name,
        "quick": options.quick,
        "repeats": options.repeats,
        "machine": machine_facts(),
        "ceiling": ceiling,
        **facts,
        "rows": rows,
    }
    machine = content["machine"]
    print(f"\n{name} on {machine['cpu']}, {machine['cores']} cores, load {machine['load']:.1f}")
    print(f"TensorFlow {machine['tensorflow']}\n")
    print(table(rows))
    for key, value in {**{f"ceiling of {k}": v for k, v in ceiling.items()}, **facts}.items():
        print(f"- {key.replace('_', ' ')}: {_shown(value)}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(content, indent=2) + "\n")
    print(f"- written to {options.output}", file=sys.stderr)


def table(rows: list[dict]) -> str:
    """Rows as aligned Markdown, columns in the order in which they first appear; numbers with three digits."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [columns] + [[_shown(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    numeric = [any(isinstance(row.get(column), int | float) for row in rows) for column in columns]
    lines = [
        "| " + " | ".join(_aligned(*cell) for cell in zip(line, widths, numeric, strict=True)) + " |" for line in cells
    ]
    rule = "|" + "|".join("-" * (w + 1) + (":" if n else "-") for w, n in zip(widths, numeric, strict=True)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _aligned(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _shown(value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        # Three digits, but never an exponent for what is large.
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)
