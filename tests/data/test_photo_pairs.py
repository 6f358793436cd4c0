import json

import numpy as np
import pytest

from tf_unseen_pose.data.clips import BrokenClip, encode_picture
from tf_unseen_pose.data.photo_pairs import pair_clips
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.pose.joint_formats import blazepose_to_body


@pytest.fixture
def root(tmp_path, make_picture):
    """Two pairs; the first has masks, of the second one frame."""
    entries = []
    for name, masks in (("Squat", (True, True)), ("Plank", (False, True))):
        frames = []
        for number, has_mask in enumerate(masks):
            stem = f"{name}_{number}"
            (tmp_path / f"{stem}.jpg").write_bytes(encode_picture(make_picture(number, 60, 80), "JPEG"))
            (tmp_path / f"{stem}.png").write_bytes(encode_picture(np.full((60, 80), 9, np.uint8), "PNG"))
            landmarks = np.random.default_rng([len(name), number]).uniform(0.2, 1, (33, 3)) * [80, 60, 1]
            frames.append(
                {"file": f"{stem}.jpg", "landmarks": landmarks.tolist(), "mask": f"{stem}.png" if has_mask else None}
            )
        entries.append({"name": name, "scene": len(entries), "frames": frames})
    (tmp_path / "index.json").write_text(json.dumps({"description": "x", "pairs": entries}))
    return tmp_path


def change(root, edit):
    index = json.loads((root / "index.json").read_text())
    edit(index["pairs"])
    (root / "index.json").write_text(json.dumps(index))


def test_a_pair_is_a_clip_of_two_stills(root):
    squat, plank = pair_clips(root)
    assert (squat.name, squat.action, squat.fps, squat.scene, plank.scene) == ("Squat", "Squat", 0, "0", "1")
    frames = list(squat.frames())
    # With hands, feet and face.
    assert squat.skeleton == BODY and frames[0].joints.shape == (23, 3)
    assert [frame.number for frame in frames] == [0, 1]
    listed = json.loads((root / "index.json").read_text())["pairs"][0]["frames"]
    for frame, entry in zip(frames, listed, strict=True):
        np.testing.assert_array_equal(frame.joints, blazepose_to_body(np.array(entry["landmarks"])))
        assert frame.jpeg == (root / entry["file"]).read_bytes() and frame.mask_png and frame.box is None
    assert [frame.mask_png is None for frame in plank.frames()] == [True, False]


def test_a_bad_entry_breaks_its_clip_alone(root):
    change(root, lambda pairs: pairs[0]["frames"][1]["landmarks"].pop())
    squat, plank = pair_clips(root)
    with pytest.raises(BrokenClip, match="33 landmarks"):
        list(squat.frames())
    assert len(list(plank.frames())) == 2
    change(root, lambda pairs: pairs[1]["frames"][0].pop("file"))
    with pytest.raises(BrokenClip, match="lacks"):
        list(pair_clips(root)[1].frames())


def test_wrong_folders_are_refused(root, refuses):
    refuses(lambda: pair_clips(root / "nowhere"), "index.json")
    change(root, lambda pairs: pairs.clear())
    refuses(lambda: pair_clips(root), "lists no pairs")
    for text in ("{", "[]", '{"pairs": 3}', '{"pairs": [{"name": "x"}]}'):
        (root / "index.json").write_text(text)
        refuses(lambda: pair_clips(root), "not an index of pairs")


def test_the_exercise_pairs(shared):
    clips = pair_clips(shared / "data" / "exercise_pairs")
    assert len({clip.name for clip in clips}) == len(clips) == 411
    for clip in clips[::100]:
        assert len(list(clip.frames())) == 2
