import dataclasses
import hashlib
import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.data.clips import Clip
from tf_unseen_pose.data.dataset_index import Index
from tf_unseen_pose.data.records import ClipDataset, decode_frame, encode_frame
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON


@pytest.fixture
def dataset(make_dataset, make_clip):
    return make_dataset([make_clip("first", 3), make_clip("second clip", 2, action="", fps=0.0, scene="court")])


def same(frame, other):
    assert frame.jpeg == other.jpeg and frame.mask_png == other.mask_png and frame.number == other.number
    assert frame.limbs_png == other.limbs_png
    np.testing.assert_array_equal(frame.joints, other.joints)
    assert (frame.box is None) == (other.box is None)
    if frame.box is not None:
        np.testing.assert_array_equal(frame.box, other.box)


def test_a_frame_survives_encoding(make_clip):
    clip = make_clip("any")
    frame = next(iter(clip.frames()))
    same(decode_frame(encode_frame(frame, clip)), frame)
    bare = dataclasses.replace(frame, mask_png=None, box=np.float32([1, 2, 3, 4.5]), limbs_png=b"a map")
    same(decode_frame(encode_frame(bare, clip)), bare)


def test_random_access(dataset, make_clip):
    expected = list(make_clip("second clip", 2).frames())
    same(dataset.read_frame(1, 1), expected[1])
    same(dataset.read_frame(1, 0), expected[0])
    assert dataset.skeleton is PERSON
    assert [(clip.name, clip.action, clip.fps, clip.scene) for clip in dataset.clips] == [
        ("first", "stretch", 12.5, ""),
        ("second clip", "", 0.0, "court"),
    ]
    entry = dataset.clips[0].frames[2]
    assert (entry.width, entry.height, entry.number, entry.has_mask) == (200, 240, 2, True)


def test_people_are_read_with_or_without_hands(avatars_dataset, make_clip, make_dataset, decode, refuses):
    less = avatars_dataset.as_of(PERSON)
    whole, frame = avatars_dataset.read_frame(1, 2), less.read_frame(1, 2)
    assert less.skeleton is PERSON and avatars_dataset.skeleton is BODY and less.as_of(PERSON) is less
    np.testing.assert_array_equal(frame.joints, whole.joints[:14])
    hands, forearms = (
        [decode(of.limbs_png) == label for label in labels] for of, labels in ((whole, (11, 12)), (frame, (3, 5)))
    )
    assert all(hand.any() and forearm[hand].all() for hand, forearm in zip(hands, forearms, strict=True))
    assert less.fingerprint == avatars_dataset.fingerprint and less.read_background(1)
    more = make_dataset([make_clip("plain", 2)]).as_of(BODY).read_frame(0, 1)
    assert more.joints.shape == (23, 3) and more.joints[:14].all() and not more.joints[14:].any()
    refuses(lambda: avatars_dataset.as_of(GOLF), "'golf'", "'body'", "model.skeleton")


def test_any_tfrecord_reader_reads_the_shards(dataset):
    records = list(tf.data.TFRecordDataset([str(path) for path in dataset.path.glob("*.tfrecord")]).as_numpy_iterator())
    indexed = [dataset.read(c, f) for c, clip in enumerate(dataset.clips) for f in range(len(clip.frames))]
    assert records == indexed
    features = tf.io.parse_single_example(
        records[-1],
        {"clip": tf.io.FixedLenFeature([], tf.string), "joints": tf.io.FixedLenFeature([14, 3], tf.float32)},
    )
    assert features["clip"] == b"second clip"
    np.testing.assert_array_equal(features["joints"], dataset.read_frame(1, 1).joints)


def test_missing_dataset(tmp_path, refuses):
    refuses(lambda: ClipDataset.open(tmp_path / "nowhere"), "nowhere", "prepare")


def test_damaged_shards_are_refused(dataset, refuses):
    shard = dataset.path / "shard-00000.tfrecord"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-100])
    expected = (shard, "truncated", f"expected {len(whole)} bytes, found {len(whole) - 100}", "prepare")
    refuses(lambda: ClipDataset.open(dataset.path), *expected)
    shard.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    refuses(lambda: ClipDataset.open(dataset.path), shard, "prepare")
    shard.write_bytes(whole + b"more")
    refuses(lambda: ClipDataset.open(dataset.path), shard, "prepare")
    shard.unlink()
    refuses(lambda: ClipDataset.open(dataset.path), shard, "prepare")


def test_a_shard_that_changes_under_an_open_dataset(dataset, refuses):
    shard = dataset.path / "shard-00000.tfrecord"
    shard.write_bytes(b"\x07" + shard.read_bytes()[1:])
    refuses(lambda: dataset.read(0, 0), shard)
    shard.write_bytes(b"")
    refuses(lambda: dataset.read(1, 0), shard)


