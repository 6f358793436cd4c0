from collections import Counter
from types import SimpleNamespace

import pytest

from tf_unseen_pose.data.dataset_index import ClipEntry, FrameEntry
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation import evaluation_pairs


def clip(name, numbers, action="walk", fps=25.0, split="validation"):
    frames = [
        FrameEntry(shard=0, offset=0, length=0, number=number, width=9, height=9, has_mask=True) for number in numbers
    ]
    return ClipEntry(name=name, action=action, fps=fps, scene="", split=split, frames=tuple(frames))


def dataset(*clips):
    return SimpleNamespace(path="data/some", clips=clips)


def test_pairs_are_spread_evenly_and_all_different():
    data = dataset(clip("long", range(40)), clip("short", [0, 7]), clip("middle", range(5)))
    found = evaluation_pairs.pairs_within(data, [0, 1, 2], 30, seed=0, min_gap=0.02)
    # The short clip has two pairs; what it cannot give, the others share.
    assert Counter(pair.source_clip for pair in found) == {0: 14, 1: 2, 2: 14}
    assert len(set(found)) == 30 and found == sorted(found)
    assert all(pair.source_clip == pair.target_clip and pair.source_frame != pair.target_frame for pair in found)
    assert found == evaluation_pairs.pairs_within(data, [0, 1, 2], 30, seed=0, min_gap=0.02)
    assert found != evaluation_pairs.pairs_within(data, [0, 1, 2], 30, seed=1, min_gap=0.02)


def test_all_pairs_are_taken_where_there_are_few():
    data = dataset(clip("one", [3, 4, 9]), clip("single", [5]))
    found = evaluation_pairs.pairs_within(data, [0, 1], 100, seed=0, min_gap=0.2)
    # 3 and 4 lie nearer than a fifth of the span (1.2 frames).
    assert {(pair.source_frame, pair.target_frame) for pair in found} == {(0, 2), (2, 0), (1, 2), (2, 1)}


def test_fewer_pairs_than_clips_come_from_different_clips():
    data = dataset(*(clip(str(i), range(3)) for i in range(9)))
    found = evaluation_pairs.pairs_within(data, range(9), 4, seed=2, min_gap=0)
    assert len({pair.source_clip for pair in found}) == 4


def test_the_pairs_of_a_clip_do_not_depend_on_the_others():
    data = dataset(clip("a", range(30)), clip("b", range(30)))
    alone = evaluation_pairs.pairs_within(data, [1], 5, seed=3, min_gap=0)
    both = evaluation_pairs.pairs_within(data, [0, 1], 10, seed=3, min_gap=0)
    assert alone == [pair for pair in both if pair.source_clip == 1]


def test_even_shares():
    assert evaluation_pairs.even_shares([5, 1, 5], 8) == [4, 1, 3]
    assert evaluation_pairs.even_shares([1, 1], 8) == [1, 1]
    assert evaluation_pairs.even_shares([3, 3, 3], 2) == [1, 1, 0]


def test_splits_and_what_is_refused():
    data = dataset(clip("a", range(3), split="train"), clip("b", range(3)), clip("c", range(3), split="train"))
    assert evaluation_pairs.clips_of_split(data, "validation") == [1]
    assert evaluation_pairs.clips_of_split(data, "train") == [0, 2]
    assert evaluation_pairs.clips_of_split(data, "all") == [0, 1, 2]
    with pytest.raises(UserError, match="data/some has no clip for validation; .*--split train"):
        evaluation_pairs.clips_of_split(dataset(data.clips[0]), "validation")
    with pytest.raises(UserError, match="no clip for train"):
        evaluation_pairs.clips_of_split(dataset(data.clips[1]), "train")
    with pytest.raises(UserError, match="two frames"):
        evaluation_pairs.pairs_within(dataset(clip("a", [3])), [0], 5, 0, 0.02)


def test_across_goes_from_one_action_to_another():
    data = dataset(
        clip("a", range(6), "walk"), clip("b", range(4), "kick"), clip("c", range(5), "walk"), clip("d", range(5), "")
    )
    found = evaluation_pairs.pairs_across(data, range(4), 30, seed=0)
    action = [entry.action for entry in data.clips]
    assert 20 < len(found) <= 30 and found == sorted(set(found))
    assert {(action[pair.source_clip], action[pair.target_clip]) for pair in found} == {
        ("walk", "kick"), ("kick", "walk"),
    }  # fmt: skip
    assert {pair.source_clip for pair in found} == {0, 1, 2}
    assert all(pair.target_frame < len(data.clips[pair.target_clip].frames) for pair in found)
    assert (
        found
        == evaluation_pairs.pairs_across(data, range(4), 30, seed=0)
        != evaluation_pairs.pairs_across(data, range(4), 30, seed=1)
    )
    with pytest.raises(UserError, match="1 named action;"):
        evaluation_pairs.pairs_across(data, [0, 2, 3], 5, 0)
    with pytest.raises(UserError, match="0 named actions;"):
        evaluation_pairs.pairs_across(data, [3], 5, 0)


def test_sequences_are_runs_without_gaps():
    data = dataset(
        clip("gap", [0, 2, 3, 4, 5, 9, 10]),
        clip("stills", range(9), fps=0.0),
        clip("long", range(0, 80, 2)),
        clip("scattered", [0, 1, 7, 8, 20]),
    )
    gap, long = evaluation_pairs.sequences(data, range(4), 9, seed=0)
    # 10 is the furthest from the run's middle.
    assert gap == evaluation_pairs.PairSequence(0, 6, (1, 2, 3, 4))
    assert long == evaluation_pairs.PairSequence(2, 39, tuple(range(16)))
    assert len(evaluation_pairs.sequences(data, range(4), 1, seed=0)) == 1
