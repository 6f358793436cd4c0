"""The scene that the copying generator leaves, and what it decides more sharply in use than in training."""

import numpy as np
import scipy.ndimage
import tensorflow as tf

from tf_unseen_pose.geometry import pose_maps, skinning
from tf_unseen_pose.geometry.warping import sample_cubic, sample_within
from tf_unseen_pose.model import beside_arms, build_generator, person_fill
from tf_unseen_pose.model.compositing import compose
from tf_unseen_pose.model.matte import guided_matte, person_mask


def test_the_background_is_the_photo_wherever_no_person_is_near(small, batch):
    inputs = batch(64, 96)
    stages = small.explain(inputs)
    # Enlarging the mask reaches two pixels beyond the grown hole.
    near = tf.nn.max_pool2d(1 - stages["background_input"][..., 3:], 3, 1, "SAME").numpy()
    stride = small.config.reduction
    far = near.repeat(stride, 1).repeat(stride, 2)[..., 0] < 1e-6
    assert 0.1 < far.mean() < 0.9
    np.testing.assert_allclose(stages["background"].numpy()[far], inputs["image"][far], atol=1e-5)
    painted = np.abs(stages["background"] - inputs["image"]).max(-1)
    person = 1 - stages["masks"].numpy()[..., 0].repeat(stride, 1).repeat(stride, 2)
    assert painted[person > 0.95].min() > 0


def test_a_steep_hole_shows_nothing_of_what_may_be_the_person(small, batch):
    generator = build_generator(small.config.model_copy(update={"hole_steepness": 4.0, "hole_growth": 0}))
    inputs, stride = batch(64, 96), generator.config.reduction
    stages = generator.explain(inputs)
    mask = 1 - stages["masks"][..., :1]
    picture = tf.nn.avg_pool2d(inputs["image"], stride, stride, "VALID")
    guided = person_mask(picture, guided_matte(picture, mask))
    # Whatever one of both masks shows.
    person = np.maximum(mask, guided)[..., 0]
    assert np.abs(guided - mask).max() > 0.05
    visible = stages["background_input"][..., 3].numpy()
    assert 0.05 < (person > 0.25).mean() < 0.95
    # A tenth of a hole is none.
    np.testing.assert_allclose(visible, 1 - np.clip((4 * person - 0.1) / 0.9, 0, 1), atol=1e-5)


def test_alpha_is_steeper_and_smoother_in_use_than_in_training(small, batch):
    inputs = batch(64, 96)
    soft, steep = (
        build_generator(small.config.model_copy(update={"alpha_steepness": steepness, "blend_radius": 0.0}))
        for steepness in (1.0, 4.0)
    )
    for generator in (soft, steep):
        for network, other in zip(generator.networks, small.networks, strict=True):
            network.set_weights(other.get_weights())
    alpha = soft.explain(inputs, training=True)["alpha"].numpy().astype(np.float64)
    assert ((alpha > 0.2) & (alpha < 0.8)).mean() > 0.05
    np.testing.assert_allclose(steep.explain(inputs, training=True)["alpha"], alpha, atol=1e-5)
    logit = np.log(alpha) - np.log1p(-alpha)
    for generator, steepness in ((soft, 1), (steep, 4)):
        expected = 1 / (1 + np.exp(-steepness * logit))
        # One that is not steep is smooth already.
        for axis in (1, 2)[: 2 * (steepness - 1)]:
            expected = scipy.ndimage.convolve1d(expected, [0.25, 0.5, 0.25], axis=axis, mode="nearest")
        np.testing.assert_allclose(generator.explain(inputs)["alpha"], expected, atol=1e-4)


def test_the_canvas_is_sampled_bilinearly(small, batch):
    inputs = batch(64, 96)
    state = small.encode_source(inputs["image"], inputs["source_joints"])
    given = state.image, state.matte, state.hole, small.decide(state, inputs["target_joints"]), 64, small.steepness
    bilinear, bicubic = (compose(*given, sample=sample)["image"] for sample in (sample_within, sample_cubic))
    rendered = small.render(state, inputs["target_joints"])
    np.testing.assert_allclose(rendered, bilinear, atol=1e-5)
    assert np.abs(rendered - bicubic).max() > 0.05


def test_far_places_are_not_blended_in_use(small, batch):
    inputs = batch(64, 96)
    trained, used = (small.explain(inputs, training=training) for training in (True, False))
    weights, stride = trained["limb_weights"], small.config.reduction
    agreeing = skinning.agreeing_weights(trained["target_to_source"], weights, stride, small.config.blend_radius)
    np.testing.assert_allclose(used["limb_weights"], agreeing, atol=1e-5)
    assert np.abs(agreeing - weights).max() > 0.05


def test_arms_are_looked_for_where_pixels_are_copied_from(small, batch, monkeypatch):
    filling, seen = person_fill.filling, []
    monkeypatch.setattr(person_fill, "filling", lambda *maps: seen.append(maps) or filling(*maps))
    inputs, body = batch(64, 96, batch=1), small.body
    source = inputs["source_joints"]
    decisions = small.decide(small.encode_source(inputs["image"], source), inputs["target_joints"])
    place, arms, parts = places(decisions, small), seen[-1][4].numpy()[0, ..., 0], seen[-1][5]
    ends = pose_maps.limb_axes(source, body)
    away = np.full(arms.shape, np.inf)
    for limb, start, end in zip(body.limbs, ends[0][0].numpy(), ends[1][0].numpy(), strict=True):
        if limb.name.endswith(("arm", "hand")):
            along = np.clip((place - start) @ (end - start) / np.sum((end - start) ** 2), 0, 1)
            away = np.minimum(away, np.linalg.norm(start + along[..., None] * (end - start) - place, axis=-1))
    inside = ((place > 2) & (place < [93, 61])).all(axis=-1)
    # A core of 64 pixels is a quarter as wide as one of 256.
    assert arms[inside & (away < 1)].min() > 0.6 and (arms[inside & (away > 6)] == 0).all()
    np.testing.assert_array_equal(np.shape(parts), (2, 1, *arms.shape, 1))


def places(decisions, generator):
    """Where the pixels of the map are copied from, in pixels of the canvas: [h, w, 2]."""
    flow, stride = decisions.displacement.numpy()[0], generator.config.reduction
    rows, columns = np.indices(flow.shape[:2])
    return stride * np.stack([columns, rows], axis=-1) + (stride - 1) / 2 + flow


def test_what_is_beside_an_arm_is_looked_up_likewise_and_lowers_alpha(small, batch, monkeypatch):
    inputs, stride = batch(64, 96, batch=1), small.config.reduction
    state = small.encode_source(inputs["image"], inputs["source_joints"])
    rows, columns = np.indices((64 // stride, 96 // stride), np.float32)
    ramp = tf.constant((rows + 3 * columns)[None, ..., None] / 200)
    monkeypatch.setattr(beside_arms, "taken_along", lambda torso, *_: 8 * torso)
    found = []
    for beside in (tf.zeros_like(ramp), ramp):
        monkeypatch.setattr(beside_arms, "torso_beside", lambda *_, beside=beside: beside)
        found.append(small.decide(state, inputs["target_joints"]))
    x, y = np.moveaxis((places(found[0], small) - (stride - 1) / 2) / stride, -1, 0)
    inside = (x > 1) & (x < 96 / stride - 2) & (y > 1) & (y < 64 / stride - 2)
    assert inside.mean() > 0.3
    lower = (found[0].alpha - found[1].alpha).numpy()[0, ..., 0]
    np.testing.assert_allclose(lower[inside], 8 * (y + 3 * x)[inside] / 200, atol=1e-3)
