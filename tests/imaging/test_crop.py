import numpy as np
import pytest

from tf_unseen_pose.imaging import affine, crop
from tf_unseen_pose.imaging.person_measures import person_box, person_scale
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON


def test_lying_person_still_fits_the_canvas(standing):
    lying = standing.copy()
    lying[:, :2] = standing[:, 1::-1] * [1, 0.1]
    lying[PERSON.joint_index("left_knee", "right_knee"), :2] = lying[
        PERSON.joint_index("left_ankle", "right_ankle"), :2
    ]
    matrix = crop.common_crop([lying], PERSON, 256, 256)
    on_canvas = affine.transform_joints(affine.invert(matrix), lying)
    assert on_canvas[:, :2].min() >= 0 and on_canvas[:, :2].max() <= 255


def test_what_a_person_holds_is_seen_too(standing):
    golfer = np.concatenate([standing, [[60, 123, 1], [20, 190, 1]]]).astype(np.float32)
    raised = golfer.copy()
    raised[15, :2] = 120, -60
    matrix = crop.common_crop([golfer, raised], GOLF, 128, 128)
    on_canvas = np.stack([affine.transform_joints(affine.invert(matrix), pose)[:, :2] for pose in (golfer, raised)])
    # The one that reaches furthest lies just within the margin.
    assert on_canvas.min() == on_canvas[1, 15, 1] == pytest.approx(0.06 * 127, abs=0.01)
    assert on_canvas.max() < 0.94 * 127
    # For a joint that lies far out, 1.5 times as much is shown and no more.
    raised[15, 1] = -6000
    far = crop.common_crop([golfer, raised], GOLF, 128, 128)
    assert far[0, 0] == pytest.approx(1.5 * person_scale(raised, GOLF) / (1.14 * 128 / 256))
    golfer[14:, 2] = 0
    np.testing.assert_array_equal(
        crop.common_crop([golfer], GOLF, 256, 256), crop.common_crop([standing], PERSON, 256, 256)
    )


def test_fewer_than_two_joints_are_refused(standing, refuses):
    standing[1:, 2] = 0
    refuses(lambda: crop.common_crop([standing], PERSON, 64, 64), "two joints")


def test_common_crop_centres_the_boxes_and_fits_the_larger_person(standing):
    large = standing * [1.5, 1.5, 1] + [10, 20, 0]
    height, width = 96, 128
    matrix = crop.common_crop([standing, large], PERSON, height, width, crop_factor=1.2)
    assert matrix.dtype == np.float32 and matrix.shape == (2, 3)
    boxes = [person_box(pose) for pose in (standing, large)]
    centre = np.mean([box[:2] + box[2:] / 2 for box in boxes], axis=0)
    np.testing.assert_allclose(matrix @ [(width - 1) / 2, (height - 1) / 2, 1], centre, rtol=1e-5)
    on_canvas = affine.transform_joints(affine.invert(matrix), large)
    # Scale 1 fills 200 of 256 pixels, here 75 of 96, times the crop factor.
    assert person_scale(on_canvas, PERSON) * 200 == pytest.approx(200 * 1.2 * 96 / 256, rel=1e-4)


def test_common_crop_takes_a_given_box(standing):
    matrix = crop.common_crop([standing, standing], PERSON, 65, 65, boxes=[np.float32([10, 20, 30, 60]), None])
    own = person_box(standing)
    expected = (np.array([25, 50]) + own[:2] + own[2:] / 2) / 2
    np.testing.assert_allclose(matrix @ [32, 32, 1], expected, rtol=1e-5)


def on_canvas(matrix, poses):
    """Visible points of poses on the canvas, [N, 2]."""
    moved = affine.transform_joints(affine.invert(matrix), np.asarray(poses))
    return moved[moved[..., 2] > 0, :2]


def walk(standing, steps):
    """The standing person at several places, [T, 14, 3]."""
    return np.stack([standing + np.float32([x, y, 0]) for x, y in steps])


