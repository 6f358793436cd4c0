"""What is copied must be the photo's own pixels, from where the limbs' transforms say."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from tf_unseen_pose.geometry import pose_maps, skinning
from tf_unseen_pose.model import build_generator


@pytest.fixture
def undecided(small):
    """The foreground network says nothing: limbs are chosen by their coverage, nothing stays or is replaced."""
    generator = silenced(small)
    bias(generator, "replace").assign([-30])
    bias(generator, "limbs").assign([0] * small.body.limb_count + [-30])
    return generator


def silenced(small):
    """A generator whose networks of the person say nothing."""
    generator = build_generator(small.config)
    for network in generator.networks[2:]:
        network.set_weights([np.zeros_like(weight) for weight in network.get_weights()])
    return generator


def bias(generator, head):
    return generator.foreground.get_layer("heads").biases[head]


def test_stages_fit_together(small, batch):
    inputs = batch(64, 96)
    stages = {name: value.numpy() for name, value in small.explain(inputs).items()}
    np.testing.assert_allclose(stages["masks"].sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(stages["limb_weights"].sum(-1), 1, atol=1e-5)
    stride = small.config.reduction
    height, width = 64 // stride, 96 // stride
    reduced = inputs["image"].reshape(2, height, stride, width, stride, 3).mean(axis=(2, 4))
    masks = np.concatenate([stages["masks"][..., 1:], 1 - stages["masks"][..., :1]], axis=-1)
    for limb in range(small.body.limb_count + 1):
        mask = masks[..., limb, None]
        layer = np.concatenate([mask * reduced, mask], axis=-1)
        expected = layer.reshape(2, height // 2, 2, width // 2, 2, 4).mean(axis=(2, 4))
        np.testing.assert_allclose(stages["layers"][:, limb, 1:-1, 1:-1], expected, atol=1e-5)
    composite = stages["alpha"] * stages["foreground"] + (1 - stages["alpha"]) * stages["background"]
    composite += stages["stillness"] * (inputs["image"] - composite)
    np.testing.assert_allclose(stages["image"], composite, atol=1e-6)


def test_rendering_an_encoded_source_equals_the_call_for_every_example(small, batch):
    inputs = batch(64, 96, batch=3)
    state = small.encode_source(inputs["image"], inputs["source_joints"])
    np.testing.assert_allclose(small.render(state, inputs["target_joints"]), small(inputs), atol=1e-6)
    alone = {key: value[1:2] for key, value in inputs.items()}
    np.testing.assert_allclose(small(inputs)[1:2], small(alone), atol=1e-5)


def test_the_source_pose_copies_every_pixel_of_the_photo_exactly(undecided, batch):
    inputs = batch(64, 96)
    # Not certain enough to fill slits between limbs.
    bias(undecided, "alpha").assign([-5])
    stages = undecided.explain({**inputs, "target_joints": inputs["source_joints"]})
    np.testing.assert_allclose(stages["foreground"], inputs["image"], atol=2e-4)


def test_a_moved_person_is_the_photo_moved(undecided, batch):
    inputs = batch(64, 96)
    moved = inputs["source_joints"] + np.float32([6, -3, 0])
    foreground = undecided.explain({**inputs, "target_joints": moved})["foreground"].numpy()
    np.testing.assert_allclose(foreground[:, 10:50, 10:90], inputs["image"][:, 13:53, 4:84], atol=2e-4)


def test_replacing_in_part_keeps_the_photos_grain(small, batch):
    """By half: of what is copied three quarters of the grain remain, and the colour is the network's by half."""
    generator = silenced(small)
    bias(generator, "replace").assign([3])  # against the prior: a half
    bias(generator, "colour").assign(np.arctanh([0.6, -0.4, 0.2]))
    inputs, stride = batch(64, 96), small.config.reduction
    # Grain that is nothing in the mean of four pixels, about one colour.
    sign = np.indices((64, 96)).sum(axis=0) % 2 * 2 - 1
    image = np.broadcast_to(0.1 + 0.3 * sign[..., None], (2, 64, 96, 3)).astype(np.float32)
    own = {**inputs, "image": image, "target_joints": inputs["source_joints"]}
    foreground = generator.explain(own)["foreground"].numpy()
    low = np.float32(0.1) if stride == 2 else image
    expected = 0.75 * image + 0.5 * np.float32([0.6, -0.4, 0.2]) - 0.25 * low
    np.testing.assert_allclose(foreground[:, 4:-4, 4:-4], expected[:, 4:-4, 4:-4], atol=1e-3)


