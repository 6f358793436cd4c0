"""Lists the benchmarks, or runs all: `python -m benchmarks all [OPTIONS THAT ALL KNOW]`."""

import importlib
import subprocess
import sys

NAMES = ("ceiling", "forward", "training_step", "input_pipeline", "video")


def main() -> None:
    if sys.argv[1:2] == ["all"]:
        for name in NAMES:
            # Each in a process of its own: none inherits another's memory or traces.
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[2:]], check=True)
        return
    for name in NAMES:
        first_line = importlib.import_module(f"benchmarks.{name}").__doc__.splitlines()[0]
        print(f"python -m benchmarks.{name:15} {first_line}")
    print(f"python -m benchmarks {'all':14} All of them, one after the other.")


if __name__ == "__main__":
    main()
