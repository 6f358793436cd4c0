"""Records and their Examples against TensorFlow's own."""

import io

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.data.tfrecord import Example, read_records, write_record

RECORDS = [b"", b"x", bytes(range(256)) * 300, b"\xff" * 13]


@pytest.fixture
def file(tmp_path):
    """The records as TensorFlow writes them."""
    path = tmp_path / "some.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in RECORDS:
            writer.write(record)
    return path


def test_records_are_written_as_tensorflow_writes_them(file):
    written = io.BytesIO()
    for record in RECORDS:
        write_record(written, record)
    assert written.getvalue() == file.read_bytes()


def test_what_tensorflow_wrote_is_read(file):
    offsets, data = zip(*read_records(file), strict=True)
    assert list(data) == RECORDS
    assert list(offsets) == [16 * i + sum(map(len, RECORDS[:i])) for i in range(len(RECORDS))]


def test_damage_at_any_byte_and_any_end_is_noticed(tmp_path, refuses):
    """The first of two records is whole."""
    path, written = tmp_path / "torn.tfrecord", io.BytesIO()
    for record in (b"whole", b"torn"):
        write_record(written, record)
    whole = written.getvalue()
    damaged = [whole[:end] for end in range(22, len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :] for at in range(21, len(whole))]
    for content in damaged:
        path.write_bytes(content)
        refuses(lambda: list(read_records(path)), "record at byte 21", path, "damaged")


def filled(example):
    """Every kind of feature, in an order that is not the alphabet's."""
    feature = example.features.feature
    feature["number"].int64_list.value.extend([-7, 2**40])
    feature["joints"].float_list.value.extend(np.float32([1.5, np.inf, -0.1]))
    feature["action"].bytes_list.value.append(b"")
    feature["image"].bytes_list.value.append(b"\xff\x00" * 200)
    return example


def test_examples_are_tensorflows_byte_for_byte():
    ours, theirs = filled(Example()), filled(tf.train.Example())
    data = theirs.SerializeToString(deterministic=True)
    assert ours.SerializeToString(deterministic=True) == data
    assert Example.FromString(data) == ours
    assert tf.train.Example.FromString(data) == theirs
