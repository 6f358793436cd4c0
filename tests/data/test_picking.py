import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.data.picking import pick
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.pose.pose_files import read_poses


@pytest.fixture
def dataset(make_dataset, make_clip):
    clips = [make_clip("trained", 4), make_clip("kept", 3, split="validation"), make_clip("kept too", 5, fps=25.0)]
    clips[2] = dataclasses.replace(clips[2], split="validation")
    return make_dataset(clips)


def test_the_photo_is_a_kept_clips_and_the_motion_another_ones(dataset, tmp_path):
    picked = pick(dataset, tmp_path / "new" / "folder")
    assert (picked.photo_clip, picked.motion_clip) == ("kept", "kept too")
    frame = dataset.read_frame(1, 0)
    assert picked.photo.read_bytes() == frame.jpeg
    pose = read_poses(picked.pose, PERSON)
    assert (pose.width, pose.height) == Image.open(io.BytesIO(frame.jpeg)).size == (200, 240)
    np.testing.assert_allclose(pose.joints, frame.joints[None], atol=1e-3)
    motion = read_poses(picked.motion, PERSON)
    assert motion.joints.shape == (5, 14, 3) and motion.fps == 25
    # That of `make_clip`: everybody moves by (2, 1) a frame.
    np.testing.assert_allclose(np.diff(motion.joints[..., :2], axis=0), np.full((4, 14, 2), (2, 1)), atol=2e-3)


def test_clips_are_chosen_by_name(dataset, tmp_path, refuses):
    picked = pick(dataset, tmp_path, "trained", "trained")
    assert (picked.photo_clip, picked.motion_clip) == ("trained", "trained")
    assert picked.photo.read_bytes() == dataset.read_frame(0, 0).jpeg
    refuses(lambda: pick(dataset, tmp_path / "no", motion="nobody"), "nobody", "trained, kept, kept too")
    assert not (tmp_path / "no").exists()


def test_a_single_clip_moves_as_it_moved(make_dataset, make_clip, tmp_path):
    picked = pick(make_dataset([make_clip("only")]), tmp_path)
    assert picked.photo_clip == picked.motion_clip == "only"


def test_where_frames_are_missing_nobody_is_seen_and_sizes_become_one(make_dataset, make_clip, tmp_path):
    clip = make_clip("gaps", 4)
    frames = list(clip.frames())
    # Twice as large, and two numbers later.
    picture = Image.open(io.BytesIO(frames[3].jpeg)).resize((400, 480))
    large = io.BytesIO()
    picture.save(large, "JPEG")
    joints = frames[3].joints * np.float32([2, 2, 1]) + np.float32([0.5, 0.5, 0])
    last = dataclasses.replace(frames[3], number=5, joints=joints, mask_png=None, jpeg=large.getvalue())
    gaps = dataclasses.replace(clip, frames=lambda: iter([*frames[:3], last]))
    motion = read_poses(pick(make_dataset([gaps]), tmp_path).motion, PERSON).joints
    assert motion.shape == (6, 14, 3)
    assert (motion[3:5, :, 2] == 0).all() and (motion[[0, 1, 2, 5], :, 2] == 1).all()
    np.testing.assert_allclose(motion[5], frames[3].joints, atol=2e-3)


def test_the_command(dataset, tmp_path, run):
    code, out, err = run("pick", dataset.path, "-o", tmp_path / "picked", "--motion", "trained")
    assert code == 0 and "photo.jpg" in out and "'kept'" in out and "'trained'" in out, err
    assert sorted(path.name for path in (tmp_path / "picked").iterdir()) == ["motion.json", "photo.jpg", "photo.json"]
    (tmp_path / "file").write_text("in the way")
    code, _, err = run("pick", dataset.path, "-o", tmp_path / "file")
    assert code == 2 and "file" in err and err.count("\n") == 1
    code, _, err = run("pick", tmp_path, "-o", tmp_path / "picked")
    assert code == 2 and "dataset.json" in err
