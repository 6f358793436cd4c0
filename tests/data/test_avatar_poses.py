import json
import pickle

import numpy as np
import pytest
from small_avatars import COLOURS, drawn, landmarks, write_avatars

from tf_unseen_pose.data.avatar_poses import avatar_clips
from tf_unseen_pose.data.clips import BrokenClip, encode_picture
from tf_unseen_pose.data.plan import Options, plan_clips
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.pose.joint_formats import blazepose_to_body


def change(root, edit):
    index = json.loads((root / "index.json").read_text())
    edit(index)
    (root / "index.json").write_text(json.dumps(index))


def test_a_clip_knows_everything(avatars, make_picture, decode):
    woman, man = avatar_clips(avatars)
    assert (woman.name, woman.person, woman.group, man.group, woman.fps) == ("clip 0", "Some_F_1", "F", "M", 0)
    assert woman.skeleton is BODY and woman.background() == (avatars / "0" / "background.jpg").read_bytes()
    for number, frame in enumerate(man.frames()):
        points = landmarks([3 * number, 2 * number])
        _, labels, mask = drawn(points, make_picture(1, 240, 200))
        np.testing.assert_allclose(frame.joints, blazepose_to_body(points[:, :3]), rtol=1e-5)
        np.testing.assert_array_equal(decode(frame.limbs_png), labels)
        np.testing.assert_array_equal(decode(frame.mask_png), mask)
        assert frame.jpeg == (avatars / "1" / f"{number}_file").read_bytes() and frame.number == number


def test_all_shrink_alike(avatars, decode):
    (clip, _) = avatar_clips(avatars, max_side=120)
    frame = list(clip.frames())[2]
    assert decode(clip.background()).shape == decode(frame.jpeg).shape == (120, 100, 3)
    _, labels, _ = drawn(landmarks([6, 4]), np.zeros((240, 200, 3), np.uint8))
    small = decode(frame.limbs_png)
    # One of the four pixels that a smaller one covers, where they are of one limb.
    corners = np.stack([labels[y::2, x::2] for y in (0, 1) for x in (0, 1)])
    whole = (corners == corners[0]).all(axis=0)
    assert whole.mean() > 0.9 and (small[whole] == corners[0][whole]).all()
    np.testing.assert_allclose(frame.joints[0, :2], (blazepose_to_body(landmarks([6, 4]))[0, :2] + 0.5) / 2 - 0.5)


def test_a_bad_entry_breaks_its_clip_alone(avatars):
    change(avatars, lambda index: index["clips"][0]["frames"][1].pop("limbs"))
    first, second = avatar_clips(avatars)
    with pytest.raises(BrokenClip, match="frame 1 lacks"):
        list(first.frames())
    assert len(list(second.frames())) == 3
    for wrong in (np.full((240, 200), 15, np.uint8), np.zeros((200, 240), np.uint8)):
        (avatars / "1" / "0_limbs").write_bytes(encode_picture(wrong, "PNG"))
        with pytest.raises(BrokenClip, match="0_limbs is not grey"):
            list(second.frames())
    change(avatars, lambda index: index["clips"][1]["frames"][0]["landmarks"].pop())
    with pytest.raises(BrokenClip, match="33 landmarks"):
        list(avatar_clips(avatars)[1].frames())
    (avatars / "1" / "background.jpg").unlink()
    with pytest.raises(BrokenClip, match=r"background\.jpg"):
        second.background()


def test_wrong_folders_are_refused(avatars, refuses):
    refuses(lambda: avatar_clips(avatars / "nowhere"), "index.json")
    change(avatars, lambda index: index["limb_names"].append("tail"))
    refuses(lambda: avatar_clips(avatars), "'tail'", "limb_names")
    change(avatars, lambda index: (index["limb_names"].pop(), index["clips"].clear()))
    refuses(lambda: avatar_clips(avatars), "lists no clips")
    for text in ("{", "[]", '{"clips": [], "limb_names": 3}', '{"limb_names": [], "clips": [{"name": "x"}]}'):
        (avatars / "index.json").write_text(text)
        refuses(lambda: avatar_clips(avatars), "not an index of avatars")


def test_both_sexes_are_set_aside(tmp_path):
    people = [f"{kind}_{sex}_{number}" for kind in ("A", "B") for sex in "FM" for number in range(4)]
    root = write_avatars(tmp_path / "avatars", people, frames=1)
    for part, each in ((0.125, 1), (0.25, 2), (0.5, 4)):
        clips = plan_clips([root], Options("avatars", validation=part))
        aside = [clip.person for clip in clips if clip.split == "validation"]
        assert [sum(f"_{sex}_" in person for person in aside) for sex in "FM"] == [each, each]
    again = pickle.loads(pickle.dumps(plan_clips([root], Options("avatars", validation=0.5))))
    assert [clip.split for clip in again] == [clip.split for clip in clips] and again[5].background()


def test_from_the_folder_to_a_mixed_dataset(avatars, make_dataset, make_clip, tmp_path, decode):
    prepare([avatars], tmp_path / "made", Options("avatars", validation=0), progress=False)
    make_dataset([make_clip("photographed", 2)], "person")
    summary = prepare([tmp_path / "person", tmp_path / "made"], tmp_path / "both", Options("dataset"), progress=False)
    both = ClipDataset.open(tmp_path / "both")
    assert both.skeleton is BODY and not both.left_out
    assert [(clip.name, clip.format, clip.background is None) for clip in both.clips] == [
        ("person-photographed", "", True), ("made-clip 0", "avatars", False), ("made-clip 1", "avatars", False)
    ]  # fmt: skip
    assert both.read_background(2) == (avatars / "1" / "background.jpg").read_bytes()
    assert both.read_background(0) is None
    frame = both.read_frame(1, 2)
    image, labels = decode(frame.jpeg).astype(int), decode(frame.limbs_png)
    inside = labels > 0
    nearest = np.abs(image[inside][:, None] - COLOURS).sum(axis=-1).argmin(axis=-1)
    assert (nearest == labels[inside]).mean() > 0.8
    photographed = both.read_frame(0, 1)
    assert photographed.joints.shape == (23, 3) and not photographed.joints[14:].any()
    np.testing.assert_array_equal(photographed.joints[:14], make_person_frame(make_clip).joints)
    page = summary.page.read_text()
    assert "With a limb map</dt><dd>6" in page and "without the person</dt><dd>2" in page


def make_person_frame(make_clip):
    return list(make_clip("photographed", 2).frames())[1]
