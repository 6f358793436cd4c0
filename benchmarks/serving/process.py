"""The embedded server in a process of its own, and a client that speaks bytes."""

import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc

PREDICT = "/tensorflow.serving.PredictionService/Predict"
# A lost connection is repeated by gRPC itself, five times at most (its own limit).
RETRYING = """{"methodConfig": [{"name": [{}], "waitForReady": true, "retryPolicy": {"maxAttempts": 5,
  "initialBackoff": "0.2s", "maxBackoff": "5s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]}"""


class ServerProcess:
    """`unseen-pose serve FOLDER`; a context manager that ends it.

    Args:
        options: of the command line.
    """

    def __init__(self, folder: Path, *options: str):
        self._command = [sys.executable, "-m", "tf_unseen_pose", "serve", str(folder), "--name", "model", *options]
        # A pipe that nobody reads would hold the server up. Closed by __exit__.
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.port = 0
        self._start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._log.close()

    def restart(self) -> None:
        """Kills the server and starts it anew at the same port; returns when it answers."""
        self.process.kill()
        self.process.wait()
        self._start()

    def channel(self, retrying: bool = False) -> grpc.Channel:
        options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        if retrying:
            options += [("grpc.service_config", RETRYING), ("grpc.max_reconnect_backoff_ms", 1000)]
        return grpc.insecure_channel(f"127.0.0.1:{self.port}", options)

    def memory(self) -> float:
        """Megabytes (2^20 bytes) that the process has in use; on Linux."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024

    def _start(self) -> None:
        command = [*self._command, "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log, text=True)
        line = self.process.stdout.readline()
        if not line:
            self._log.seek(0)
            sys.exit(f"The server did not start: {self._log.read().splitlines()[-1:]}")
        self.port = int(re.search(r":(\d+)\.$", line)[1])


class MemoryCurve:
    """Looks at a server's memory every now and then, on a thread; a context manager."""

    def __init__(self, server: ServerProcess, pause: float = 0.5):
        self.seconds_and_megabytes: list[tuple[float, float]] = []
        self._server, self._pause, self._end = server, pause, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    @property
    def megabytes(self) -> list[float]:
        return [megabytes for _, megabytes in self.seconds_and_megabytes]

    def _watch(self) -> None:
        begin = time.monotonic()
        while True:
            self.seconds_and_megabytes.append((time.monotonic() - begin, self._server.memory()))
            if self._end.wait(self._pause):
                return
