"""Videos end to end: a photo and driving poses in, an MP4 file out, beside the authors' network doing the same.

Every variant runs in a process of its own, in turn, and makes the same video. Its start (encoding the photo, tracing
the graphs, the first frames) and its steady rate are told apart, because the first is paid once. The steady rate of
slow variants comes from fewer frames; the time of the whole video is computed from both.

The authors' network has no photo that is encoded once: it runs whole for every frame, with heatmaps and transforms
made in NumPy, and its canvas is pasted back and written like ours.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import ceiling
from benchmarks.report import option_parser, publish
from benchmarks.scenes import driven_photo
from benchmarks.timing import Timing

# These need hundreds of milliseconds a frame.
_SLOW = ("reference", "paper")


def run_worker(variant: str, scene: Path, frames: int, folder: Path) -> dict:
    """What `video_worker` measured in a process of its own."""
    result = folder / "result.json"
    command = [
        sys.executable,
        "-m",
        "benchmarks.video_worker",
        variant,
        scene,
        str(frames),
        folder / "video.mp4",
        result,
    ]
    subprocess.run(command, check=True)
    return json.loads(result.read_text())


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("video", __doc__, repeats=3)
    parser.add_argument("--frames", type=int, default=300, help="frames of the video (%(default)s)")
    parser.add_argument(
        "--slow-frames", type=int, default=32, help="frames that the reference and paper really make (%(default)s)"
    )
    options = parser.parse_args(arguments)
    height, width = (96, 128) if options.quick else (480, 640)
    frames, slow = (12, 8) if options.quick else (options.frames, min(options.slow_frames, options.frames))
    variants = ["reference", *options.preset]
    measured = {variant: [] for variant in variants}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        scene = folder / "scene.npz"
        photo, source, poses = driven_photo(height, width, frames)
        np.savez(scene, photo=photo, source=source, poses=poses)
        for _ in range(options.repeats):
            for variant in variants:
                count = slow if variant in _SLOW else frames
                measured[variant].append(run_worker(variant, scene, count, folder))
    rows = [_row(variant, measured[variant], frames) for variant in variants]
    for row in rows:
        row["time / reference"] = row[f"s for {frames} frames"] / rows[0][f"s for {frames} frames"]
        row["rate / reference"] = row["frames/s"] / rows[0]["frames/s"]
    found = ceiling.measure(options.repeats, options.quick)
    publish("video", options, rows, found, photo=f"{width} x {height}")


def _row(variant: str, results: list[dict], frames: int) -> dict:
    steady = Timing(tuple(result["seconds_a_frame"] for result in results))
    start = median(result["start_seconds"] for result in results)
    return {
        "variant": variant,
        "frames made": results[0]["frames"],
        "start s": start,
        "frames/s": 1 / steady.median,
        "spread": steady.spread,
        f"s for {frames} frames": start + steady.median * (frames - results[0]["start_frames"]),
        "peak memory MB": median(result["peak_mb"] for result in results),
    }


if __name__ == "__main__":
    main()