def test_only_what_neither_leaves_nor_comes_is_still(undecided, batch):
    """A right forearm that moves: neither its old place nor its new one is still, the left leg is."""
    # In the order of the skeleton's joints: head, neck; arms and legs, the right ones first.
    points = [
        (48, 6), (48, 14), (40, 16), (30, 20), (18, 26), (56, 16), (64, 24), (70, 32),
        (43, 36), (42, 48), (41, 60), (53, 36), (54, 48), (55, 60),
    ]  # fmt: skip
    source = np.float32([[(*point, 1) for point in points]])
    target, body = source.copy(), undecided.body
    target[0, body.joint_index("right_wrist"), :2] = 16, 10
    for layer in undecided.segmentation.layers:
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    image = batch(64, 96, batch=1)["image"]
    stages = undecided.explain({"image": image, "source_joints": source, "target_joints": target})
    still = stages["stillness"].numpy()[0, ..., 0]

    def at(pose, *names):
        x, y = pose[0, body.joint_index(*names), :2].mean(axis=0).round().astype(int)
        return still[y, x]

    # A hundredth of the forearm's weight reaches the leg where a network says nothing.
    assert at(source, "left_knee", "left_ankle") > 0.4
    assert at(source, "right_wrist") < 0.01 and at(target, "right_wrist") < 0.01


def test_a_nudge_copies_from_beside_and_nothing_moves_by_it(undecided, batch):
    if not undecided.config.nudge:
        pytest.skip("has no nudge")
    generator = silenced(undecided)
    bias(generator, "replace").assign([-30])
    bias(generator, "nudge").assign(np.arctanh(np.float32([4, -3]) / 12))
    bias(generator, "alpha").assign([-30])  # nothing is filled
    inputs = batch(64, 96)
    stages = generator.explain({**inputs, "target_joints": inputs["source_joints"]})
    foreground = stages["foreground"].numpy()
    np.testing.assert_allclose(foreground[:, 8:50, 10:80], inputs["image"][:, 5:47, 14:84], atol=2e-4)
    # The source pose leaves the photo as it is.
    np.testing.assert_allclose(stages["stillness"], 1, atol=1e-4)


def test_alpha_is_decided_by_what_is_copied(small, batch):
    """The colour of the photo's other half changes no pixel's alpha, that of the own half does."""
    if not small.config.refinement:
        pytest.skip("does not look again")
    inputs = batch(64, 96, batch=1)
    state = small.encode_source(inputs["image"], inputs["source_joints"])
    logits = small.decide(state, inputs["target_joints"]).alpha.numpy()
    other = inputs["image"].copy()
    other[:, :, 48:] *= -1
    changed = small.decide(state._replace(image=tf.constant(other)), inputs["target_joints"]).alpha.numpy() - logits
    own = small.decide(state, inputs["target_joints"]).displacement.numpy()[..., 0]
    looked_at = small.config.reduction * np.arange(own.shape[2]) + own
    right, left = looked_at > 51, looked_at < 45
    assert np.abs(changed[..., 0][right]).mean() > 1e-3
    # Three convolutions see three pixels to each side.
    alone = scipy.ndimage.binary_erosion(left[0], np.ones((7, 7)))
    assert alone.any() and np.abs(changed[0, ..., 0][alone]).max() < 1e-5


def test_what_the_chosen_limb_misses_takes_the_colours_around_it(undecided, batch):
    """The person is to the left, alpha everywhere; one limb covers all of it, but one that covers nothing is chosen."""
    generator, stride = undecided, undecided.config.reduction
    bias(generator, "limbs").assign([30] + [0] * (generator.body.limb_count - 1) + [-30])
    bias(generator, "alpha").assign([8])
    skin, sky = np.float32([0.6, 0.1, -0.2]), np.float32([-0.3, 0.4, 1.0])
    inputs = batch(64, 96, batch=1)
    is_left = (np.arange(96) < 48)[None, None, :, None] & np.ones((1, 64, 1, 1), bool)
    state = generator.encode_source(np.where(is_left, skin, sky), inputs["source_joints"])
    matte = np.concatenate([np.zeros((1, 64, 96, 3)), is_left], axis=-1).astype(np.float32)[:, ::stride, ::stride]
    layers = np.zeros(state.layers.shape, np.float32)
    layers[:, 3, ..., 3] = 1
    state = state._replace(matte=tf.constant(matte), layers=tf.constant(layers))
    # Hardly seen, so that its axis does not count as covered either.
    inputs["source_joints"][:, generator.body.joint_index("head"), 2] = 1e-3
    decisions = generator.decide(state, inputs["source_joints"])
    half, margin = 48 // stride, 2
    for part, gain, offset in ((np.s_[:, :, : half - margin], 1, 0), (np.s_[:, :, half + margin : half + 16], 0, skin)):
        np.testing.assert_allclose(decisions.gain.numpy()[part], gain, atol=1e-3)
        np.testing.assert_allclose(decisions.offset.numpy()[part] - offset, 0, atol=1e-2)


def test_layers_move_with_their_limbs(small, batch):
    inputs = batch(64, 96)
    moved = inputs["source_joints"] + np.float32([8, -4, 0])
    stages = small.explain({**inputs, "target_joints": moved})
    x, y = 8 // (2 * small.config.reduction), 4 // (2 * small.config.reduction)
    layers = stages["layers"].numpy()[:, :, 1:-1, 1:-1]
    warped = stages["warped_layers"].numpy()
    np.testing.assert_allclose(warped[:, :-1, :-y, x:], layers[:, :-1, y:, :-x], atol=1e-4)
    np.testing.assert_allclose(warped[:, -1], layers[:, -1], atol=1e-6)


