"""Speed and memory of a .tflite file, measured in a process of its own.

    python -m tf_unseen_pose.on_device.speed FILE [--threads 2] [--seconds 2]

prints one line of JSON: median milliseconds per call of every signature and, on Linux, the peak memory in MiB beyond
that of Python, NumPy and LiteRT without a model.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tf_unseen_pose.inference.lite_file import LiteFile

_ACCOUNT = Path("/proc/self/status")
# A limit on calls: more hardly change the median.
_LEAST_CALLS, _MOST_CALLS = 5, 100


def measure(path: Path, threads: int, seconds: float) -> dict[str, float]:
    """Milliseconds per call by signature, and "peak_mib" (on Linux).

    Raises:
        UserError: the file is missing or not of this project.
    """
    import ai_edge_litert.interpreter  # noqa: F401  Before the memory is looked at.

    before = _memory("VmRSS")
    file = LiteFile.open(path, threads)
    inputs = example(file)
    state = file["encode_source"](image=inputs["image"], source_joints=inputs["source_joints"])
    calls = {
        "encode_source": {key: inputs[key] for key in ("image", "source_joints")},
        "render": {**state, "target_joints": inputs["target_joints"]},
        "synthesize": inputs,
    }
    found = {name: _milliseconds(file[name], values, seconds) for name, values in calls.items()}
    if before is not None and (most := _memory("VmHWM")) is not None:
        found["peak_mib"] = (most - before) / 2**20
    return found


def example(file: LiteFile) -> dict[str, np.ndarray]:
    """Inputs for `synthesize`: a noisy picture and joints spread over it."""
    rng = np.random.default_rng(0)
    height, width, count = file.about["height"], file.about["width"], file.skeleton.joint_count
    source, target = (rng.uniform(0.2, 0.8, (2, 1, count, 4)) * [width, height, 1, 0]).astype(np.float32)
    image = rng.uniform(-1, 1, (1, height, width, 3)).astype(np.float32)
    return {"image": image, "source_joints": source[..., :3], "target_joints": target}


def _milliseconds(call: Callable, inputs: dict[str, np.ndarray], seconds: float) -> float:
    call(**inputs)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < _LEAST_CALLS or (len(times) < _MOST_CALLS and time.perf_counter() < end):
        start = time.perf_counter()
        call(**inputs)
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


def _memory(what: str) -> float | None:
    """Current ("VmRSS") or peak ("VmHWM") memory of this process in bytes; None on systems other than Linux.

    Read from /proc, since `getrusage` of a child includes its parent's memory.
    """
    if not _ACCOUNT.is_file():
        return None
    return next(1024.0 * int(line.split()[1]) for line in _ACCOUNT.read_text().splitlines() if line.startswith(what))


def main() -> None:
    """Measures the file named on the command line.

    Raises:
        UserError: as `measure`.
    """
    parser = argparse.ArgumentParser(description="Time a .tflite file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    most = f"how long each signature is called, {_MOST_CALLS} times at most"
    parser.add_argument("--seconds", type=float, default=2.0, help=most)
    options = parser.parse_args()
    print(json.dumps(measure(options.file, options.threads, options.seconds)))


if __name__ == "__main__":
    main()