def test_a_dataset_made_anew_under_an_open_one(make_dataset, make_clip, refuses):
    """The new frames have the old lengths, so only the file itself tells that it is another; the index is of no use."""
    dataset = make_dataset([make_clip("first", 3)])
    shard = dataset.path / "shard-00000.tfrecord"
    entry, data = dataset.clips[0].frames[1], bytearray(shard.read_bytes())
    data[entry.offset + 12 + 500] ^= 1
    time = shard.stat().st_mtime_ns + 10**9
    shard.write_bytes(data)
    os.utime(shard, ns=(time, time))
    (dataset.path / "dataset.json").write_text("{}")
    refuses(lambda: dataset.read_frame(0, 1), shard, "changed while it was in use", "prepare")


def test_the_fingerprint_follows_the_content_and_not_the_place(make_dataset, make_clip, tmp_path):
    dataset = make_dataset([make_clip("first", 3), make_clip("second", 2)])
    print_of = dataset.fingerprint
    assert len(print_of) == 16 and int(print_of, 16)
    shutil.copytree(dataset.path, tmp_path / "elsewhere")
    (dataset.path / "dataset.json").write_text(json.dumps(json.loads((dataset.path / "dataset.json").read_text())))
    assert (
        ClipDataset.open(dataset.path).fingerprint == ClipDataset.open(tmp_path / "elsewhere").fingerprint == print_of
    )
    others = [
        make_dataset([make_clip("first", 3), make_clip("second", 2, height=256)], "pixels"),
        make_dataset([make_clip("first", 3), make_clip("second", 2, fps=12.0)], "rate"),
        make_dataset([make_clip("first", 3), make_clip("second", 2, split="validation")], "split"),
        make_dataset([make_clip("first", 3)], "shorter"),
    ]
    assert len({print_of, *(other.fingerprint for other in others)}) == 5
    index = json.loads((dataset.path / "dataset.json").read_text())
    index["shards"][0]["sha256"] = index["shards"][0]["sha256"][::-1]
    assert ClipDataset(dataset.path, Index.model_validate(index)).fingerprint != print_of


def test_fields_that_came_later_do_not_change_old_fingerprints(dataset):
    """An index as it was written before limb maps, backgrounds and formats."""
    index = json.loads((dataset.path / "dataset.json").read_text())
    for clip in index["clips"]:
        assert (clip.pop("format"), clip.pop("background")) == ("", None)
        assert not any(frame.pop("has_limbs") for frame in clip["frames"])
    (dataset.path / "dataset.json").write_text(json.dumps(index))
    old = ClipDataset.open(dataset.path)
    assert old.fingerprint == dataset.fingerprint
    # Field by field in their order, what is a default left out.
    del index["broken"]
    for clip in index["clips"]:
        for key, default in (("person", ""), ("split", "train"), ("rejected", {})):
            if clip[key] == default:
                del clip[key]
    content = json.dumps(index, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(content.encode()).hexdigest()[:16] == old.fingerprint


def test_the_fingerprint_does_not_depend_on_what_is_left_out(dataset):
    less = ClipDataset(dataset.path, dataset.index, {(0, 1): "no readable picture"})
    assert [len(clip.frames) for clip in less.clips] == [2, 2] and less.fingerprint == dataset.fingerprint


@pytest.mark.parametrize(
    "edit, word",
    [
        (lambda index: index.update(version=99), "version 99"),
        (lambda index: index.pop("version"), "damaged"),
        (lambda index: index["clips"].clear(), "clips"),
        (lambda index: index["shards"].clear(), "damaged"),
        (lambda index: index["clips"][0]["frames"][1].update(offset=10**9), "damaged"),
        (lambda index: index["clips"][0]["frames"][1].update(offset=-1), "clips.0.frames.1.offset"),
        (lambda index: index["clips"][0].update(background={"shard": 0, "offset": 9**9, "length": 1}), "damaged"),
        (lambda index: index["shards"][0].update(file="../secret"), "shards.0.file"),
    ],
)
def test_edited_indices_are_refused(dataset, refuses, edit, word):
    file = dataset.path / "dataset.json"
    index = json.loads(file.read_text())
    edit(index)
    file.write_text(json.dumps(index))
    refuses(lambda: ClipDataset.open(dataset.path), file, word, "prepare")


def test_a_dataset_of_an_unknown_skeleton_is_refused(dataset, refuses):
    file = dataset.path / "dataset.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"skeleton": "horse"}))
    refuses(lambda: ClipDataset.open(dataset.path), file, "'horse'", "register_skeleton")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_indices_that_are_no_index(dataset, refuses, text):
    (dataset.path / "dataset.json").write_text(text)
    refuses(lambda: ClipDataset.open(dataset.path), "dataset.json", "damaged", "prepare")


def test_names_may_hold_any_letters(make_dataset, make_clip):
    clip = make_clip("é 'x' / 4k")
    dataset = make_dataset([Clip(clip.name, "läuft", 0, clip.frames)])
    assert (dataset.clips[0].name, dataset.clips[0].action) == ("é 'x' / 4k", "läuft")
