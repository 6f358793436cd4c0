from dataclasses import replace

import numpy as np
import pytest
from small_networks import TINY

from tf_unseen_pose import Reposer, UserError
from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.geometry.resampling import resample
from tf_unseen_pose.imaging.affine import invert, transform_joints
from tf_unseen_pose.imaging.compositing import Compositor
from tf_unseen_pose.imaging.crop import sequence_crop
from tf_unseen_pose.imaging.image_files import from_uint8
from tf_unseen_pose.imaging.placement import Placement, on_whole_pixels
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.training.run import Run


@pytest.fixture(scope="module")
def run_path(tmp_path_factory):
    config = load_config("tiny", TINY)
    path = tmp_path_factory.mktemp("runs") / "untrained"
    Run.create(path, config).save_weights(build_generator(config.model))
    return path


@pytest.fixture(scope="module")
def frames():
    return list(synthetic_clip(3, 8, 180, 240))


def test_the_photo_keeps_its_size_and_changes_only_within_the_crop(run_path, frames):
    reposer = Reposer.load(run_path)
    source, target = frames[0], frames[4]
    result = reposer.synthesize(source.image, target.joints, source.joints)
    assert result.shape == source.image.shape and result.dtype == np.uint8
    canvas = reposer.canvas(source.image, source.joints, target.joints)
    step, (left, top) = canvas.canvas_to_image[0, 0], canvas.canvas_to_image[:, 2]
    y, x = np.mgrid[:180, :240]
    half = step / 2
    outside = (x < left - half) | (y < top - half) | (x > left + 63 * step + half) | (y > top + 63 * step + half)
    assert outside.any() and (~outside).any()
    np.testing.assert_array_equal(result[outside], source.image[outside])
    assert np.abs(result[~outside].astype(int) - source.image[~outside]).mean() > 3
    crop = reposer.synthesize(source.image, target.joints, source.joints, crop=True)
    shown = result[~outside.all(axis=1)][:, ~outside.all(axis=0)]
    np.testing.assert_array_equal(crop, shown)


def test_a_persons_model_takes_bodies(run_path, frames):
    """What an estimator finds today is what a model of 14 joints was trained for, and more."""
    reposer, photo = Reposer.load(run_path), frames[0].image
    poses = [np.concatenate([frame.joints, frame.joints[:9] + 3]) for frame in frames[:3]]
    poses[0][20, :2] = [-500, 20]  # toes are seldom in the picture
    expected = reposer.synthesize(photo, frames[2].joints, frames[0].joints)
    np.testing.assert_array_equal(reposer.synthesize(photo, poses[2], poses[0]), expected)
    shown = np.stack(poses)
    (*_, last) = reposer.animate(photo, shown, poses[0])
    np.testing.assert_array_equal(last, list(reposer.animate(photo, shown[:, :14], frames[0].joints))[-1])
    # Threads may sum in another order, which can turn one level into its neighbour.
    np.testing.assert_allclose(reposer.live(photo, shown, poses[0])(poses[2]), last, rtol=0, atol=1)


def test_encode_once_render_many(run_path, frames):
    reposer = Reposer.load(run_path)
    canvas = reposer.canvas(frames[0].image, frames[0].joints, frames[4].joints)
    image = np.round((canvas.image + 1) * 127.5).astype(np.uint8)
    state = reposer.encode(image, canvas.source_joints)
    rendered = reposer.render(state, canvas.target_joints)
    expected = reposer.explain(replace(canvas, image=from_uint8(image)))["image"]
    np.testing.assert_allclose((expected + 1) * 127.5, rendered, atol=1)
    other = reposer.render(state, canvas.target_joints + np.float32([5, 0, 0]))
    assert np.abs(other.astype(int) - rendered).max() > 3


def test_the_canvas_shows_the_joints_where_the_photo_has_them(run_path, frames):
    reposer = Reposer.load(run_path)
    photo = np.zeros((180, 240, 3), np.uint8)
    joints = frames[0].joints
    for x, y, _ in joints:
        photo[int(round(y)) - 3 : int(round(y)) + 4, int(round(x)) - 3 : int(round(x)) + 4] = 255
    canvas = reposer.canvas(photo, joints, frames[4].joints)
    for x, y, _ in canvas.source_joints:
        assert canvas.image[int(round(y)), int(round(x))].mean() > 0.4