def test_what_is_chosen_to_stay_is_the_photo_where_it_was_and_no_sign_of_the_person(undecided, batch):
    generator = silenced(undecided)
    bias(generator, "replace").assign([-30])
    bias(generator, "alpha").assign([-5])
    bias(generator, "limbs").assign([0] * undecided.body.limb_count + [30])
    inputs = batch(64, 96)
    moved = {**inputs, "target_joints": inputs["source_joints"] + np.float32([25, -9, 0])}
    stages = generator.explain(moved)
    covered = tf.image.resize(tf.reduce_max(stages["warped_layers"][:, :-1, ..., 3:], axis=1), [64, 96])
    # Beside the limbs' new places, with the pixels over which enlarging mixes both.
    beside = tf.nn.max_pool2d(covered, 9, 1, "SAME").numpy()[..., 0] < 1e-3
    np.testing.assert_allclose(stages["foreground"][beside], inputs["image"][beside], atol=2e-4)
    # A limb that covers a pixel where nobody was takes precedence.
    taken = (covered.numpy() > 0.6)[..., 0] & (stages["person"].numpy() < 0.05)[..., 0]
    assert np.abs(stages["foreground"] - inputs["image"])[taken].mean() > 0.2
    # Where the person was and is no more, alpha is no higher than with limbs that move.
    gone = (stages["person"].numpy() > 0.5)[..., 0] & (covered.numpy() < 0.01)[..., 0]
    assert (gone & beside).any() and np.asarray(stages["alpha"])[..., 0][gone].max() < 0.3


def test_the_nearer_of_two_limbs_is_shown_and_unknown_depth_is_neutral(undecided, joints):
    body, stride = undecided.body, undecided.config.reduction
    source = joints(64, 96)
    target = source.copy()
    # The right forearm lies across the torso.
    elbow, wrist = body.joint_index("right_elbow", "right_wrist")
    target[0, elbow, :2], target[0, wrist, :2] = [40, 24], [56, 26]
    image = np.random.default_rng(1).uniform(-1, 1, (1, 64, 96, 3)).astype(np.float32)
    names = [limb.name for limb in body.limbs]
    forearm, torso = names.index("right_forearm"), names.index("torso")

    def lead(z=None):
        pose = target
        if z is not None:
            depth = np.zeros((1, 14, 1), np.float32)
            depth[0, [elbow, wrist]] = z
            pose = np.concatenate([target, depth], axis=-1)
        stages = undecided.explain({"image": image, "source_joints": source, "target_joints": pose})
        weights = np.log(stages["limb_weights"][0].numpy())
        row, column = 24 // stride, 48 // stride
        return weights[row, column, forearm] - weights[row, column, torso], stages["image"].numpy()

    unknown, picture = lead()
    flat, same = lead(0)
    np.testing.assert_allclose(picture, same, atol=1e-6)
    assert flat == pytest.approx(unknown, abs=1e-5)
    assert lead(-20)[0] - unknown > 1.5 and unknown - lead(20)[0] > 1.5
    # Only differences count.
    assert np.abs(lead(-20)[1] - lead(0)[1]).max() > 0.01


def test_a_new_network_shows_what_warping_alone_would(small, batch):
    # As in training, where far places count like near ones.
    inputs = batch(64, 96)
    stages = build_generator(small.config).explain(inputs, training=True)
    priors = stages["limb_priors"].numpy()
    np.testing.assert_allclose(stages["masks"], priors / priors.sum(-1, keepdims=True), atol=1e-5)
    coverage = tf.image.resize(tf.transpose(stages["warped_layers"][..., 3], [0, 2, 3, 1]), priors.shape[1:3]).numpy()
    joints = pose_maps.joints_at_scale(tf.constant(inputs["target_joints"]), small.config.reduction)
    cores = pose_maps.limb_cores(joints, small.body, *priors.shape[1:3])
    coverage[..., :-1] = np.maximum(coverage[..., :-1], 0.8 * cores)
    # Against staying speaks what keeps a new network from it.
    shares = (coverage + 0.01) * np.exp(np.float32([0.0] * small.body.limb_count + [-3.0]))
    shares /= shares.sum(-1, keepdims=True)
    np.testing.assert_allclose(stages["limb_weights"], skinning.covering_weights(shares, coverage), atol=1e-5)
    assert stages["replace"].numpy().max() < 0.05


def test_gradients_reach_every_weight(small, batch):
    inputs = batch(64, 96)
    with tf.GradientTape() as tape:
        stages = small.explain(inputs, training=True)
        loss = tf.reduce_mean(tf.abs(stages["image"] - inputs["target_image"]))
    weights = [weight for network in small.networks for layer in network.layers for weight in layer.trainable_weights]
    of = [(network, layer) for network in small.networks for layer in network.layers for _ in layer.trainable_weights]
    for (network, layer), gradient in zip(of, tape.gradient(loss, weights), strict=True):
        assert np.isfinite(gradient).all(), (network.name, layer.name)
        assert np.abs(gradient).max() > 0, (network.name, layer.name)
