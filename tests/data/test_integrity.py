import hashlib
import json

import numpy as np
import pytest
import scipy.io
import tensorflow as tf

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.clips import encode_picture
from tf_unseen_pose.data.pair_choice import find_pairs
from tf_unseen_pose.data.pairs import pair_batches
from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.records import ClipDataset


def rewrite(dataset, change):
    """Writes the dataset anew as somebody's own program might, so that shard and index agree, whatever is in them.

    Args:
        change: called with the clip's and the record's position (a background's is the last) and the Example, which it
            may alter; may return other bytes to be written instead.
    """
    index = json.loads((dataset.path / "dataset.json").read_text())
    file = dataset.path / index["shards"][0]["file"]
    records = []
    for c, clip in enumerate(index["clips"]):
        for f, entry in enumerate([*clip["frames"], *filter(None, [clip["background"]])]):
            example = tf.train.Example.FromString(dataset._record(dataset.clips[c].records[f]))
            data = change(c, f, example)
            records.append(data if isinstance(data, bytes) else example.SerializeToString())
            entry.update(offset=sum(len(record) + 16 for record in records[:-1]), length=len(records[-1]))
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in records:
            writer.write(record)
    publish(dataset.path, index)


def publish(path, index):
    """Brings the shard's size and checksum in the index up to date."""
    whole = (path / index["shards"][0]["file"]).read_bytes()
    index["shards"][0].update(size=len(whole), sha256=hashlib.sha256(whole).hexdigest())
    (path / "dataset.json").write_text(json.dumps(index))


def set_numbers(example, name, values):
    del example.features.feature[name].float_list.value[:]
    example.features.feature[name].float_list.value.extend(np.ravel(values))


def joints_of(example):
    return np.array(example.features.feature["joints"].float_list.value, np.float32).reshape(14, 3)


def visible_nan(example):
    joints = joints_of(example)
    joints[5, 1] = np.nan
    set_numbers(example, "joints", joints)


def infinite(example):
    joints = joints_of(example)
    joints[13, 0] = -np.inf
    set_numbers(example, "joints", joints)


def unknown_visibility(example):
    joints = joints_of(example)
    joints[2, 2] = np.nan
    set_numbers(example, "joints", joints)


def one_point(example):
    set_numbers(example, "joints", np.tile(np.float32([30, 40, 1]), (14, 1)))


def thirteen(example):
    set_numbers(example, "joints", joints_of(example)[:13])


def one_number_more(example):
    example.features.feature["joints"].float_list.value.append(1)


def wild_box(example):
    set_numbers(example, "box", [10, 20, np.inf, 50])


def half_a_box(example):
    set_numbers(example, "box", [10, 20])


def text_for_a_picture(example):
    example.features.feature["image"].bytes_list.value[0] = b"see attachment"


def no_picture(example):
    del example.features.feature["image"]


def other_size(example):
    example.features.feature["image"].bytes_list.value[0] = encode_picture(np.zeros((200, 240, 3), np.uint8), "JPEG")


def other_mask(example):
    example.features.feature["mask"].bytes_list.value[0] = encode_picture(np.zeros((240, 100), np.uint8), "PNG")


def no_example(example):
    return b"\xff\xff\xff"