def test_explain_has_every_stage_of_the_result(run_path, frames):
    reposer = Reposer.load(run_path)
    canvas = reposer.canvas(frames[0].image, frames[0].joints, frames[4].joints)
    stages = reposer.explain(canvas)
    assert stages["masks"].shape == (64, 64, 11) and stages["warped_layers"].shape == (10, 64, 64, 3)
    composite = stages["alpha"] * stages["foreground"] + (1 - stages["alpha"]) * stages["background"]
    np.testing.assert_allclose(stages["image"], composite, atol=1e-6)


def test_the_documented_call_of_the_generator(run_path, batch):
    inputs = batch()
    image = Reposer.load(run_path).networks.generator(
        {key: inputs[key] for key in ("image", "source_joints", "target_joints")}
    )
    assert image.shape == (2, 64, 64, 3) and np.abs(image).max() <= 1


def test_refusals(run_path, frames, tmp_path):
    reposer = Reposer.load(run_path)
    image, joints = frames[0].image, frames[0].joints
    with pytest.raises(UserError, match="target pose has 13 joints"):
        reposer.synthesize(image, joints[:-1], joints)
    with pytest.raises(UserError, match="Fewer than two joints"):
        reposer.synthesize(image, joints, joints + np.float32([900, 0, 0]))
    with pytest.raises(UserError, match="All of the target pose lies outside the 240 x 180 photo"):
        reposer.synthesize(image, joints + np.float32([0, 900, 0]), joints)
    with pytest.raises(UserError, match="leave out 'person'"):
        reposer.synthesize(image, joints, joints, person=1)
    with pytest.raises(UserError, match="canvas is uint8"):
        reposer.encode(image, joints)
    with pytest.raises(UserError, match="no model folder"):
        Reposer.load(tmp_path / "none")
    with pytest.raises(UserError, match="config.json"):
        Reposer.load(tmp_path)
    Run.create(tmp_path / "empty", load_config("tiny"))
    with pytest.raises(UserError, match="has no weights"):
        Reposer.load(tmp_path / "empty")
    (tmp_path / "empty" / "generator.weights.h5").write_bytes((run_path / "generator.weights.h5").read_bytes()[:5000])
    with pytest.raises(UserError, match="damaged"):
        Reposer.load(tmp_path / "empty")


def test_what_lies_outside_of_the_photo_is_absent_or_cut_off(run_path, frames, caplog):
    reposer, (image, joints) = Reposer.load(run_path), (frames[0].image, frames[0].joints)
    source, target, absent = joints.copy(), joints.copy(), joints.copy()
    source[10, 1], target[4, 0], absent[10] = 185, -20, 0
    result = reposer.synthesize(image, target, source)
    assert "photo does not show is left out: the right ankle." in caplog.text
    assert "target pose has outside the photo is cut off: the right wrist." in caplog.text
    np.testing.assert_array_equal(result, reposer.synthesize(image, target, absent))


def test_the_source_pose_is_found_where_it_is_not_given(run_path, frames, has_model):
    reposer = Reposer.load(run_path)
    found = reposer.canvas(frames[0].image, None, frames[4].joints)
    given = reposer.canvas(frames[0].image, frames[0].joints, frames[4].joints)
    step = found.canvas_to_image[0, 0]
    shown = found.source_joints[:, :2] * step + found.canvas_to_image[:, 2]
    distances = np.linalg.norm(shown - frames[0].joints[:, :2], axis=1)
    assert distances.mean() < 0.05 * np.ptp(frames[0].joints[:, 1])
    assert np.abs(found.canvas_to_image - given.canvas_to_image).max() < 20
    with pytest.raises(UserError, match="No person was found in the photo"):
        reposer.synthesize(np.full((90, 120, 3), 128, np.uint8), frames[4].joints)


def test_animate_renders_what_encode_and_render_do(run_path, frames):
    """Seven poses in batches of three; frames in which nobody is seen hold the one before, at the start the first."""
    reposer = Reposer.load(run_path)
    poses = np.stack([frame.joints for frame in frames[:7]])
    poses[[0, 3, 4], :, 2] = 0
    video = list(reposer.animate(frames[0].image, poses, frames[0].joints, crop=True, batch_size=3))
    assert len(video) == 7 and all(frame.dtype == np.uint8 for frame in video)
    for held, shown in ((0, 1), (3, 2), (4, 2)):
        np.testing.assert_array_equal(video[held], video[shown])
    assert np.abs(video[5].astype(int) - video[2]).max() > 3
    networks = reposer.networks
    crop = sequence_crop(frames[0].joints, poses[[1, 2, 5, 6]], reposer.skeleton, 64, 64, networks.crop_factor)
    crop = on_whole_pixels(crop, 64, 64)
    source, target = (transform_joints(invert(crop), joints) for joints in (frames[0].joints, poses[5]))
    place = Placement.of(frames[0].image, crop, 64, 64)
    pixels, inside = place.covered(frames[0].image), np.float32(place.canvas_to_covered)
    canvas = resample(pixels.astype(np.float32), inside, networks.height, networks.width).numpy() / 127.5 - 1
    state = networks.generator.encode_source(canvas[None], source[None])
    decisions = np.concatenate(networks.generator.decide(state, target[None]), axis=-1)[0]
    compositor = Compositor(frames[0].image, place, state.matte[0].numpy(), state.hole[0].numpy(), 1.0, sharp_hole=True)
    whole = list(reposer.animate(frames[0].image, poses, frames[0].joints, batch_size=3))
    assert np.abs(whole[5].astype(int) - compositor(decisions)).max() <= 1
    np.testing.assert_array_equal(video[5], place.covered(whole[5]))