@pytest.mark.parametrize("shift, size", [((0, 0), 1), ((9, -5), 1.1), ((-12, 7), 0.8)])
def test_sequence_crop_of_one_pose_is_the_common_crop(standing, shift, size):
    target = standing * np.float32([size, size, 1]) + np.float32([*shift, 0])
    expected = crop.common_crop([standing, target], PERSON, 96, 128, crop_factor=1.1)
    actual = crop.sequence_crop(standing, target[None], PERSON, 96, 128, crop_factor=1.1)
    assert actual.dtype == np.float32 and actual.shape == (2, 3)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_sequence_crop_moves_before_it_steps_back(standing):
    # Most frames stand still, so the typical place does; the last ones reach to the right and down.
    poses = walk(standing, [(0, 0)] * 20 + [(90, 12)] * 4)
    usual = crop.common_crop([standing], PERSON, 256, 256)
    assert on_canvas(usual, poses).max() > 255
    matrix = crop.sequence_crop(standing, poses, PERSON, 256, 256)
    assert matrix[0, 0] == pytest.approx(usual[0, 0], rel=1e-5)
    assert matrix[0, 2] > usual[0, 2] + 1
    points = on_canvas(matrix, [standing, *poses])
    assert points.min() > 0.02 * 255 and points.max() < 0.98 * 255


@pytest.mark.parametrize("direction", [-1, 1])
def test_sequence_crop_steps_back_no_more_than_needed(standing, direction):
    poses = walk(standing, [(direction * x, 0) for x in range(60, 200, 10)])
    matrix = crop.sequence_crop(standing, poses, PERSON, 256, 256)
    usual = crop.common_crop([standing], PERSON, 256, 256)
    assert 1 < matrix[0, 0] / usual[0, 0] < 1.5
    x = on_canvas(matrix, [standing, *poses])[:, 0]
    np.testing.assert_allclose([x.min(), x.max()], [0.03 * 255, 0.97 * 255], atol=0.1)


def test_sequence_crop_of_a_long_walk_keeps_the_source_in_view(standing):
    poses = walk(standing, [(x, 0) for x in range(0, 2000, 10)])
    matrix = crop.sequence_crop(standing, poses, PERSON, 240, 256)
    usual = crop.common_crop([standing], PERSON, 240, 256)
    assert matrix[0, 0] / usual[0, 0] == pytest.approx(1.5, rel=1e-5)
    x, y = on_canvas(matrix, [standing]).T
    # At the left edge, so that as much of the walk as possible is seen.
    assert x.min() == pytest.approx(0.03 * 255, abs=0.1) and x.max() < 255
    assert y.min() > 0 and y.max() < 239


def test_sequence_crop_overlooks_single_stray_frames_and_those_without_a_person(standing):
    poses = walk(standing, [(x, 0) for x in range(60)])
    expected = crop.sequence_crop(standing, poses, PERSON, 256, 256)
    stray, absent = poses.copy(), poses.copy()
    stray[30, :, :2] = stray[30, :, :2] * 5 - 700
    np.testing.assert_allclose(crop.sequence_crop(standing, stray, PERSON, 256, 256), expected, atol=1.1)
    absent[20:40] = np.nan, np.nan, 0
    np.testing.assert_allclose(crop.sequence_crop(standing, absent, PERSON, 256, 256), expected, rtol=1e-5)
    alone = crop.sequence_crop(standing, absent[20:40], PERSON, 256, 256)
    np.testing.assert_allclose(alone, crop.common_crop([standing], PERSON, 256, 256), rtol=1e-5)


def test_sequence_crop_needs_a_visible_source(standing, refuses):
    source = standing.copy()
    source[1:, 2] = 0
    refuses(lambda: crop.sequence_crop(source, standing[None], PERSON, 64, 64), "two joints")


ROOMY = (5000, 5000)


def upper_body(pose, skeleton):
    """From the head to the middle of the hips, whichever way up."""
    named = dict(zip(skeleton.joints, pose, strict=True))
    hips = [named[name][:2] for name in ("left_hip", "right_hip") if named[name][2]]
    return np.linalg.norm(np.mean(hips, axis=0) - named["head"][:2]) if hips and named["head"][2] else 0