@pytest.mark.parametrize(
    "spoil, reason",
    [
        (visible_nan, "joints or a box that are not finite"),
        (infinite, "joints or a box that are not finite"),
        (unknown_visibility, "joints or a box that are not finite"),
        (wild_box, "joints or a box that are not finite"),
        (one_point, "fewer than 2 joints"),
        (thirteen, "39 numbers for joints instead of 42"),
        (one_number_more, "43 numbers for joints instead of 42"),
        (half_a_box, "a box of 2 numbers instead of 4"),
        (text_for_a_picture, "no readable picture"),
        (no_picture, "no readable picture"),
        (other_size, "a picture, mask or limb map of another size than the index says"),
        (other_mask, "a picture, mask or limb map of another size than the index says"),
        (no_example, "a record that is no tf.train.Example"),
    ],
)
def test_a_frame_that_cannot_be_used_is_left_out_and_counted(make_dataset, make_clip, caplog, spoil, reason):
    whole = make_dataset([make_clip("first", 3), make_clip("second", 4)])
    assert not caplog.messages and whole.left_out == {}
    rewrite(whole, lambda c, f, example: spoil(example) if (c, f) == (1, 2) else None)
    dataset = ClipDataset.open(whole.path)
    assert caplog.messages == [f"{whole.path}: 1 of 7 frames left out: 1 of 'second' with {reason}."]
    assert dataset.left_out == {"second": {reason: 1}}
    assert [[frame.number for frame in clip.frames] for clip in dataset.clips] == [[0, 1, 2], [0, 1, 3]]
    assert [dataset.read_frame(1, frame).number for frame in range(3)] == [0, 1, 3]


def test_limb_maps_and_backgrounds_are_of_their_frames_size(avatars_dataset):
    """A clip whose background lies on nothing is not used; records behind a clip's frames are its background."""

    def spoil(clip, frame, example):
        if (clip, frame) == (0, 1):
            example.features.feature["limbs"].bytes_list.value[0] = encode_picture(np.zeros((9, 9), np.uint8), "PNG")
        if (clip, frame) == (1, 3):
            picture = encode_picture(np.zeros((200, 240, 3), np.uint8), "JPEG")
            example.features.feature["background"].bytes_list.value[0] = picture

    rewrite(avatars_dataset, spoil)
    dataset = ClipDataset.open(avatars_dataset.path)
    assert dataset.left_out == {
        "clip 0": {"a picture, mask or limb map of another size than the index says": 1},
        "clip 1": {"a background that is no picture of their size": 3},
    }
    assert [(clip.name, len(clip.frames)) for clip in dataset.clips] == [("clip 0", 2)]


def test_nothing_bad_reaches_training(make_dataset, make_clip):
    """Of three clips one keeps no frame and one a single one: pairs come from the third alone, and all are finite."""
    whole = make_dataset([make_clip("a", 3), make_clip("b", 3), make_clip("c", 5)])
    rewrite(whole, lambda c, f, example: visible_nan(example) if c == 0 or (c, f) in [(1, 0), (1, 2), (2, 3)] else None)
    dataset = ClipDataset.open(whole.path)
    assert [(clip.name, len(clip.frames)) for clip in dataset.clips] == [("b", 1), ("c", 4)]
    assert [dataset.clips[pairs.clip].name for pairs in find_pairs(dataset, 0.02)] == ["c"]
    config = load_config("tiny", ["train.batch_size=8"])
    for batch in pair_batches(dataset, config, steps=4):
        assert all(np.isfinite(values).all() for values in batch.values())


def test_an_absent_joint_may_have_any_place(make_dataset, make_clip, caplog):
    def absent(_, __, example):
        joints = joints_of(example)
        joints[4] = [np.nan, np.inf, 0]
        set_numbers(example, "joints", joints)

    whole = make_dataset([make_clip("a", 3)])
    rewrite(whole, absent)
    assert ClipDataset.open(whole.path).left_out == {} and not caplog.messages


def test_of_many_clips_some_are_named(make_dataset, make_clip, caplog):
    whole = make_dataset([make_clip(f"clip {i}", 2) for i in range(8)])
    rewrite(whole, lambda c, f, example: (visible_nan if f else thirteen)(example) if c else None)
    ClipDataset.open(whole.path)
    (said,) = caplog.messages
    assert ": 14 of 16 frames left out: 1 of 'clip 1' with 39 numbers" in said
    assert "1 of 'clip 5' with joints" in said and "clip 6" not in said and "and more of 2 other clips." in said


