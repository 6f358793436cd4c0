import dataclasses
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data import example_workers
from tf_unseen_pose.data.example_workers import batch_maker, worker_count
from tf_unseen_pose.data.examples import Examples, example_parts
from tf_unseen_pose.data.pairs import Share, pair_batches
from tf_unseen_pose.known_skeletons import PERSON, register_skeleton

# Starts a worker and tells its number; the worker must not outlive it.
PARENT = """
import sys, time
from tf_unseen_pose.config import load_config
from tf_unseen_pose.data import example_workers
from tf_unseen_pose.data.records import ClipDataset

if __name__ == "__main__":
    config = load_config("tiny", ["train.workers=1"])
    dataset = ClipDataset.open(sys.argv[1])
    example_workers.batch_maker(dataset, config, True)
    (worker,) = example_workers._pool(dataset, config.to_json(), True, config.model.body, 1)._processes
    print(worker, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def no_pool_left():
    yield
    example_workers._pool.cache_clear()


@pytest.fixture
def dataset(make_dataset, make_clip):
    return make_dataset([make_clip("slow walk", 6), make_clip("jump", 4)])


@pytest.mark.parametrize(
    ("cores", "setting", "count"),
    [(2, "null", 0), (4, "null", 0), (8, "null", 6), (64, "null", 12), (2, "3", 3), (64, "0", 0)],
)
def test_how_many(monkeypatch, cores, setting, count):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert worker_count(load_config("tiny", [f"train.workers={setting}"])) == count


def test_the_stages_of_a_training_share_decoded_pictures(dataset):
    config, other = (load_config("tiny", ["train.workers=0", *more]) for more in ([], ["data.flip=false"]))
    streams = [batch_maker(dataset, config, True).__self__ for _ in range(2)]
    assert streams[0] is streams[1]
    assert batch_maker(dataset, other, True).__self__ is not streams[0]


def test_a_process_makes_the_same_examples_until_it_is_killed(make_dataset, make_clip, refuses, only_known_here):
    """Also of a skeleton that only this process knows."""
    skeleton = register_skeleton(dataclasses.replace(PERSON, name="hiker"))
    dataset = make_dataset([make_clip(name, 4, skeleton=skeleton) for name in ("slow walk", "jump")])
    config = load_config("tiny", ["train.workers=1", "model.skeleton=hiker"])
    make, here = batch_maker(dataset, config, True), Examples(dataset, config, True)
    for first in (0, 3):
        parts = example_parts(config).items()
        for (name, (kind, _)), one, other in zip(parts, make(first, 3), here.batch(first, 3), strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)
            assert one.dtype == kind
    (worker,) = example_workers._pool(dataset, config.to_json(), True, config.model.body, 1)._processes
    os.kill(worker, signal.SIGKILL)
    refuses(lambda: make(6, 3), "train.workers", "memory")


def test_a_process_does_without_tensorflow(dataset):
    config = load_config("tiny", ["train.workers=1"])
    batch_maker(dataset, config, True)(0, 1)
    pool = example_workers._pool(dataset, config.to_json(), True, config.model.body, 1)
    imported = pool.submit(eval, "set(__import__('sys').modules)").result()
    assert "tf_unseen_pose.data.examples" in imported and imported.isdisjoint({"tensorflow", "keras"})


def test_what_is_wrong_with_the_data_is_said_at_once(dataset, refuses):
    # These clips have no scene: nobody looks alike.
    config = load_config("tiny", ["train.workers=1", "data.across=0.5"])
    refuses(lambda: batch_maker(dataset, config, True), "similar people", "data.across")


def test_a_worker_ends_with_its_parent(dataset, tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    command = [sys.executable, str(tmp_path / "parent.py"), str(dataset.path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(example_workers.__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.kill()
    until = time.monotonic() + 20
    while is_alive(worker) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_alive(worker)


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def settings(workers=0):
    return load_config("tiny", ["train.batch_size=8", "train.seed=5", f"train.workers={workers}"])


def read(dataset, workers=0, **options):
    return list(pair_batches(dataset, settings(workers), **options).as_numpy_iterator())


def assert_same(found, expected):
    for batch, other in zip(found, expected, strict=True):
        assert batch.keys() == other.keys()
        for name in batch:
            np.testing.assert_array_equal(batch[name], other[name], err_msg=name)


@pytest.mark.parametrize("readers", [2, 4])
def test_readers_make_every_example_once(sharded, readers, monkeypatch):
    make, made = Examples.__call__, []

    def noted(self, number):
        made[-1].append(number)
        return make(self, number)

    monkeypatch.setattr(Examples, "__call__", noted)
    for reader in range(readers):
        made.append([])
        read(sharded, first_step=3, steps=2, share=Share(reader, 1, readers))
    assert {len(of_one) for of_one in made} == {16 // readers}
    assert sorted(itertools.chain(*made)) == list(range(24, 40))


@pytest.mark.parametrize("readers", [2, 4])
def test_a_reader_that_stopped_goes_on_with_the_same_batches(sharded, readers):
    for reader in range(readers):
        share = Share(reader, 1, readers)
        assert_same(read(sharded, first_step=2, steps=2, share=share), read(sharded, steps=4, share=share)[2:])


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_processes_go_on_with_the_batches_of_this_one(sharded, workers):
    assert_same(read(sharded, workers, first_step=2, steps=4), read(sharded, steps=6)[2:])
