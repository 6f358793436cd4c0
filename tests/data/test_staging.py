import dataclasses
import pickle

import numpy as np
import pytest

from tf_unseen_pose.data.clips import BrokenClip, Clip, Frame, Rejected
from tf_unseen_pose.data.records import decode_frame
from tf_unseen_pose.data.staging import read_staged, stage_clip, staged_file


def mixed(make_clip, **fields):
    """A clip of which the second frame is rejected and the fourth shows a single joint."""

    def frames():
        for frame in make_clip("mixed", 5, 64, 64).frames():
            joints = frame.joints.copy()
            if frame.number == 3:
                joints[1:, 2] = 0
            yield Rejected("frozen", 1) if frame.number == 1 else Frame(frame.jpeg, joints, frame.number)

    return Clip("mixed", "stretch", 12.5, frames, **fields)


def test_usable_frames_are_staged_and_the_others_counted(tmp_path, make_clip):
    clip = mixed(make_clip, person="ann", split="validation")
    staged = stage_clip(tmp_path, 7, clip)
    assert staged.rejected == {"fewer than 2 joints": 1, "frozen": 1}
    assert [frame.number for frame in staged.frames] == [0, 2, 4]
    assert (staged.name, staged.person, staged.split) == ("mixed", "ann", "validation")
    data = staged_file(tmp_path, 7).read_bytes()
    assert len(data) == staged.size and read_staged(tmp_path) == {7: staged}
    kept = [frame for frame in clip.frames() if isinstance(frame, Frame) and frame.number != 3]
    for entry, frame in zip(staged.frames, kept, strict=True):
        assert decode_frame(data[entry.offset + 12 :][: entry.length]).jpeg == frame.jpeg
    moved = staged.moved(3, 1000)
    assert [(frame.shard, frame.offset) for frame in moved.frames] == [(3, f.offset + 1000) for f in staged.frames]
    assert moved.person == "ann" and moved.rejected == staged.rejected


def test_frames_with_numbers_that_are_none_are_rejected_for_that(tmp_path, make_clip):
    """In frame 1 one visible joint of many is NaN, in 2 a visibility, in 3 the box; in 4 an absent joint, which may."""

    def frames():
        for frame in make_clip("odd", 5, 64, 64).frames():
            joints, box = frame.joints.copy(), np.float32([10, 20, 30, 40])
            if frame.number == 1:
                joints[7, 0] = np.nan
            if frame.number == 2:
                joints[7, 2] = np.nan
            if frame.number == 3:
                box[3] = np.inf
            if frame.number == 4:
                joints[7] = [np.nan, np.nan, 0]
            yield dataclasses.replace(frame, joints=joints, box=box)

    staged = stage_clip(tmp_path, 0, Clip("odd", "", 0, frames))
    assert staged.rejected == {"joints or a box that are not finite": 3}
    assert [frame.number for frame in staged.frames] == [0, 4]


def test_a_broken_clip_leaves_nothing(tmp_path, make_clip):
    def breaking():
        yield from make_clip("torn", 2, 64, 64).frames()
        raise BrokenClip("it is torn")

    with pytest.raises(BrokenClip, match="torn"):
        stage_clip(tmp_path, 0, Clip("torn", "", 0, breaking))
    with pytest.raises(BrokenClip, match=r"\(3 of at least 4\); rejected were 1 x f.*, 1 x f"):
        stage_clip(tmp_path, 0, mixed(make_clip), least_frames=4)
    assert not list(tmp_path.iterdir())


def test_damage_is_noticed(tmp_path, make_clip, refuses):
    stage_clip(tmp_path, 2, mixed(make_clip))
    file = staged_file(tmp_path, 2)
    file.write_bytes(file.read_bytes()[:-1])
    refuses(lambda: read_staged(tmp_path), file.name, "prepare")
    file.with_suffix(".json").write_text("{}")
    refuses(lambda: read_staged(tmp_path), "clip-000002.json", "delete")


def test_a_person_is_the_clip_unless_told(make_clip):
    clip = make_clip("alone")
    assert clip.person == "alone" and clip.split == "train"
    assert make_clip("one", person="both").person == "both"
    assert pickle.loads(pickle.dumps(Rejected("frozen", 3))) == Rejected("frozen", 3)
