import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from tf_unseen_pose.data.clips import encode_picture
from tf_unseen_pose.data.plan import Options, plan_clips
from tf_unseen_pose.data.synthetic import ACTIONS
from tf_unseen_pose.data.video_clips import VideoOptions
from tf_unseen_pose.imaging.time_span import TimeSpan


@pytest.fixture
def gym(tmp_path, make_picture, standing):
    """Ten pairs in five scenes; the second picture of each is shifted by (6, 3) pixels."""
    root = tmp_path / "gym"
    root.mkdir()
    landmarks = np.repeat(np.append(standing[:1] + [0, 20, 0], standing[1:], axis=0), 3, axis=0)[:33]
    wide = make_picture(5, 280, 260)
    noise = np.random.default_rng(0).integers(-50, 50, (35, 33, 1)).repeat(8, 0).repeat(8, 1)[:280, :260]
    wide = np.clip(wide + noise, 0, 255).astype(np.uint8)
    for number, (top, left) in enumerate(((10, 10), (13, 16))):
        (root / f"{number}.jpg").write_bytes(encode_picture(wide[top : top + 240, left : left + 200], "JPEG"))
    frames = [
        {"file": "0.jpg", "landmarks": landmarks.tolist()},
        {"file": "1.jpg", "landmarks": (landmarks - [6, 3, 0]).tolist()},
    ]
    pairs = [{"name": f"pair {i}", "scene": f"scene {i % 5}", "frames": frames} for i in range(10)]
    (root / "index.json").write_text(json.dumps({"pairs": pairs}))
    return root


def test_people_are_never_on_both_sides(gym):
    clips = plan_clips([gym], Options("pairs", validation=0.4))
    aside = {clip.person for clip in clips if clip.split == "validation"}
    assert len(aside) == 2 and sum(clip.split == "validation" for clip in clips) == 4
    assert not aside & {clip.person for clip in clips if clip.split == "train"}
    again = plan_clips([gym], Options("pairs", validation=0.4))
    assert [clip.split for clip in again] == [clip.split for clip in clips]
    for part, people in ((0.0, 0), (0.05, 0), (0.2, 1), (0.5, 2), (0.8, 4)):
        chosen = plan_clips([gym], Options("pairs", validation=part))
        assert len({clip.person for clip in chosen if clip.split == "validation"}) == people, part


def test_registration_is_asked_for(gym, decode):
    plain, aligned = (plan_clips([gym], Options("pairs", register=register))[0] for register in (None, True))
    middle = np.s_[30:210, 150:190]

    def difference(clip):
        first, second = (decode(frame.jpeg).astype(int)[middle] for frame in clip.frames())
        return np.abs(first - second).mean()

    assert difference(aligned) < 0.35 * difference(plain)
    first, second = aligned.frames()
    np.testing.assert_allclose(second.joints, first.joints, atol=0.3)


def test_an_action_for_all(gym):
    assert {clip.action for clip in plan_clips([gym], Options("pairs", action="gym"))} == {"gym"}
    assert [clip.action for clip in plan_clips([gym], Options("pairs", only=("pair 3",)))] == ["pair 3"]
    drawn = plan_clips([], Options("synthetic", clips=3, frames=2, size=64))
    assert [clip.action for clip in drawn] == list(ACTIONS[:3])


def test_plans_travel_between_processes(gym):
    clips = plan_clips([gym], Options("pairs", register=True))
    clips += plan_clips([], Options("synthetic", clips=1, frames=2, size=64, skeleton="golf"))
    for clip, copy in zip(clips, pickle.loads(pickle.dumps(clips)), strict=True):
        assert (copy.name, copy.person, copy.split) == (clip.name, clip.person, clip.split)
        assert copy.skeleton == clip.skeleton
        assert [frame.jpeg for frame in copy.frames()] == [frame.jpeg for frame in clip.frames()]


def test_the_recipe_tells_options_apart_but_not_where_the_model_lies(gym, tmp_path):
    clips = plan_clips([gym], Options("pairs"))

    def recipe(**options):
        return Options("pairs", **options).recipe(clips)

    assert recipe() != recipe(register=True) != recipe(validation=0.2)
    assert recipe(video=VideoOptions(pose_model=tmp_path / "a.task")) == recipe(video=VideoOptions())
    assert recipe(video=VideoOptions(rate=5)) != recipe()
    part = VideoOptions(span=TimeSpan(2))
    assert recipe(video=part) != recipe() and "span" not in recipe()["video"]
    json.dumps(recipe(video=part))
    assert recipe() != Options("pairs").recipe(clips[1:])


def test_recipes_of_persons_do_not_speak_of_skeletons(gym):
    drawn = [plan_clips([], Options("synthetic", clips=2, frames=2, size=64, skeleton=s)) for s in ("person", "golf")]
    person, golf = (Options("dataset").recipe(clips) for clips in drawn)
    assert golf == person | {"skeleton": "golf"} and "skeleton" not in person
    assert [clip.action for clip in drawn[1]] == ["golf", "golf"]


def test_a_start_and_an_end_are_for_one_video(tmp_path, refuses, has_model):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"")
    part = Options("video", video=VideoOptions(span=TimeSpan(2)))
    refuses(lambda: plan_clips([tmp_path], part), "for one video", "--only")
    assert [clip.name for clip in plan_clips([tmp_path], replace(part, only=("b.mp4",)))] == ["b.mp4"]


def test_a_part_for_validation_lies_within_0_and_1(gym, refuses):
    for part in (-0.1, 1.0, float("nan")):
        refuses(lambda part=part: plan_clips([gym], Options("pairs", validation=part)), "validation")