def shifted(poses, x, y):
    return np.float32(poses) + np.float32([x, y, 0])


@pytest.mark.parametrize("shift, size", [((0, 0), 1), ((9, -5), 0.9), ((-12, 7), 0.8)])
def test_whole_crop_is_that_of_training_where_all_fits(standing, shift, size):
    source = shifted(standing, 2000, 2000)
    target = shifted((standing - [100, 120, 0]) * [size, size, 1], 2100 + shift[0], 2120 + shift[1])
    expected = crop.common_crop([source, target], PERSON, 96, 128, crop_factor=1.1)
    actual = crop.whole_crop(source, target[None], ROOMY, PERSON, 96, 128, crop_factor=1.1)
    assert actual.dtype == np.float32 and actual.shape == (2, 3)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


@pytest.mark.parametrize("skeleton", [PERSON, GOLF, BODY], ids=lambda skeleton: skeleton.name)
def test_whole_crop_holds_all_that_the_photo_has_of_both_and_steps_back_no_more_than_needed(skeleton):
    height, width = 192, 256
    image_size, cases = (400, 500), set()
    rng = np.random.default_rng(4)
    for _ in range(200):
        middles = rng.uniform([20, 50], [480, 330], (2, 1, 2))
        joints = middles + rng.normal(0, rng.uniform([5, 20], [60, 90]), (2, skeleton.joint_count, 2))
        poses = np.concatenate([joints, rng.uniform(size=(2, skeleton.joint_count, 1)) < 0.8], axis=-1)
        matrix = crop.whole_crop(poses[0], poses[1:], image_size, skeleton, height, width)
        low, high = np.full(2, np.inf), np.full(2, -np.inf)
        for pose in poses:
            size = max(200 * person_scale(pose, skeleton), 2.5 * upper_body(pose, skeleton))
            for joint, (x, y, visible) in zip(skeleton.joints, pose, strict=True):
                reach = (0.08 if joint in BODY.joints[14:] else 0.15) * size
                if visible:
                    low, high = np.minimum(low, [x - reach, y - reach]), np.maximum(high, [x + reach, y + reach])
        low, high = np.clip(low, -1.5, [500.5, 400.5]), np.clip(high, -1.5, [500.5, 400.5])
        # Corners of the canvas's outer pixels.
        first, last = matrix @ [-0.5, -0.5, 1], matrix @ [width - 0.5, height - 0.5, 1]
        assert (first <= low + 1e-3).all() and (last >= high - 1e-3).all()
        usual = max(person_scale(pose, skeleton) for pose in poses) / (1.14 * height / 256)
        needed = max((high - low) / [width, height])
        assert matrix[0, 0] == pytest.approx(max(usual, needed), rel=1e-5)
        cases |= {needed > 2 * usual, needed > usual, bool((low <= 0).any())}
    assert cases == {False, True}


def test_hands_feet_and_face_change_nothing_of_how_a_person_is_measured(standing):
    body = np.concatenate([standing, standing[:9] + np.float32([60, 90, 0])])
    few = np.pad(standing, [(0, 9), (0, 0)])
    assert person_scale(body, BODY) == person_scale(standing, PERSON)
    for made in (
        lambda pose: crop.common_crop([pose, pose + np.float32([5, 3, 0])], BODY, 256, 256),
        lambda pose: crop.sequence_crop(pose, pose[None] + np.float32([9, 0, 0]), BODY, 256, 256),
    ):
        np.testing.assert_array_equal(made(body), made(few))
    # Two feet alone are nobody.
    body[:14, 2] = 0
    target = few[None] + np.float32([9, 0, 0])
    np.testing.assert_array_equal(
        crop.whole_crop(few, np.concatenate([target, body[None]]), ROOMY, BODY, 256, 256),
        crop.whole_crop(few, target, ROOMY, BODY, 256, 256),
    )


