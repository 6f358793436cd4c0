"""Speed and memory of files before they are written, each in its own process."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import tf_unseen_pose
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.words import counted

THREADS = (1, 2)


def _processor() -> str:
    """The processor's name (on Linux) and number of cores."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{next(iter(names), platform.machine())}, {counted(os.cpu_count() or 1, 'core')}"


class Clock:
    """Measures models.

    Args:
        seconds: time limit per signature, for at most 100 calls.

    Attributes:
        machine: the processor's name.
    """

    machine = _processor()

    def __init__(self, seconds: float):
        self._seconds = seconds

    def measure(self, content: bytes) -> dict[str, float]:
        """Milliseconds per call, "render_1_thread_ms" and so on, and on Linux "peak_mib" with one thread.

        Raises:
            UserError: the file does not run.
        """
        found: dict[str, float] = {}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.tflite"
            path.write_bytes(content)
            for threads in THREADS:
                times = self._in_process(path, threads)
                if (memory := times.pop("peak_mib", None)) is not None:
                    found.setdefault("peak_mib", memory)
                found |= {f"{name}_{threads}_thread_ms": value for name, value in times.items()}
        return found

    def _in_process(self, path: Path, threads: int) -> dict[str, float]:
        command = [sys.executable, "-m", "tf_unseen_pose.on_device.speed", str(path)]
        command += ["--threads", str(threads), "--seconds", str(self._seconds)]
        # So that the child finds the package wherever this process started.
        paths = (str(Path(tf_unseen_pose.__file__).parents[1]), os.environ.get("PYTHONPATH"))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["it gave no reason"]
            raise UserError(f"The exported file does not run in LiteRT ({reason[0]}); report this.")
        return json.loads(done.stdout.splitlines()[-1])
