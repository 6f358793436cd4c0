import os
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import scipy.io

from tf_unseen_pose.data import plan
from tf_unseen_pose.data import prepare as module
from tf_unseen_pose.data.clips import encode_picture
from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.summary_page import PAGE_NAME
from tf_unseen_pose.data.synthetic import ACTIONS, synthetic_clip
from tf_unseen_pose.known_skeletons import GOLF

SMALL = {"clips": 3, "frames": 3, "size": 48}


def content(path):
    """Every file but the page, which shows the folder's name."""
    return {file.name: file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != PAGE_NAME}


@pytest.fixture
def posewarp_root(tmp_path, make_picture, standing):
    """Three clips: a good one that lacks a picture, one with a torn .mat, one of a single frame."""
    root = tmp_path / "authors"
    (root / "info").mkdir(parents=True)
    for name, frames in (("good", 4), ("short", 1), ("torn", 3)):
        points = np.repeat(standing[:, :2, None] + 1, frames, axis=2)
        scipy.io.savemat(root / "info" / f"{name}.mat", {"data": {"X": points, "bbox": np.ones((frames, 4))}})
        (root / "frames" / name).mkdir(parents=True)
        for number in range(1, frames + 1):
            data = encode_picture(make_picture(number, 240, 200), "JPEG")
            (root / "frames" / name / f"{number}.jpg").write_bytes(data)
    (root / "info" / "torn.mat").write_bytes(b"torn")
    (root / "frames" / "good" / "3.jpg").unlink()
    return root


def test_synthetic_clips_are_drawn_as_asked(tmp_path, decode):
    summary = prepare([], tmp_path / "set", Options("synthetic", seed=4, **SMALL), progress=False)
    assert (summary.clips, summary.frames, summary.broken, summary.rejected) == (3, 9, {}, {})
    dataset = ClipDataset.open(tmp_path / "set")
    assert [clip.action for clip in dataset.clips] == list(ACTIONS[:3])
    seed = int(np.random.SeedSequence([4, 1]).generate_state(1)[0])
    drawn = list(synthetic_clip(seed, 3, 48, 48, ACTIONS[1]))
    frame = dataset.read_frame(1, 2)
    np.testing.assert_array_equal(frame.joints, drawn[2].joints)
    np.testing.assert_array_equal(decode(frame.mask_png), drawn[2].mask)
    assert np.abs(decode(frame.jpeg).astype(int) - drawn[2].image).mean() < 6


def test_synthetic_seed_and_action(tmp_path):
    for name, seed in (("one", 1), ("same", 1), ("two", 2)):
        options = Options("synthetic", seed=seed, action=ACTIONS[-1], **SMALL)
        prepare([], tmp_path / name, options, progress=False)
    one, same, two = (content(tmp_path / name) for name in ("one", "same", "two"))
    assert one == same and one["shard-00000.tfrecord"] != two["shard-00000.tfrecord"]
    assert {clip.action for clip in ClipDataset.open(tmp_path / "one").clips} == {ACTIONS[-1]}


def test_datasets_are_put_together_and_keep_their_splits(tmp_path):
    for name, action in (("one", ACTIONS[0]), ("two", ACTIONS[1])):
        options = Options("synthetic", action=action, validation=0.4, **SMALL)
        prepare([], tmp_path / name, options, progress=False)
    parts = [tmp_path / name for name in ("one", "two")]
    prepare(parts, tmp_path / "both", Options("dataset", validation=0.9), progress=False)
    both, two = ClipDataset.open(tmp_path / "both"), ClipDataset.open(tmp_path / "two")
    assert [clip.name for clip in both.clips[2:4]] == ["one-synthetic-0002", "two-synthetic-0000"]
    assert [clip.split for clip in both.clips[3:]] == [clip.split for clip in two.clips]
    assert {clip.split for clip in two.clips} == {"train", "validation"}
    frame, original = both.read_frame(4, 2), two.read_frame(1, 2)
    assert (frame.jpeg, frame.mask_png, frame.number) == (original.jpeg, original.mask_png, original.number)
    np.testing.assert_array_equal(frame.joints, original.joints)


