"""Speed and memory of files that are to be written, each in a process of its own."""

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from tf_unseen_pose.errors import UserError

THREADS = (1, 2)


class Clock:
    """Measures models.

    Args:
        seconds: how long each signature is called.

    Attributes:
        machine: the processor's name.
    """

    machine = platform.processor() or platform.machine()

    def __init__(self, seconds: float):
        self._seconds = seconds

    def measure(self, content: bytes) -> dict[str, float]:
        """Milliseconds a call, "render_1_thread_ms" and so on, and "peak_mib" with one thread."""
        found = {}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.tflite"
            path.write_bytes(content)
            for threads in THREADS:
                times = self._in_process(path, threads)
                memory = times.pop("peak_mib")
                found.setdefault("peak_mib", memory)
                found |= {f"{name}_{threads}_thread_ms": value for name, value in times.items()}
        return found

    def _in_process(self, path: Path, threads: int) -> dict[str, float]:
        command = [sys.executable, "-m", "tf_unseen_pose.on_device.measuring", str(path)]
        command += ["--threads", str(threads), "--seconds", str(self._seconds)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["it gave no reason"]
            raise UserError(f"The exported file does not run in LiteRT ({reason[0]}); report this.")
        return json.loads(done.stdout.splitlines()[-1])
