"""Synthetic clips: exact joints, a static scene, clothes that move with the limbs."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from tf_unseen_pose.data.synthetic import ACTIONS, synthetic_clip
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import GOLF, PERSON

LIMBS = [(limb.name, *PERSON.joint_index(*limb.joints)) for limb in PERSON.limbs if len(limb.joints) == 2]


@pytest.fixture(scope="module")
def clips():
    """One clip of every action."""
    return {name: list(synthetic_clip(seed, 12, 128, 128, name)) for seed, name in enumerate(ACTIONS)}


def joints_of(frames):
    return np.stack([frame.joints for frame in frames])


def sample(image, points):
    """Bilinear values [N, 3] of an image [H, W, 3] at points [N, 2] of (x, y)."""
    return np.stack(
        [ndimage.map_coordinates(c.astype(float), points.T[::-1], order=1) for c in np.moveaxis(image, 2, 0)], 1
    )


def test_a_frame_has_the_promised_types_and_shapes(clips):
    for frame in (frames[0] for frames in clips.values()):
        assert frame.image.dtype == np.uint8 and frame.image.shape == (128, 128, 3)
        assert frame.joints.dtype == np.float32 and frame.joints.shape == (PERSON.joint_count, 3)
        assert frame.mask.dtype == np.uint8 and frame.mask.shape == (128, 128)
        assert (frame.joints[:, 2] == 1).all()


def test_same_arguments_same_bytes_and_another_seed_another_clip():
    first, again, other = (list(synthetic_clip(seed, 2, 64, 64)) for seed in (5, 5, 6))
    for one, two in zip(first, again, strict=True):
        for field in ("image", "joints", "mask"):
            assert np.array_equal(getattr(one, field), getattr(two, field))
    assert not np.array_equal(first[0].image, other[0].image)


def test_the_action_leaves_the_scene_alone():
    wave, squat = (next(synthetic_clip(5, 1, 64, 64, action)) for action in ("wave", "squat"))
    assert np.array_equal(wave.image[:8, :4], squat.image[:8, :4])


@pytest.mark.parametrize("height,width", [(128, 72), (64, 160), (32, 32), (255, 301)])
def test_the_whole_person_is_inside_an_image_of_any_shape(height, width):
    for seed in range(2):
        for frame in synthetic_clip(seed, 4, height, width):
            assert frame.image.shape == (height, width, 3) and frame.mask.shape == (height, width)
            assert (frame.joints[:, :2] >= 0).all() and (frame.joints[:, :2] <= [width - 1, height - 1]).all()
            border = np.concatenate([frame.mask[0], frame.mask[-1], frame.mask[:, 0], frame.mask[:, -1]])
            assert border.max() == 0


def test_the_person_fills_the_height(clips):
    tallest = {name: max(np.ptp(np.nonzero(frame.mask.max(1) > 128)[0]) for frame in clips[name]) for name in clips}
    assert all(0.6 * 128 < tall < 0.98 * 128 for tall in tallest.values()), tallest


def test_the_mask_covers_every_limb(clips):
    for name, frames in clips.items():
        for frame in frames:
            for limb, start, end in LIMBS:
                x, y = np.rint(frame.joints[[start, end], :2].mean(0)).astype(int)
                assert frame.mask[y, x] > 200, (name, limb)


def test_limbs_keep_their_length_up_to_foreshortening():
    """At its longest, a limb and its counterpart are equally long; never is one longer than that."""
    for action in ("jacks", "walk"):
        joints = joints_of(synthetic_clip(3, 24, 64, 64, action))[..., :2]
        spans = {limb: np.linalg.norm(joints[:, start] - joints[:, end], axis=1) for limb, start, end in LIMBS}
        for limb, span in spans.items():
            assert span.min() > 0.55 * span.max(), (action, limb, span.min() / span.max())
        for part in ("upper_arm", "thigh", "calf"):
            assert spans[f"right_{part}"].max() == pytest.approx(spans[f"left_{part}"].max(), rel=0.12), (action, part)


def test_left_is_the_persons_own(clips):
    for name, frames in clips.items():
        joints = joints_of(frames)
        for joint in ("shoulder", "hip"):
            right, left = PERSON.joint_index(f"right_{joint}", f"left_{joint}")
            assert (joints[:, right, 0] < joints[:, left, 0]).all(), name


def test_every_action_moves_arms_and_legs(clips):
    for name, frames in clips.items():
        travel = np.ptp(joints_of(frames)[..., :2], axis=0).max(1) / 128
        hands, feet = PERSON.joint_index("right_wrist", "left_wrist"), slice(8, 14)
        assert travel[hands].max() > 0.15, name
        assert travel[feet].max() > 0.04, name


def test_some_poses_raise_an_arm_and_some_cross_the_body(clips):
    head, neck, wrist, hip = PERSON.joint_index("head", "neck", "left_wrist", "left_hip")
    assert (joints_of(clips["jacks"])[:, wrist, 1] < joints_of(clips["jacks"])[:, head, 1]).any()
    golf = joints_of(clips["golf"])
    assert (golf[:, wrist, 0] < golf[:, neck, 0]).any() and (golf[:, wrist, 0] > golf[:, hip, 0]).any()


def test_the_background_is_static_away_from_person_and_shadow(clips):
    for frames in clips.values():
        images, masks = (np.stack([getattr(frame, field) for frame in frames]) for field in ("image", "mask"))
        # Shadows fall on the floor, which begins below the middle of every scene.
        free = (masks == 0)[:, :64]
        low = np.where(free[..., None], images[:, :64], 255).min(0)
        high = np.where(free[..., None], images[:, :64], 0).max(0)
        assert (free.sum(0) > 1).mean() > 0.5
        assert np.array_equal(low[free.any(0)], high[free.any(0)])


def test_the_shadow_darkens_the_floor_beside_the_feet():
    frames = list(synthetic_clip(2, 8, 128, 128, "jacks"))
    stack, masks = np.stack([frame.image for frame in frames]).astype(int), np.stack([frame.mask for frame in frames])
    floor = stack.max(0)[100:]
    darker = ((floor - stack[:, 100:]).sum(-1) > 60) & (masks[:, 100:] == 0)
    assert darker.any()


def test_texture_moves_with_the_limb():
    """Colours along a limb's axis in one frame are those along it in another, its pattern included."""
    alike, plain = [], []
    for seed in range(6):
        first, second = list(synthetic_clip(seed, 2, 256, 256, "jacks"))
        for limb, start, end in LIMBS:
            if limb.endswith(("upper_arm", "calf")):
                steps = np.linspace(0.2, 0.9, 30)[:, None]
                points = [f.joints[start, :2] * (1 - steps) + f.joints[end, :2] * steps for f in (first, second)]
                colours = [sample(f.image, p) for f, p in zip((first, second), points, strict=True)]
                plain.append(colours[0].std())
                if plain[-1] > 12:
                    alike.append(np.corrcoef(colours[0].ravel(), colours[1].ravel())[0, 1])
                assert np.abs(colours[0] - colours[1]).mean() < 26, (seed, limb)
    assert len(alike) > 3 and np.median(alike) > 0.9


def test_frames_are_drawn_as_they_are_asked_for():
    assert next(synthetic_clip(0, 10**9, 32, 32)).image.any()


@pytest.mark.parametrize(
    "arguments,message",
    [
        ((0, 4, 64, 64, "fly"), "'fly'.*wave"),
        ((0, 4, 64, 64, "dance", GOLF), "'golf'.*'dance'.*: golf"),
        ((0, 4, 64, 64, "golf", replace(PERSON, name="racket")), "'racket'.*'person' and 'golf'"),
        ((0, 0), "at least 1"),
        ((0, 4, 16, 64), "64 x 16.*32"),
    ],
)
def test_errors_name_the_thing_and_the_way_out(arguments, message):
    with pytest.raises(UserError, match=message):
        synthetic_clip(*arguments)
