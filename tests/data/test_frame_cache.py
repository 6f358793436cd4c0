import dataclasses
import tracemalloc

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data import frame_cache
from tf_unseen_pose.data.clips import Clip
from tf_unseen_pose.data.examples import Examples
from tf_unseen_pose.data.frame_cache import DecodedFrames


def test_frames_are_decoded_once_to_what_tensorflow_sees(make_dataset, make_clip):
    dataset = make_dataset([make_clip("a", 3), make_clip("b", 2)])
    frames = DecodedFrames(dataset)
    stored, found = dataset.read_frame(1, 1), frames.read(1, 1)
    np.testing.assert_array_equal(found.image, tf.io.decode_jpeg(stored.jpeg, dct_method="INTEGER_ACCURATE"))
    np.testing.assert_array_equal(found.mask, tf.io.decode_png(stored.mask_png)[..., 0])
    np.testing.assert_array_equal(found.joints, stored.joints)
    assert frames.read(1, 1).image is found.image
    assert frames.read(0, 1).image is not found.image


def test_no_more_is_kept_than_fits(make_dataset, make_clip, monkeypatch):
    dataset = make_dataset([make_clip("a", 4)])
    entry = dataset.clips[0].frames[0]
    monkeypatch.setattr(frame_cache, "_CACHE_BYTES", int(2.5 * 4 * entry.width * entry.height))
    frames = DecodedFrames(dataset)
    first = frames.read(0, 0).image
    for number in (1, 2):
        frames.read(0, number)
    assert frames.read(0, 0).image is not first
    assert len(frames.read.cache) == 2


def test_a_picture_that_is_none_is_named(make_dataset, make_clip, refuses):
    def broken():
        for frame in make_clip("torn", 3).frames():
            # The header alone: its size can be read, its pixels cannot.
            yield dataclasses.replace(frame, jpeg=frame.jpeg[:700])

    dataset = make_dataset([Clip("torn", "", 0, broken)])
    refuses(lambda: DecodedFrames(dataset).read(0, 2), "frame 2", "'torn'", "prepare")


def test_examples_leave_nothing_but_cached_pictures(sharded, monkeypatch):
    monkeypatch.setattr(frame_cache, "_CACHE_BYTES", 4 * 64 * 64 * 4)
    made, used = Examples(sharded, load_config("tiny"), augment=True), []
    tracemalloc.start()
    for first in (0, 40, 80):
        made.batch(first, 40)
        used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert abs(used[2] - used[1]) < 2 * 64 * 64 * 4