def test_a_dataset_of_bad_frames_alone_is_refused(make_dataset, make_clip, refuses):
    whole = make_dataset([make_clip("a", 2), make_clip("b", 1)])
    rewrite(whole, lambda c, f, example: infinite(example))
    words = ("No frame of 3", whole.path, "frame 0 of 'a' has joints", "not finite", "prepare")
    refuses(lambda: ClipDataset.open(whole.path), *words)


def test_a_record_whose_own_checksum_is_wrong(make_dataset, make_clip, refuses):
    """The shard's checksum is right: it was taken after the damage."""
    whole = make_dataset([make_clip("a", 3)])
    index = json.loads((whole.path / "dataset.json").read_text())
    shard = whole.path / "shard-00000.tfrecord"
    data, entry = bytearray(shard.read_bytes()), index["clips"][0]["frames"][1]
    data[entry["offset"] + 12 + entry["length"] // 2] ^= 4
    shard.write_bytes(data)
    publish(whole.path, index)
    refuses(lambda: ClipDataset.open(whole.path), f"record at byte {entry['offset']}", shard, "damaged", "prepare")


def test_an_index_that_points_between_records(make_dataset, make_clip, refuses):
    whole = make_dataset([make_clip("a", 3)])
    text = (whole.path / "dataset.json").read_text()
    for key, step in (("offset", 1), ("length", -1)):
        index = json.loads(text)
        index["clips"][0]["frames"][1][key] += step
        publish(whole.path, index)
        refuses(lambda: ClipDataset.open(whole.path), "shard-00000.tfrecord", "other records", "prepare")


def test_records_that_the_index_leaves_out_do_no_harm(make_dataset, make_clip):
    whole = make_dataset([make_clip("a", 4)])
    index = json.loads((whole.path / "dataset.json").read_text())
    del index["clips"][0]["frames"][1]
    publish(whole.path, index)
    dataset = ClipDataset.open(whole.path)
    assert [dataset.read_frame(0, frame).number for frame in range(3)] == [0, 2, 3]


def test_a_picture_damaged_behind_its_header_is_named_while_training(make_dataset, make_clip):
    whole = make_dataset([make_clip("a", 2)])

    def cut(_, frame, example):
        if frame == 1:
            picture = example.features.feature["image"].bytes_list.value
            picture[0] = picture[0][:700]

    rewrite(whole, cut)
    stream = pair_batches(ClipDataset.open(whole.path), load_config("tiny"), steps=1)
    with pytest.raises(tf.errors.OpError, match="UserError: The picture of frame 1 of the clip 'a' in .*prepare"):
        next(iter(stream))


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("register", [False, True])
def test_prepare_leaves_out_frames_of_numbers_that_are_none(tmp_path, make_picture, standing, register):
    """Frame 2 has a coordinate too large for 32 bits, frame 3 no joint, frame 4 lacks one."""
    points = np.repeat(standing[:, :2, None], 5, axis=2).astype(np.float64)
    points[6, 0, 1], points[:, :, 2], points[6, 1, 3] = 1e39, np.nan, np.nan
    source = tmp_path / "source"
    (source / "frames" / "clip").mkdir(parents=True)
    (source / "info").mkdir()
    scipy.io.savemat(source / "info" / "clip.mat", {"data": {"X": points}})
    for number in range(1, 6):
        (source / "frames" / "clip" / f"{number}.jpg").write_bytes(encode_picture(make_picture(1, 240, 200), "JPEG"))
    summary = prepare([source], tmp_path / "set", Options("posewarp", register=register), progress=False)
    assert summary.rejected == {"joints or a box that are not finite": 1, "fewer than 2 joints": 1}
    dataset = ClipDataset.open(tmp_path / "set")
    assert dataset.left_out == {}
    assert [frame.number for frame in dataset.clips[0].frames] == [1, 4, 5]
    assert dataset.read_frame(0, 1).joints[6, 2] == 0
