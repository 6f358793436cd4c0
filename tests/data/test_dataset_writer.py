import os
import resource

import pytest

from tf_unseen_pose.data import dataset_writer
from tf_unseen_pose.data.clips import Clip
from tf_unseen_pose.data.dataset_writer import DatasetWriter
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.staging import stage_clip

RECIPE = {"inputs": "test"}


@pytest.fixture
def clips(make_clip):
    return [make_clip(f"clip {number}", 2, 64, 64) for number in range(5)]


def write(path, clips, shard_limit=9000):
    """Small shards: two clips each, and one that is left."""
    writer = DatasetWriter(path, "person", RECIPE, shard_limit)
    if not writer.complete:
        for position, clip in enumerate(clips):
            if not writer.has(position):
                add(writer, position, clip)
        writer.finish()


def add(writer, position, clip):
    writer.settle(position, stage_clip(writer.stage, position, clip))


def content(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_clips_stay_whole_and_shards_small(tmp_path, clips):
    write(tmp_path / "set", clips)
    dataset = ClipDataset.open(tmp_path / "set")
    assert [[frame.shard for frame in clip.frames] for clip in dataset.clips] == [
        [0, 0],
        [0, 0],
        [1, 1],
        [1, 1],
        [2, 2],
    ]
    assert [clip.name for clip in dataset.clips] == [clip.name for clip in clips]
    for position, clip in enumerate(clips):
        for index, frame in enumerate(clip.frames()):
            assert dataset.read_frame(position, index).jpeg == frame.jpeg
    assert sorted(content(dataset.path)) == ["dataset.json", *(f"shard-0000{i}.tfrecord" for i in range(3))]


@pytest.mark.parametrize("after", [False, True])
def test_interrupted_at_any_rename_it_goes_on_and_ends_the_same(tmp_path, clips, monkeypatch, after):
    write(tmp_path / "whole", clips)
    expected = content(tmp_path / "whole")
    replace, renames = os.replace, 0

    def interrupting(*paths):
        nonlocal renames
        if after:
            replace(*paths)
        if renames == 0:
            raise KeyboardInterrupt
        renames -= 1
        if not after:
            replace(*paths)

    for count in range(100):
        path, renames = tmp_path / f"{count}", count
        monkeypatch.setattr(dataset_writer.os, "replace", interrupting)
        try:
            write(path, clips)
            finished = True
        except KeyboardInterrupt:
            finished = False
        monkeypatch.setattr(dataset_writer.os, "replace", replace)
        write(path, clips)
        DatasetWriter(path, "person", RECIPE).discard()
        assert content(path) == expected, f"interrupted at rename {count}"
        if finished:
            break
    # plan, two a clip, two a shard, index.
    assert count == 1 + 2 * 5 + 2 * 3 + 1


def test_finished_clips_are_not_read_again_and_leftovers_do_no_harm(tmp_path, clips):
    path = tmp_path / "set"
    write(tmp_path / "whole", clips)
    writer = DatasetWriter(path, "person", RECIPE, 9000)
    for position in range(3):
        add(writer, position, clips[position])
    # What a process leaves that is killed at once.
    for name in ("shard-00001.partial", "dataset.json.partial", ".unfinished/clip-000003.partial"):
        (path / name).write_bytes(b"half")

    def forbidden():
        raise AssertionError("read again")

    write(path, [Clip(clip.name, "", 0, forbidden) for clip in clips[:3]] + clips[3:])
    whole = content(tmp_path / "whole")
    assert {name: data for name, data in content(path).items() if "partial" not in name} == whole


@pytest.mark.parametrize("order", [(4, 3, 2, 1, 0), (1, 3, 0, 2, 4)])
@pytest.mark.parametrize("stopped", range(5))
def test_neither_order_nor_interruption_shows(tmp_path, clips, order, stopped):
    """Clip 2 cannot be used; the rest is staged in another order, by a run that is stopped and one that goes on."""
    whole = DatasetWriter(tmp_path / "whole", "person", RECIPE, 9000)
    for position, clip in enumerate(clips):
        if position != 2:
            add(whole, position, clip)
        else:
            whole.settle(2, None)
    whole.finish({"clip 2": "torn"})
    for part in (order[:stopped], order):
        writer = DatasetWriter(tmp_path / "set", "person", RECIPE, 9000)
        for position in part:
            if position == 2:
                writer.settle(2, None)
            elif not writer.has(position):
                add(writer, position, clips[position])
    index = writer.finish({"clip 2": "torn"})
    assert index.broken == {"clip 2": "torn"} and len(index.shards) == 2
    assert content(tmp_path / "set") == content(tmp_path / "whole")


def test_another_recipe_is_refused(tmp_path, clips, refuses):
    add(DatasetWriter(tmp_path / "begun", "person", RECIPE), 0, clips[0])
    refuses(lambda: DatasetWriter(tmp_path / "begun", "person", {"inputs": "others"}), "begun", "another folder")
    write(tmp_path / "done", clips[:1])
    refuses(lambda: DatasetWriter(tmp_path / "done", "person", {"inputs": "others"}), "done", "another folder")


def test_a_tampered_unfinished_dataset_is_refused(tmp_path, clips, refuses):
    path = tmp_path / "set"
    add(DatasetWriter(path, "person", RECIPE), 0, clips[0])
    file = path / ".unfinished" / "clip-000000.tfrecord"
    file.write_bytes(file.read_bytes()[:-1])
    refuses(lambda: DatasetWriter(path, "person", RECIPE), file.name, "prepare")
    file.with_suffix(".json").write_text("{}")
    refuses(lambda: DatasetWriter(path, "person", RECIPE), path, "delete")


def test_a_folder_that_cannot_be_written(tmp_path, clips, refuses):
    (tmp_path / "file").write_text("")
    refuses(lambda: DatasetWriter(tmp_path / "file" / "set", "person", RECIPE), tmp_path / "file", "Cannot write")


@pytest.mark.parametrize("limit", [1000, 7000])
def test_a_full_disk(tmp_path, clips, refuses, limit):
    # A limit on file sizes makes the system refuse to write, as a full disk does: first a clip, then a shard.
    writer = DatasetWriter(tmp_path / "set", "person", RECIPE, 9000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        refuses(lambda: [add(writer, position, clip) for position, clip in enumerate(clips)], "Cannot write")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.rglob("*.partial"))
    write(tmp_path / "set", clips)
    write(tmp_path / "whole", clips)
    assert content(tmp_path / "set") == content(tmp_path / "whole")
