"""`prepare` on a cluster of processes on this machine, compared byte for byte with one process.

    python -m benchmarks.cluster dask                      a Dask scheduler and three workers
    python -m benchmarks.cluster dask --fault kill         one worker is killed in the middle, with its nanny
    python -m benchmarks.cluster dask --fault memory       one worker has too little memory for any clip
    python -m benchmarks.cluster dask --fault straggler    one worker runs a tenth of the time
    python -m benchmarks.cluster processes                 Beam's portable runner with three processes
    python -m benchmarks.cluster scaling                   the table of clips by workers

Each prints "identical", or which files differ. The clips are synthetic; Dask needs requirements-beam.txt.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tf_unseen_pose.data.beam import prepare_with_beam
from tf_unseen_pose.data.dataset_index import read_index
from tf_unseen_pose.data.dataset_writer import STAGE_NAME
from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare

_WORKERS = 3
# Synthetic clips need more than 300 MB and less than 500.
_MEMORY, _TOO_LITTLE = "2GB", "300MB"


class Cluster:
    """A Dask scheduler and workers, each a process, at the loopback interface.

    Args:
        folder: for their scratch files and logs.
        memory: limit of every worker, as Dask writes it.
    """

    def __init__(self, folder: Path, memory: list[str]):
        self._file, self._folder = folder / "scheduler.json", folder
        self._scheduler = self._start("scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard")
        _wait_for(self._file.exists)
        self.address = json.loads(self._file.read_text())["address"]
        self.workers = [self._worker(number, limit) for number, limit in enumerate(memory)]

    def _worker(self, number: int, memory: str) -> subprocess.Popen:
        return self._start(
            "worker", "--name", str(number), "--nthreads", "1", "--memory-limit", memory, "--no-dashboard",
            "--host", "127.0.0.1", "--local-directory", str(self._folder / f"worker-{number}"),
        )  # fmt: skip

    def _start(self, role: str, *options: str) -> subprocess.Popen:
        environment = os.environ | {
            # A paused worker keeps its clip for ever; one that is killed gives it to another, often to itself.
            "DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "false",
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "10",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # One core a worker: OpenCV and TensorFlow would take them all.
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "distributed.cli.dask_" + role, "--scheduler-file", str(self._file), *options]
        with (self._folder / f"{role}.log").open("ab") as log:
            return subprocess.Popen(command, stderr=log, stdout=log, env=environment, start_new_session=True)

    def signal(self, number: int, kind: int) -> None:
        """Sends a signal to a worker, its nanny and their children."""
        os.killpg(self.workers[number].pid, kind)

    def log(self) -> str:
        """What scheduler and workers wrote."""
        return "".join(file.read_text() for file in sorted(self._folder.glob("*.log")))

    def close(self) -> None:
        """Ends all processes."""
        for process in (self._scheduler, *self.workers):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def dask_cluster(memory: list[str]) -> Iterator[Cluster]:
    """A cluster with one worker per memory limit, ended afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder), memory)
        try:
            yield cluster
        finally:
            cluster.close()


def _wait_for(condition, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("The cluster did not start.")
        time.sleep(0.05)


def disturb(cluster: Cluster, fault: str | None, output: Path, done: threading.Event) -> None:
    """Waits until some clips are staged, then does what `fault` says to worker 0."""
    if fault not in ("kill", "straggler"):
        return
    staged = output / STAGE_NAME
    while len(list(staged.glob("clip-*.json"))) < 3 and not done.wait(0.02):
        pass
    if fault == "kill":
        cluster.signal(0, signal.SIGKILL)
        print(f"worker 0 and its nanny are killed with {len(list(staged.glob('clip-*.json')))} clips staged")
        return
    while not done.is_set():
        for kind, seconds in ((signal.SIGSTOP, 0.9), (signal.SIGCONT, 0.1)):
            cluster.signal(0, kind)
            if done.wait(seconds):
                break


def content(dataset: Path) -> dict[str, bytes]:
    """The bytes of a dataset's files by name."""
    return {file.name: file.read_bytes() for file in dataset.iterdir() if file.suffix in (".json", ".tfrecord")}


def on_dask(options: Options, output: Path, workers: int, fault: str | None = None) -> float:
    """Prepares on a new cluster; returns the seconds without its start."""
    memory = [_TOO_LITTLE if fault == "memory" and number == 0 else _MEMORY for number in range(workers)]
    with dask_cluster(memory) as cluster:
        from distributed import Client

        with Client(cluster.address) as client:
            client.wait_for_workers(workers)
        done = threading.Event()
        trouble = threading.Thread(target=disturb, args=(cluster, fault, output, done))
        trouble.start()
        start = time.monotonic()
        try:
            flags = ["--runner=DaskRunner", f"--dask_client_address={cluster.address}"]
            prepare_with_beam([], str(output), options, flags)
        finally:
            done.set()
            trouble.join()
        if fault:
            words = ("lost", "exceed", "Restarting", "Removing worker", "terminat", "Remove worker")
            lines = [line for line in cluster.log().splitlines() if any(word in line for word in words)]
            print("\n".join(lines[:12]))
        return time.monotonic() - start


def on_processes(options: Options, output: Path, workers: int) -> float:
    """Prepares with Beam's portable runner, whose workers are processes; returns the seconds."""
    flags = ["--runner=FnApiRunner", "--direct_running_mode=multi_processing", f"--direct_num_workers={workers}"]
    start = time.monotonic()
    prepare_with_beam([], str(output), options, flags)
    return time.monotonic() - start


def compare(kind: str, clips: int, fault: str | None) -> bool:
    """Prepares the same clips on a cluster and in this process."""
    options = Options("synthetic", clips=clips, frames=24, size=256)
    with tempfile.TemporaryDirectory() as folder:
        one, many = Path(folder) / "one", Path(folder) / "many"
        start = time.monotonic()
        prepare([], one, options, progress=False)
        alone = time.monotonic() - start
        seconds = on_dask(options, many, _WORKERS, fault) if kind == "dask" else on_processes(options, many, _WORKERS)
        expected, found = content(one), content(many)
        differing = sorted(name for name in expected | found if expected.get(name) != found.get(name))
        print(f"{clips} clips: one process {alone:.1f} s, {_WORKERS} workers {seconds:.1f} s, {len(expected)} files")
        print(f"not identical: {', '.join(differing)}" if differing else "identical")
        return not differing


def scaling(sizes: list[int]) -> None:
    """Prints seconds by clips and workers, and the speed relative to linear."""
    print("| clips | workers | s | clips/s | ratio to linear | MB |\n|--:|--:|--:|--:|--:|--:|")
    for clips in sizes:
        options, alone = Options("synthetic", clips=clips, frames=12, size=192), None
        for workers in (1, 2, 3):
            with tempfile.TemporaryDirectory() as folder:
                seconds = on_dask(options, Path(folder) / "set", workers)
                size = sum(shard.size for shard in read_index(Path(folder) / "set").shards) / 1e6
            alone = alone or seconds
            print(
                f"| {clips} | {workers} | {seconds:.1f} | {clips / seconds:.2f} | {alone / seconds / workers:.2f} "
                f"| {size:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["dask", "processes", "scaling"])
    parser.add_argument("--fault", choices=["kill", "memory", "straggler"])
    parser.add_argument("--clips", type=int, default=60)
    given = parser.parse_args()
    if given.what == "scaling":
        scaling([50, 200, 800])
    elif not compare(given.what, given.clips, given.fault):
        sys.exit(1)