def test_whole_crop_of_a_far_jump_steps_back_until_both_are_seen(standing):
    source, target = shifted(standing, 100, 400), shifted(standing, 800, 300)
    matrix = crop.whole_crop(source, target[None], (700, 1100), PERSON, 256, 256)
    usual = crop.usual_step(source, target[None], PERSON, 256, 256)
    assert usual == pytest.approx(crop.common_crop([standing], PERSON, 256, 256)[0, 0])
    assert matrix[0, 0] > 3 * usual
    points = on_canvas(matrix, [source, target])
    reach = 0.15 * 2.5 * upper_body(standing, PERSON) / matrix[0, 0]
    np.testing.assert_allclose(points.min(axis=0)[0] - reach, -0.5, atol=1e-3)
    np.testing.assert_allclose(points.max(axis=0)[0] + reach, 255.5, atol=1e-3)


def test_whole_crop_does_not_step_back_for_what_the_photo_cuts_off(standing):
    # Arms wide to the left, where the photo ends at the trunk.
    wide = standing.copy()
    wide[PERSON.joint_index("right_elbow", "right_wrist"), 0] = [-20, -120]
    roomy = crop.whole_crop(shifted(standing, 900, 900), shifted(wide, 900, 900)[None], ROOMY, PERSON, 256, 256)
    cut = crop.whole_crop(standing, wide[None], (240, 230), PERSON, 256, 256)
    assert roomy[0, 0] > 1.2 * cut[0, 0]
    assert cut[0, 0] == pytest.approx(crop.common_crop([standing, wide], PERSON, 256, 256)[0, 0])
    first, last = cut @ [-0.5, -0.5, 1], cut @ [255.5, 255.5, 1]
    assert (first <= -0.5).all() and (last >= [179, 239.5]).all()


def test_whole_crop_of_a_long_walk_holds_source_and_walk_without_the_strays(standing):
    source = shifted(standing, 500, 300)
    poses = walk(source, [(x, 0.2 * x) for x in range(0, 1200, 20)])
    expected = crop.whole_crop(source, poses, ROOMY, PERSON, 240, 256)
    assert on_canvas(expected, [source, *poses]).min() > 0 and on_canvas(expected, poses)[:, 0].max() < 256
    stray, absent = poses.copy(), poses.copy()
    stray[30, :, :2] = stray[30, :, :2] * 5 - 700
    np.testing.assert_allclose(crop.whole_crop(source, stray, ROOMY, PERSON, 240, 256), expected, rtol=0.02, atol=21)
    absent[20:40] = np.nan, np.nan, 0
    np.testing.assert_allclose(crop.whole_crop(source, absent, ROOMY, PERSON, 240, 256), expected, rtol=1e-5)


@pytest.mark.parametrize("extent", [(30, 40, 170, 219), (-60, 40, 170, 219), (30, 40, 170, 320), (-40, -60, 300, 330)])
def test_a_crop_holds_what_shows_the_person_and_grows_no_more_than_needed(extent):
    before = np.float32([[0.5, 0, 20], [0, 0.5, 30]])
    shown = [19.75, 29.75, 19.75 + 0.5 * 512, 29.75 + 0.5 * 384]
    step, _, x = (after := crop.holding(before, np.float32(extent), 384, 512))[0]
    box = np.array(
        [x - step / 2, after[1, 2] - step / 2, x - step / 2 + step * 512, after[1, 2] - step / 2 + step * 384]
    )
    wanted = np.array(extent) + [-1.5, -1.5, 1.5, 1.5]
    both = np.array([*np.minimum(shown, wanted)[:2], *np.maximum(shown, wanted)[2:]])
    assert (box[:2] <= both[:2] + 1e-3).all() and (box[2:] >= both[2:] - 1e-3).all()
    assert step == pytest.approx(max((both[2] - both[0]) / 512, (both[3] - both[1]) / 384), rel=1e-5)


def test_whole_crop_needs_poses_of_two_joints(standing, refuses):
    other = standing.copy()
    other[1:, 2] = 0
    refuses(lambda: crop.whole_crop(other, standing[None], ROOMY, PERSON, 64, 64), "two joints")
    refuses(lambda: crop.whole_crop(standing, other[None], ROOMY, PERSON, 64, 64), "target pose shows two joints")
