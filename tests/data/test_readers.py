"""Several readers of a dataset in many shards: what each of them gets, in which order, and in how much memory."""

import itertools
import json
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data import frame_cache
from tf_unseen_pose.data.dataset_index import read_index
from tf_unseen_pose.data.examples import Examples
from tf_unseen_pose.data.pair_choice import PairChoice
from tf_unseen_pose.data.pairs import Share, pair_batches

SHARDS, BATCH = 6, 8


@pytest.fixture
def dataset(make_dataset, make_clip):
    """A clip a shard."""
    dataset = make_dataset([make_clip(f"{i}", 2 + i, 64, 64) for i in range(SHARDS)], shard_limit=1)
    assert len(dataset.index.shards) == SHARDS
    return dataset


def settings(workers=0):
    return load_config("tiny", [f"train.batch_size={BATCH}", "train.seed=5", f"train.workers={workers}"])


def read(dataset, workers=0, **options):
    return list(pair_batches(dataset, settings(workers), **options).as_numpy_iterator())


def assert_same(found, expected):
    for batch, other in zip(found, expected, strict=True):
        assert batch.keys() == other.keys()
        for name in batch:
            np.testing.assert_array_equal(batch[name], other[name], err_msg=name)


@pytest.mark.parametrize("readers", [2, 4])
def test_readers_make_every_example_once(dataset, readers, monkeypatch):
    make, made = Examples.__call__, []

    def noted(self, number):
        made[-1].append(number)
        return make(self, number)

    monkeypatch.setattr(Examples, "__call__", noted)
    for reader in range(readers):
        made.append([])
        read(dataset, first_step=3, steps=2, share=Share(reader, 1, readers))
    assert {len(of_one) for of_one in made} == {2 * BATCH // readers}
    assert sorted(itertools.chain(*made)) == list(range(3 * BATCH, 5 * BATCH))


@pytest.mark.parametrize("readers", [2, 4])
def test_a_reader_that_stopped_goes_on_with_the_same_batches(dataset, readers):
    for reader in range(readers):
        share = Share(reader, 1, readers)
        assert_same(read(dataset, first_step=2, steps=2, share=share), read(dataset, steps=4, share=share)[2:])


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_processes_go_on_with_the_batches_of_this_one(dataset, workers):
    assert_same(read(dataset, workers, first_step=2, steps=4), read(dataset, steps=6)[2:])


def test_shards_are_mixed_as_by_chance(dataset, monkeypatch):
    choose, shards = PairChoice.__call__, []

    def noted(self, number, generator):
        pair = choose(self, number, generator)
        shards.append(dataset.clips[pair.clip].frames[pair.source].shard)
        return pair

    monkeypatch.setattr(PairChoice, "__call__", noted)
    examples = Examples(dataset, settings(), augment=False)
    for number in range(400):
        examples(number)
    # Also one behind the other: no shard follows another more often than chance allows.
    following = np.zeros((SHARDS, SHARDS))
    np.add.at(following, (shards[:-1], shards[1:]), 1)
    for counts in (np.bincount(shards, minlength=SHARDS), following.ravel()):
        assert stats.chisquare(counts).pvalue > 0.01


def test_a_frame_takes_few_bytes_of_the_index(dataset, tmp_path):
    content = json.loads((dataset.path / "dataset.json").read_text())
    kept = []
    for count in (1000, 3000):
        frame = content["clips"][0]["frames"][0]
        content["clips"][0]["frames"] = [frame | {"number": 1000 + number} for number in range(count)]
        (tmp_path / "dataset.json").write_text(json.dumps(content))
        tracemalloc.start()
        index = read_index(tmp_path)
        kept.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(index.clips[0].frames) == count
    # An object with slots has some 90, its four large numbers 32 each.
    assert (kept[1] - kept[0]) / 2000 < 300


def test_examples_leave_nothing_but_cached_pictures(dataset, monkeypatch):
    monkeypatch.setattr(frame_cache, "_CACHE_BYTES", 4 * 64 * 64 * 4)
    examples, used = Examples(dataset, settings(), augment=True), []
    tracemalloc.start()
    for first in (0, 40, 80):
        examples.batch(first, 40)
        used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert abs(used[2] - used[1]) < 2 * 64 * 64 * 4
