"""Prints a file of requirements as a given TensorFlow stack sees it.

python .ci/stack.py FILE          the file as it stands: pip evaluates its markers for this Python
python .ci/stack.py FILE 2.21     as for Python 3.12, so that the newer stack can be tested on an older Python
"""

import sys
from pathlib import Path

from packaging.requirements import Requirement

PYTHON_OF = {"2.15": "3.11", "2.21": "3.12"}


def main() -> None:
    lines = Path(sys.argv[1]).read_text().splitlines()
    if len(sys.argv) == 2:
        print("\n".join(lines))
        return
    if sys.argv[2] not in PYTHON_OF:
        sys.exit(f"There is no stack {sys.argv[2]}; known are {', '.join(PYTHON_OF)}.")
    version = PYTHON_OF[sys.argv[2]]
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        requirement = Requirement(line)
        marker, requirement.marker = requirement.marker, None
        if marker is None or marker.evaluate({"python_version": version, "python_full_version": f"{version}.0"}):
            print(requirement)


if __name__ == "__main__":
    main()
