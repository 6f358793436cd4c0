"""How often pairs of each kind are chosen, and that what is not asked for changes no choice."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tf_unseen_pose.config import DataConfig
from tf_unseen_pose.data.pair_choice import PairChoice, find_pairs


@pytest.fixture
def dataset(make_dataset, make_clip):
    """Eight pairs of photographs, two clips of avatars and one video."""
    kinds = [*[("pairs", 2, 0.0)] * 8, *[("avatars", 3, 0.0)] * 2, ("video", 5, 10.0)]
    clips = [make_clip(f"{i}", frames, 64, 64, fps=fps, format=name) for i, (name, frames, fps) in enumerate(kinds)]
    return make_dataset([*clips, make_clip("of unknown origin", 2, 64, 64, fps=0.0)])


def chosen(dataset, count, **config):
    choose = PairChoice(dataset, DataConfig(**config))
    pairs = [choose(number, np.random.default_rng([7, number])) for number in range(count)]
    return pairs, np.array([dataset.clips[pair.clip].format for pair in pairs])


def test_every_batch_has_its_shares(dataset):
    shares = {"avatars": 0.4, "video": 0.15}
    _, formats = chosen(dataset, 3200, shares=shares)
    for name, share in shares.items():
        of_batches = (formats == name).reshape(-1, 16).sum(axis=1)
        assert abs(of_batches.mean() / 16 - share) < 0.005 and np.abs(of_batches - 16 * share).max() < 2.1
    # Photographs are at least half of every batch; clips of one share, and of none, are equally likely.
    assert (formats != "avatars").reshape(-1, 16).sum(axis=1).min() >= 8
    pairs, _ = chosen(dataset, 3200, shares=shares)
    counts = np.bincount([pair.clip for pair in pairs], minlength=12)
    assert counts[[*range(8), 11]].min() > 120 and counts[[*range(8), 11]].max() < 200 and min(counts[8:10]) > 560


def test_without_others_the_shares_are_all(make_dataset, make_clip):
    clips = [make_clip(name, 2, 64, 64, format=name) for name in ("avatars", "pairs", "video")]
    dataset = make_dataset(clips)
    _, formats = chosen(dataset, 400, shares={"avatars": 0.2, "pairs": 0.6, "video": 0})
    assert [(formats == name).sum() for name in ("avatars", "pairs", "video")] == [100, 300, 0]


def test_still_and_slow_pairs(dataset):
    pairs, formats = chosen(dataset, 4000, identity=0.05, neighbours=0.1)
    same = np.array([pair.source == pair.target for pair in pairs])
    near = np.array([pair.near and pair.source != pair.target for pair in pairs])
    assert abs(same.mean() - 0.05) < 0.01 and abs(near.mean() - 0.1) < 0.015
    assert set(formats[near]) == {"video"} and len(set(formats[same])) == 4
    steps = {(pair.source, pair.target) for pair, slow in zip(pairs, near, strict=True) if slow}
    assert steps == {(i, j) for i in range(5) for j in range(5) if abs(i - j) == 1}
    assert all(pair.near for pair, still in zip(pairs, same, strict=True) if still)


def test_what_is_not_asked_for_draws_nothing(dataset):
    """The draws of before shares, identity and neighbours: one of all clips, then one of its pairs."""
    found = find_pairs(dataset, 0.02)
    for number, pair in enumerate(chosen(dataset, 40)[0]):
        generator = np.random.default_rng([7, number])
        pairs = found[generator.integers(len(found))]
        assert pair == (pairs.clip, *pairs.choose(generator), False)


def test_what_cannot_be_chosen_is_refused(dataset, make_dataset, make_clip, refuses):
    refuses(lambda: chosen(dataset, 0, shares={"posewarp": 0.1}), "'posewarp'", "avatars, pairs, video", "posewarp=0")
    stills = make_dataset([replace(make_clip("a", 2, 64, 64, fps=0.0), format="pairs")], "stills")
    refuses(lambda: chosen(stills, 0, neighbours=0.1), "video", "data.neighbours", "0")
    refuses(lambda: chosen(stills, 0, shares={"pairs": 0}), "leaves nothing", "stills")


def test_shards_are_mixed_as_by_chance(sharded):
    choose = PairChoice(sharded, DataConfig())
    pairs = [choose(number, np.random.default_rng([7, number])) for number in range(400)]
    shards = [sharded.clips[pair.clip].frames[pair.source].shard for pair in pairs]
    # Also one behind the other: no shard follows another more often than chance allows.
    following = np.zeros((6, 6))
    np.add.at(following, (shards[:-1], shards[1:]), 1)
    for counts in (np.bincount(shards, minlength=6), following.ravel()):
        assert stats.chisquare(counts).pvalue > 0.01
