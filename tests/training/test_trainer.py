import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import CANVAS_32, LITE, TINY

from tf_unseen_pose.compat import layer_precision
from tf_unseen_pose.config import load_config
from tf_unseen_pose.model.perceptual import PerceptualFeatures
from tf_unseen_pose.training import limb_losses, losses
from tf_unseen_pose.training.replicas import training_strategy
from tf_unseen_pose.training.trainer import Trainer, judged_part


def make_trainer(kind, vgg19_file=None, *settings, preset="tiny"):
    small = {"tiny": TINY, "lite": LITE}[preset]
    config = load_config(preset, [*small, f"train.stages.0.loss={kind}", "train.batch_size=4", *settings])
    features = deviations = None
    if kind != "l1":
        with layer_precision(config.train.precision):
            features = PerceptualFeatures(vgg19_file)
        deviations = [np.linspace(0.5, 2, channels, dtype=np.float32) for channels in features.channels]
    keras.utils.set_random_seed(7)
    trainer = Trainer(config, features, deviations)
    trainer.compile()
    return trainer


def snapshot(network):
    return [variable.numpy().copy() for variable in network.trainable_variables]


@pytest.mark.parametrize("kind", ["l1", "vgg_gan"])
def test_every_variable_gets_a_gradient_from_its_own_loss(kind, vgg19_file, batch):
    trainer = make_trainer(kind, vgg19_file)
    inputs = batch(batch=4)
    with tf.GradientTape() as tape:
        outputs = trainer.generator.explain(inputs, training=True)
        loss = tf.reduce_sum(trainer.generator_terms(inputs, outputs)["loss"])
    gradients = tape.gradient(loss, trainer.generator.trainable_variables)
    if kind == "vgg_gan":
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(trainer.discriminator_term(inputs, outputs["image"]))
        gradients += tape.gradient(loss, trainer.discriminator.trainable_variables)
    for gradient in gradients:
        assert gradient is not None and np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_each_optimizer_changes_its_own_network_only(vgg19_file, batch):
    trainer = make_trainer("vgg_gan", vgg19_file, "train.optimizer=sgd")
    inputs = batch(batch=4)
    networks = (trainer.generator, trainer.discriminator)
    before = [snapshot(network) for network in networks]
    # The generator's part of the step alone.
    _, _, gradients = trainer._in_parts(inputs)
    trainer.generator_optimizer.apply_gradients(zip(gradients, trainer.generator.trainable_variables, strict=True))
    middle = [snapshot(network) for network in networks]
    assert any((a != b).any() for a, b in zip(before[0], middle[0], strict=True))
    for a, b in zip(before[1], middle[1], strict=True):
        np.testing.assert_array_equal(a, b)

    trainer.begin(trainer.stage, discriminator_only=True)
    trainer.train_step(inputs)
    after = [snapshot(network) for network in networks]
    for a, b in zip(middle[0], after[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(middle[1], after[1], strict=True))


def test_a_batch_worked_off_in_parts_gives_the_same_step(vgg19_file, batch):
    inputs = batch(32, 32, batch=4)
    one, other = (make_trainer("vgg_gan", vgg19_file, f"train.accumulate={count}", *CANVAS_32) for count in (1, 4))
    (terms, image, gradients), (sums, same_image, summed) = (trainer._in_parts(inputs) for trainer in (one, other))
    for name, values in sums.items():
        np.testing.assert_allclose(values, terms[name], rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(same_image, image, atol=1e-5)
    for a, b in zip(gradients, summed, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5 + 1e-4 * np.abs(a).max())


@pytest.mark.newer_stack
def test_compiled_gradients_are_the_same(batch):
    inputs = batch(batch=4)
    plain, compiled = (
        make_trainer("l1", None, f"train.xla={xla}", preset="lite")._in_parts(inputs) for xla in ("false", "true")
    )
    for name, values in plain[0].items():
        np.testing.assert_allclose(compiled[0][name], values, rtol=1e-4, err_msg=name)
    for a, b in zip(plain[2], compiled[2], strict=True):
        # As a whole: where a leaky ReLU's input is all but 0, rounding decides its slope.
        assert np.linalg.norm(b - a) < 0.02 * np.linalg.norm(a) + 1e-6


def test_bfloat16_is_near_float32_and_keeps_float32_weights(vgg19_file, batch, decided):
    # On a small canvas, since VGG in bfloat16 takes its time.
    inputs = batch(32, 32, batch=4)
    plain, short = (
        make_trainer("vgg", vgg19_file, f"train.precision={precision}", *CANVAS_32, preset="lite")
        for precision in ("float32", "bfloat16")
    )
    decided(plain.generator)
    decided(short.generator)
    # A type in Keras 2, its name in Keras 3.
    assert all(tf.as_dtype(variable.dtype) == tf.float32 for variable in short.generator.trainable_variables)
    one, other = (trainer._in_parts(inputs) for trainer in (plain, short))
    difference = np.abs(one[1] - other[1])
    assert difference.max() > 1e-5 and difference.mean() < 0.02
    a, b = (np.concatenate([np.ravel(gradient) for gradient in found[2]]) for found in (one, other))
    assert a @ b > 0.95 * np.linalg.norm(a) * np.linalg.norm(b)
    # Keras casts what a model is called with to the precision it computes in: not joints.
    np.testing.assert_allclose(short.generator(inputs), short.generator.explain(inputs)["image"], atol=1e-6)
    # The policy is the layers' own, not the process's.
    assert keras.mixed_precision.global_policy().name == "float32"


def test_masks_supervise_only_examples_that_have_them(batch):
    trainer = make_trainer("l1")
    inputs = batch(batch=4)
    outputs = trainer.generator.explain(inputs)
    terms = trainer.generator_terms(inputs, outputs)
    assert (terms["mask"][:3].numpy() > 0).all() and terms["mask"][3] == 0 and terms["background"][3] == 0
    weights = trainer.config.loss
    expected = terms["l1"] + weights.mask * terms["mask"] + weights.background * terms["background"]
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-6)


def test_without_mask_weights_masks_do_not_matter(batch):
    trainer = make_trainer("l1", None, "loss.mask=0", "loss.background=0")
    inputs = batch(batch=4)
    terms = trainer.generator_terms(inputs, trainer.generator.explain(inputs))
    assert "mask" not in terms
    np.testing.assert_array_equal(terms["loss"], terms["l1"])


def weights_after_three_steps(vgg19_file, batch, devices):
    batches = [batch(32, 32, batch=4, seed=seed) for seed in range(3)]
    examples = {key: np.concatenate([b[key] for b in batches]) for key in batches[0]}
    dataset = tf.data.Dataset.from_tensor_slices(examples).batch(4, drop_remainder=True)
    with training_strategy(devices).scope():
        settings = ("train.optimizer=sgd", "train.stages.0.learning_rate=0.02", *CANVAS_32)
        trainer = make_trainer("vgg_gan", vgg19_file, *settings)
        start = snapshot(trainer.generator)
    trainer.fit(dataset, verbose=0)
    moved = max(np.abs(a - b).max() for a, b in zip(start, snapshot(trainer.generator), strict=True))
    return snapshot(trainer.generator) + snapshot(trainer.discriminator), moved


def test_two_replicas_take_the_step_of_one(vgg19_file, batch):
    one, moved = weights_after_three_steps(vgg19_file, batch, ["CPU:0"])
    two, _ = weights_after_three_steps(vgg19_file, batch, ["CPU:0", "CPU:1"])
    assert moved > 1e-3  # three steps that went somewhere
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_l1_beside_vgg(vgg19_file, batch):
    trainer = make_trainer(
        "vgg", vgg19_file, *(f"loss.{name}=0" for name in ("ssim", "mask", "background")), "loss.l1=0.5"
    )
    inputs = batch(batch=4)
    terms = trainer.generator_terms(inputs, trainer.generator.explain(inputs))
    mean = np.abs(inputs["target_image"] - trainer.generator(inputs)).mean((1, 2, 3))
    np.testing.assert_allclose(terms["loss"] - terms["vgg"], 0.5 * mean, rtol=1e-4)


def test_replacing_has_its_price(batch):
    alone = [f"loss.{name}=0" for name in ("ssim", "mask", "background", "blend")]
    trainer = make_trainer("l1", None, *alone, "loss.replace=0.5", preset="lite")
    inputs = batch(batch=2)
    outputs = trainer.generator.explain(inputs, training=True)
    terms = trainer.generator_terms(inputs, outputs)
    priced = (outputs["alpha"] * outputs["replace"]).numpy().mean((1, 2, 3))
    assert priced.min() > 0.001
    np.testing.assert_allclose(terms["loss"], terms["l1"] + 0.5 * priced, rtol=1e-5)
    assert set(trainer.train_step(inputs)) == {"loss", "l1", "replace"}


def labelled_batch(batch):
    """Of four examples the last has neither maps nor a scene."""
    inputs, rng = batch(batch=4), np.random.default_rng(6)
    labels = rng.integers(0, 11, (2, 4, 8, 8)).repeat(8, axis=2).repeat(8, axis=3).astype(np.uint8)
    known = {name: np.float32([1, 1, 1, 0]) for name in ("limbs_known", "scene_known")}
    scene = rng.uniform(-1, 1, (4, 64, 64, 3)).astype(np.float32)
    return {**inputs, "source_limbs": labels[0], "target_limbs": labels[1], "scene": scene, **known}


def test_limb_maps_and_scenes_supervise_only_examples_that_have_them(batch, decided):
    alone = [f"loss.{name}=0" for name in ("ssim", "mask", "background", "blend")]
    weights = {"limbs": 0.5, "choice": 0.25, "scene": 2.0}
    trainer = make_trainer("l1", None, *alone, *(f"loss.{k}={v}" for k, v in weights.items()), preset="lite")
    decided(trainer.generator)
    inputs = labelled_batch(batch)
    with tf.GradientTape() as tape:
        outputs = trainer.generator.explain(inputs, training=True)
        terms = trainer.generator_terms(inputs, outputs)
    expected = terms["l1"] + sum(weight * terms[name] for name, weight in weights.items())
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-5)
    for name in weights:
        assert (terms[name][:3].numpy() > 0).all() and terms[name][3] == 0
    entropy = limb_losses.limb_cross_entropy(inputs["source_limbs"], outputs["masks"])
    np.testing.assert_allclose(terms["limbs"][:3], entropy[:3], rtol=1e-5)
    weight = 1 + 3 * inputs["source_mask"]
    difference = (weight * np.abs(inputs["scene"] - outputs["background"])).sum((1, 2, 3)) / 3 / weight.sum((1, 2, 3))
    np.testing.assert_allclose(terms["scene"][:3], difference[:3], rtol=1e-4)
    # The choice teaches the network that chooses.
    gradient = tape.gradient(terms["choice"], trainer.generator.foreground.trainable_variables[0])
    assert np.abs(gradient).max() > 0
    assert set(trainer.train_step(inputs)) == {"loss", "l1", *weights}


