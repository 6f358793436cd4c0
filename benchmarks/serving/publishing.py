"""Options and results of the two commands."""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.report import RESULTS, machine_facts, table


def option_parser(name: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.serving.{name}", description=description.strip().splitlines()[0]
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="a folder of versions with signature 'synthesize'")
    parser.add_argument("--quick", action="store_true", help="short: tries the benchmark, measures nothing")
    parser.add_argument("-o", dest="output", type=Path, default=RESULTS / f"serving-{name}.json", help="JSON to write")
    return parser


def publish(name: str, options: argparse.Namespace, tables: dict[str, list[dict]], **facts) -> None:
    """Prints tables and facts and writes them, with the machine's, to the JSON file."""
    machine = machine_facts()
    print(f"\nserving {name} on {machine['cpu']}, {machine['cores']} cores, load {machine['load']:.1f}")
    for title, rows in tables.items():
        print(f"\n{title}:\n\n{table(rows)}")
    for key, value in facts.items():
        print(f"- {key.replace('_', ' ')}: {value:.4g}" if isinstance(value, float) else f"- {key}: {value}")
    content = {"benchmark": f"serving-{name}", "quick": options.quick, "machine": machine, **facts, "tables": tables}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(content, indent=2) + "\n")
    print(f"- written to {options.output}", file=sys.stderr)