def test_animate_refuses_what_shows_nobody(run_path, frames):
    reposer = Reposer.load(run_path)
    joints = frames[0].joints
    for poses in (np.zeros((3, 14, 3)), joints, np.full((2, 14, 3), np.nan)):
        with pytest.raises(UserError, match="driving poses"):
            next(reposer.animate(frames[0].image, poses, joints))
    # Joints that leave the picture are cut off, not refused.
    assert next(reposer.animate(frames[0].image, joints[None] + np.float32([90, 0, 0]), joints)).shape == (180, 240, 3)


def test_a_person_who_is_seen_much_smaller_than_usual_is_told_of(run_path, frames, caplog):
    reposer, joints = Reposer.load(run_path), frames[0].joints
    # Three times as large, so that the canvas is coarser than the photo.
    photo, source = np.zeros((540, 1600, 3), np.uint8), joints * np.float32([3, 3, 1])
    for jump, told in ((30, []), (800, ["coarser"])):
        caplog.clear()
        result = reposer.synthesize(photo, source + np.float32([jump, 0, 0]), source)
        assert result.shape == photo.shape
        assert [word for word in ("coarser",) for record in caplog.records if word in record.getMessage()] == told
    # A small photo is seen as fine as it is.
    caplog.clear()
    reposer.synthesize(frames[0].image[:, ::4], joints * np.float32([0.25, 1, 1]), joints * np.float32([0.25, 1, 1]))
    assert not caplog.records


def test_a_target_may_have_depth(run_path, frames):
    reposer = Reposer.load(run_path)
    image, source, target = frames[0].image, frames[0].joints, frames[4].joints
    z = np.linspace(-20, 33, 14, dtype=np.float32)[:, None]
    deep, flat = np.concatenate([target, z], axis=1), np.zeros((14, 1), np.float32)
    canvas = reposer.canvas(image, np.concatenate([source, z], axis=1), deep)
    plain = reposer.canvas(image, source, target)
    np.testing.assert_array_equal(canvas.source_joints, plain.source_joints)
    np.testing.assert_array_equal(canvas.target_joints[:, :3], plain.target_joints)
    np.testing.assert_allclose(canvas.target_joints[:, 3:], z / canvas.canvas_to_image[0, 0], rtol=1e-5)
    state = reposer.encode(np.round((canvas.image + 1) * 127.5).astype(np.uint8), np.c_[canvas.source_joints, flat])
    assert reposer.render(state, canvas.target_joints).shape == (64, 64, 3)
    (frame,) = reposer.animate(image, deep[None], np.c_[source, flat])
    assert np.abs(frame.astype(int) - reposer.synthesize(image, deep, source)).max() <= 1  # another batch size


def test_each_function_is_traced_once_a_shape(run_path, frames):
    reposer = Reposer.load(run_path)
    networks, poses = reposer.networks, np.stack([frame.joints for frame in frames])
    for photo in (frames[0].image, frames[0].image[:170, :230]):
        assert len(list(reposer.animate(photo, poses, frames[0].joints, batch_size=3))) == 8
    traced = (networks._cut_out, networks._encode, networks._decide)
    assert [function.experimental_get_tracing_count() for function in traced] == [1, 1, 1]


def test_xla_makes_the_same_pictures(run_path, frames):
    poses = np.stack([frame.joints for frame in frames[3:5]])
    plain, compiled = (
        np.stack(list(Reposer.load(run_path, xla=xla).animate(frames[0].image, poses, frames[0].joints, batch_size=2)))
        for xla in (False, True)
    )
    assert np.abs(plain.astype(int) - compiled).max() <= 1