def test_golfers_datasets(tmp_path, refuses):
    small = {"clips": 1, "frames": 2, "size": 64}
    for name, skeleton, seed in (("a", "golf", 1), ("b", "golf", 2), ("c", "person", 1)):
        prepare([], tmp_path / name, Options("synthetic", skeleton=skeleton, seed=seed, **small), progress=False)
    prepare([tmp_path / "a", tmp_path / "b"], tmp_path / "ab", Options("dataset"), progress=False)
    both = ClipDataset.open(tmp_path / "ab")
    assert both.skeleton == GOLF and not both.left_out and both.read_frame(1, 1).joints.shape == (16, 3)
    np.testing.assert_array_equal(
        both.read_frame(1, 1).joints, ClipDataset.open(tmp_path / "b").read_frame(0, 1).joints
    )
    mixed = [tmp_path / "a", tmp_path / "c"]
    refuses(lambda: prepare(mixed, tmp_path / "no", Options("dataset"), progress=False), "'person'", "'golf'", "one")
    other = Options("synthetic", seed=1, **small)
    refuses(lambda: prepare([], tmp_path / "a", other, progress=False), "something else")


def test_scenes_and_people_of_several_datasets_stay_apart(make_dataset, make_clip, tmp_path):
    for name in ("one", "two"):
        make_dataset([make_clip("walk", 2, scene="3", person="ann"), make_clip("run", 2)], name)
    for inputs in (["one"], ["one", "two"]):
        output = tmp_path / "-".join(["set", *inputs])
        prepare([tmp_path / name for name in inputs], output, Options("dataset"), progress=False)
    alone, both = (ClipDataset.open(tmp_path / name).clips for name in ("set-one", "set-one-two"))
    assert [(clip.name, clip.scene, clip.person) for clip in alone] == [("walk", "3", "ann"), ("run", "", "run")]
    assert [(clip.name, clip.scene, clip.person) for clip in both] == [
        ("one-walk", "one-3", "one-ann"), ("one-run", "", "one-run"),
        ("two-walk", "two-3", "two-ann"), ("two-run", "", "two-run"),
    ]  # fmt: skip


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    prepare([], tmp_path / "whole", Options("synthetic", **SMALL), progress=False)
    drawn = []

    def interrupted(seed, *arguments):
        for index, frame in enumerate(synthetic_clip(seed, *arguments)):
            if len(drawn) == 4:
                raise KeyboardInterrupt
            drawn.append((seed, index))
            yield frame

    monkeypatch.setattr(plan, "synthetic_clip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare([], tmp_path / "set", Options("synthetic", **SMALL), progress=False)
    assert not (tmp_path / "set" / "dataset.json").exists()
    again = []

    def counted(seed, *arguments):
        for frame in synthetic_clip(seed, *arguments):
            again.append(seed)
            yield frame

    monkeypatch.setattr(plan, "synthetic_clip", counted)
    summary = prepare([], tmp_path / "set", Options("synthetic", **SMALL), progress=False)
    assert content(tmp_path / "set") == content(tmp_path / "whole")
    assert summary.clips == 3 and not summary.was_complete
    assert len(again) == 6 and drawn[0][0] not in again
    assert prepare([], tmp_path / "set", Options("synthetic", **SMALL), progress=False).was_complete


def test_other_options_do_not_mix_with_what_is_there(tmp_path, refuses):
    prepare([], tmp_path / "set", Options("synthetic", **SMALL), progress=False)
    before = content(tmp_path / "set")
    other = Options("synthetic", seed=1, **SMALL)
    refuses(lambda: prepare([], tmp_path / "set", other, progress=False), tmp_path / "set", "another folder")
    assert content(tmp_path / "set") == before


def test_unusable_clips_are_skipped_and_reported(posewarp_root, tmp_path, caplog):
    summary = prepare([posewarp_root], tmp_path / "set", Options("posewarp", action="serve"))
    assert (summary.clips, summary.frames) == (1, 3)
    assert list(summary.broken) == ["short", "torn"]
    assert "too few usable frames (1" in summary.broken["short"] and "torn.mat" in summary.broken["torn"]
    assert summary.rejected == {"no picture": 1}
    for words in ("short: skipped", "torn: skipped", "good: 1 frame left out, no picture"):
        assert words in caplog.text
    (clip,) = ClipDataset.open(tmp_path / "set").clips
    assert (clip.name, clip.action) == ("good", "serve") and [frame.number for frame in clip.frames] == [1, 2, 4]


def test_frames_without_a_person_are_left_out(posewarp_root, tmp_path, standing):
    points = np.repeat(standing[:, :2, None], 4, axis=2)
    points[1:, :, 0] = np.nan
    points[:, :, 1] = 7
    scipy.io.savemat(posewarp_root / "info" / "good.mat", {"data": {"X": points}})
    (posewarp_root / "frames" / "good" / "3.jpg").write_bytes(encode_picture(np.zeros((9, 9, 3), np.uint8), "JPEG"))
    summary = prepare([posewarp_root], tmp_path / "set", Options("posewarp", only=("good",)), progress=False)
    assert summary.frames == 2 and summary.rejected == {"fewer than 2 joints": 2}


def test_nothing_usable_leaves_nothing(posewarp_root, tmp_path, refuses):
    refuses(
        lambda: prepare([posewarp_root], tmp_path / "set", Options("posewarp", only=("torn", "short")), progress=False),
        "No clip of 2", "'short'",
    )  # fmt: skip
    assert not (tmp_path / "set").exists()


def test_max_side_shrinks_pictures_and_joints(posewarp_root, tmp_path, standing):
    prepare([posewarp_root], tmp_path / "set", Options("posewarp", only=("good",), max_side=120), progress=False)
    dataset = ClipDataset.open(tmp_path / "set")
    entry = dataset.clips[0].frames[0]
    assert (entry.width, entry.height) == (100, 120)
    joints = dataset.read_frame(0, 0).joints
    np.testing.assert_allclose(joints[:, :2], (standing[:, :2] + 0.5) / 2 - 0.5, atol=1e-4)


def test_a_worker_that_dies_is_reported_and_what_was_done_is_kept(tmp_path, monkeypatch, refuses):
    options = Options("synthetic", **SMALL)
    good = plan.plan_clips([], options)
    deadly = [*good[:2], replace(good[2], frames=partial(os._exit, 9))]
    monkeypatch.setattr(module, "plan_clips", lambda inputs, options: deadly)
    refuses(lambda: prepare([], tmp_path / "set", options, workers=2, progress=False), "was killed", "--workers")
    monkeypatch.undo()
    prepare([], tmp_path / "set", options, progress=False)
    prepare([], tmp_path / "whole", options, progress=False)
    assert content(tmp_path / "set") == content(tmp_path / "whole")


def test_users_mistakes(posewarp_root, tmp_path, refuses):
    output = tmp_path / "set"

    def call(inputs, format="posewarp", **options):
        return lambda: prepare(inputs, output, Options(format, **options), progress=False)

    refuses(call([]), "needs something")
    refuses(call([tmp_path / "nowhere"]), "nowhere")
    refuses(call([tmp_path / "nowhere"], "pairs"), "index.json")
    refuses(call([posewarp_root], "film"), "'film'", "posewarp")
    refuses(call([posewarp_root], "synthetic"), "reads nothing")
    refuses(call([posewarp_root], max_side=0), "0 pixels")
    refuses(call([posewarp_root], "dataset"), "dataset.json")
    refuses(call([posewarp_root], "dataset", max_side=64), "keep their size")
    refuses(call([posewarp_root], only=("absent",)), "'absent'", "'good'")
    refuses(call([posewarp_root, posewarp_root]), "Two clips", "rename")
    refuses(call([], "synthetic", clips=0), "at least one clip")
    refuses(call([], "synthetic", action="juggle"), "juggle")
    refuses(call([], "synthetic", size=4), "small")
    refuses(call([], "synthetic", skeleton="octopus"), "'octopus'", "golf")
    refuses(call([], "synthetic", skeleton="golf", action="dance"), "'golf'", "'dance'")
    refuses(call([posewarp_root], skeleton="golf"), "leave out --skeleton")
    assert not output.exists()


def test_sample_data(shared, tmp_path):
    tennis = shared / "data" / "posewarp_sample" / "train"
    summary = prepare([tennis], tmp_path / "tennis", Options("posewarp"), progress=False)
    assert (summary.clips, summary.frames, summary.broken) == (1, 8, {})
    names = ("3_4_Sit-Up", "Bench_Jump")
    summary = prepare(
        [shared / "data" / "exercise_pairs"],
        tmp_path / "pairs",
        Options("pairs", only=names, max_side=256),
        progress=False,
    )
    assert (summary.clips, summary.frames, summary.broken) == (2, 4, {})
    for clip in ClipDataset.open(tmp_path / "pairs").clips:
        assert clip.name in names and clip.scene and all(max(f.width, f.height) == 256 for f in clip.frames)
