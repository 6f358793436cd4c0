"""Several processes on the loopback that train together, as several machines would."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from small_networks import TINY

from tf_unseen_pose.config import load_config
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.training.fit import train
from tf_unseen_pose.training.replicas import training_strategy
from tf_unseen_pose.training.run import Run

ROOT = Path(__file__).parents[2]
# Adam would blow up the rounding errors by which sums of two machines differ.
PLAIN = [
    *TINY, "train.batch_size=4", "train.log_every=4", "train.checkpoint_every=4", "train.optimizer=sgd",
    "train.stages.0.learning_rate=0.02",
]  # fmt: skip


@pytest.fixture
def cluster():
    """Two free addresses; the processes that a test leaves behind are ended."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for held in sockets:
            held.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{held.getsockname()[1]}" for held in sockets]
    processes = []

    def start(index, data, run, *settings):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = os.environ | {"TF_CONFIG": json.dumps(task), "TF_CPP_MIN_LOG_LEVEL": "2"}
        command = [sys.executable, "-m", "tf_unseen_pose", "train", "--config", "tiny"]
        command += ["--data", str(data), "--run", str(run), *(f"--set={setting}" for setting in settings)]
        with open(run.with_suffix(f".{index}.log"), "ab") as log:
            processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def assert_same_run(one, other):
    for a, b in zip(*(Run.open(path).load_generator().get_weights() for path in (one, other)), strict=True):
        np.testing.assert_allclose(a, b, atol=5e-5)


def finished(process, run, index):
    try:
        code = process.wait(240)
    except subprocess.TimeoutExpired:
        code = None
    assert code == 0, run.with_suffix(f".{index}.log").read_text()[-3000:]


def wait_for_checkpoint(run, after):
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if (run / "config.json").exists() and (reached := Run.open(run).steps_done) > after:
            return reached
        time.sleep(0.1)
    raise TimeoutError("no further checkpoint")


@pytest.mark.older_stack
def test_two_workers_take_the_steps_of_one_process_though_each_is_killed_and_comes_back(
    tmp_path, dataset_path, cluster
):
    settings = [*PLAIN, "train.stages.0.steps=80", "train.accumulate=2"]
    run, reached = tmp_path / "run", 0
    workers = [cluster(index, dataset_path, run, *settings) for index in range(2)]
    for killed in (1, 0):
        reached = wait_for_checkpoint(run, reached)
        workers[killed].send_signal(signal.SIGKILL)
        workers[killed].wait()
        assert Run.open(run).steps_done < 80
        workers[killed] = cluster(killed, dataset_path, run, *settings)
    for index, worker in enumerate(workers):
        finished(worker, run, index)
    assert Run.open(run).steps_done == 80
    undisturbed = train(dataset_path, tmp_path / "one", load_config("tiny", settings), progress=False)
    assert_same_run(undisturbed.path, run)


def test_machines_with_gpus_exchange_gradients_by_nccl(monkeypatch):
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    monkeypatch.setattr(
        tf.distribute, "MultiWorkerMirroredStrategy", lambda communication_options: communication_options
    )
    for gpus, kind in (["GPU:0"], "NCCL"), ([], "RING"):
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind, gpus=gpus: gpus)
        assert training_strategy().implementation.value == kind


def test_a_wrong_cluster_is_refused(monkeypatch):
    for text in ("{", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}'):
        monkeypatch.setenv("TF_CONFIG", text)
        with pytest.raises(UserError, match="TF_CONFIG does not describe a cluster"):
            training_strategy()