def test_vgg_compares_the_squares_and_l1_the_canvas(vgg19_file, batch):
    off = [f"loss.{name}=0" for name in ("ssim", "mask", "background")]
    trainer = make_trainer("vgg", vgg19_file, *off, "loss.l1=0.5", "loss.features_crop=16", *CANVAS_32)
    inputs = {**batch(32, 32, batch=4), "features_corner": np.int32([[0, 0], [16, 16], [3, 9], [16, 0]])}
    outputs = trainer.generator.explain(inputs)
    terms = trainer.generator_terms(inputs, outputs)
    np.testing.assert_allclose(
        terms["l1"], np.abs(inputs["target_image"] - outputs["image"]).mean((1, 2, 3)), rtol=1e-5
    )
    row, column = inputs["features_corner"][2]
    square = (slice(2, 3), slice(row, row + 16), slice(column, column + 16))
    one, other = (
        trainer._features(tf.constant(of[square])) for of in (inputs["target_image"], outputs["image"].numpy())
    )
    found = losses.perceptual(one, other, trainer._deviations)
    np.testing.assert_allclose(terms["vgg"][2:3], found, rtol=1e-4)
    np.testing.assert_allclose(terms["loss"], terms["vgg"] + 0.5 * terms["l1"], rtol=1e-5)


def test_the_discriminator_sees_the_squares_and_the_poses_within_them(vgg19_file, batch):
    trainer = make_trainer("vgg_gan", vgg19_file, "loss.features_crop=16", *CANVAS_32)
    inputs = {**batch(32, 32, batch=4), "features_corner": np.int32([[0, 0], [16, 12], [3, 9], [16, 0]])}
    image, corner = inputs["target_image"].copy(), inputs["features_corner"][2]
    # A mark at a joint, in column 11 and row 15 of the canvas.
    inputs["target_joints"][2, 0], image[2, 15, 11] = (11, 15, 1), 7
    part = judged_part(tf.constant(image), inputs, trainer.config)
    x, y, visible = part["target_joints"][2, 0].numpy()
    assert part["image"].shape == (4, 16, 16, 3) and (part["image"][2, int(y), int(x)].numpy() == 7).all()
    assert visible == 1 and (y, x) == (15 - corner[0], 11 - corner[1])
    np.testing.assert_allclose(part["source_joints"][0], inputs["source_joints"][0])
    term = trainer.discriminator_term(inputs, tf.constant(image))
    beyond = np.where(np.abs(image) > 5, image, -image)
    beyond[2, 3:19, 9:25] = image[2, 3:19, 9:25]
    np.testing.assert_allclose(trainer.discriminator_term(inputs, tf.constant(beyond))[2], term[2], rtol=1e-2)


def test_learns_one_pair(batch):
    trainer = make_trainer("l1", None, "train.stages.0.learning_rate=0.003", preset="lite")
    inputs = batch(batch=4)
    inputs["target_image"] = np.broadcast_to(np.float32([0.7, -0.2, 0.1]), inputs["target_image"].shape).copy()
    dataset = tf.data.Dataset.from_tensors(inputs).repeat(30)
    history = trainer.fit(dataset.take(1), epochs=1, verbose=0).history["l1"][0]
    trainer.fit(dataset, verbose=0)
    assert trainer.fit(dataset.take(1), verbose=0).history["l1"][0] < 0.5 * history
