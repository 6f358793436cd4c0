import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.config import load_config
from tf_unseen_pose.known_skeletons import SKELETONS
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.model.compositing import compose
from tf_unseen_pose.model.discriminator import Discriminator
from tf_unseen_pose.skeleton import Limb, Skeleton


@pytest.fixture(scope="module")
def tiny():
    return build_generator(load_config("tiny", ["model.height=32", "model.width=64"]).model)


def test_rendering_an_encoded_source_equals_the_call(tiny, batch):
    inputs = batch(32, 64)
    state = tiny.encode_source(inputs["image"], inputs["source_joints"], inputs["noise"])
    np.testing.assert_allclose(tiny.render(state, inputs["target_joints"]), tiny(inputs), atol=1e-6)


def test_stages_fit_together(tiny, batch):
    inputs = batch(32, 64)
    stages = {name: value.numpy() for name, value in tiny.explain(inputs).items()}
    masks, image = stages["masks"], inputs["image"]
    np.testing.assert_allclose(masks.sum(-1), 1, atol=1e-5)
    for limb in range(tiny.body.limb_count):
        np.testing.assert_allclose(stages["layers"][:, limb], masks[..., 1 + limb, None] * image, atol=1e-6)
    composite = stages["alpha"] * stages["foreground"] + (1 - stages["alpha"]) * stages["background"]
    np.testing.assert_allclose(stages["image"], composite, atol=1e-6)
    # The log prior vetoes what is far from a limb, whatever the untrained network says.
    assert masks[stages["limb_priors"] < 1e-6].max() < 1e-3


@pytest.mark.parametrize("network", ["copying", "modular", "unet"])
def test_a_body_may_be_given_by_the_joints_of_a_person(network, small_lite, decided, batch):
    settings = {"copying": small_lite, "modular": [], "unet": ["model.network=unet"]}[network]
    config = load_config("lite" if network == "copying" else "tiny", [*settings, "model.skeleton=body"])
    generator = build_generator(config.model)
    if network == "copying":
        decided(generator)
    few = batch(batch=3)
    few["target_joints"] = np.concatenate([few["target_joints"], few["source_joints"][:, ::-1, 1:2]], axis=-1)  # depth
    padded = {
        key: np.pad(value, [(0, 0), (0, 9), (0, 0)]) if key.endswith("joints") else value for key, value in few.items()
    }
    expected = generator(padded)
    np.testing.assert_array_equal(generator(few), expected)
    state = generator.encode_source(few["image"], few["source_joints"], few["noise"])
    assert state.joints.shape == (3, 23, 3)
    np.testing.assert_allclose(generator.render(state, padded["target_joints"]), expected, atol=1e-5)
    for one, other in zip(
        generator.decide(state, few["target_joints"]), generator.decide(state, padded["target_joints"]), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("fill, growth", [("noise", 0), ("noise", 2), ("zero", 1)])
def test_the_hole_is_filled_and_grown(batch, fill, growth):
    config = load_config("tiny", [f"model.background_fill={fill}", f"model.hole_growth={growth}"]).model
    inputs = batch()
    stages = build_generator(config).explain(inputs)
    visible = stages["masks"][..., :1].numpy()
    size = 2 * growth + 1
    padded = np.pad(visible, [(0, 0), (growth,) * 2, (growth,) * 2, (0, 0)], constant_values=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    eroded = windows.min(axis=(-1, -2))
    expected = eroded * inputs["image"] + (fill == "noise") * (1 - eroded) * inputs["noise"]
    np.testing.assert_allclose(stages["background_input"][..., :3], expected, atol=1e-5)
    np.testing.assert_allclose(stages["background_input"][..., 3:], eroded, atol=1e-6)


def test_without_noise_given_equal_calls_have_equal_results(tiny, batch):
    inputs = batch(32, 64)
    del inputs["noise"]
    np.testing.assert_array_equal(tiny(inputs), tiny(inputs))


def test_an_example_does_not_depend_on_its_neighbours_in_the_batch(tiny, batch):
    inputs = batch(32, 64, batch=3)
    alone = {key: value[1:2] for key, value in inputs.items()}
    np.testing.assert_allclose(tiny(inputs)[1:2], tiny(alone), atol=1e-5)


def test_the_target_pose_alone_moves_the_result_and_only_in_render(tiny, batch):
    inputs = batch(32, 64)
    other = {**inputs, "target_joints": inputs["target_joints"] + np.float32([6, -3, 0])}
    a, b = tiny.explain(inputs), tiny.explain(other)
    np.testing.assert_array_equal(a["masks"], b["masks"])
    np.testing.assert_array_equal(a["background"], b["background"])
    assert np.abs(a["warped_layers"] - b["warped_layers"]).max() > 0.05
    assert np.abs(a["image"] - b["image"]).max() > 1e-3


def test_paper_has_the_authors_52_convolutions_and_parameters():
    generator = build_generator(load_config("paper").model)
    kernels = [v for v in generator.trainable_variables if len(v.shape) == 4]
    assert len(kernels) == 52
    assert generator.count_params() == 7_863_314


def test_the_baseline_is_a_plain_unet_of_about_the_papers_size(batch):
    config = load_config("paper", ["model.network=unet"]).model
    assert build_generator(config).count_params() == pytest.approx(8.3e6, rel=0.01)
    tiny = build_generator(load_config("tiny", ["model.network=unet"]).model)
    inputs = batch()
    image = tiny(inputs)
    assert image.shape == (2, 64, 64, 3)
    state = tiny.encode_source(inputs["image"], inputs["source_joints"])
    np.testing.assert_allclose(tiny.render(state, inputs["target_joints"]), image, atol=1e-6)


@pytest.mark.parametrize("network", ["modular", "unet"])
def test_what_painting_networks_decide_is_what_they_paint(batch, network):
    """On the canvas; of the modular network's background what the hole has, and the photo where it has nothing."""
    generator = build_generator(load_config("tiny", [f"model.network={network}"]).model)
    inputs = {key: value for key, value in batch().items() if key != "noise"}
    state, target = generator.encode_source(inputs["image"], inputs["source_joints"]), inputs["target_joints"]
    decisions = generator.decide(state, target)
    made = compose(inputs["image"], state.matte, state.hole, decisions, 64, generator.steepness)["image"].numpy()
    stages = {name: np.asarray(value) for name, value in generator.explain(inputs).items() if name != "limb_priors"}
    expected = stages["image"]
    if network == "modular":
        used = 1 - stages["background_input"][..., 3:]
        scene = used * stages["background"] + (1 - used) * inputs["image"]
        expected = stages["alpha"] * stages["foreground"] + (1 - stages["alpha"]) * scene
        assert 0.1 < used.mean() < 0.9
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_another_skeleton_needs_no_change_of_code(monkeypatch, batch):
    limbs = (Limb("body", ("head", "tail"), 20.0), Limb("left_arm", ("head", "left_hand"), 6.0))
    monkeypatch.setitem(SKELETONS, "fish", Skeleton("fish", ("head", "tail", "left_hand", "right_hand"), limbs, "body"))
    config = load_config("tiny", ["model.skeleton=fish"])
    inputs = batch()
    for key in ("source_joints", "target_joints"):
        inputs[key] = inputs[key][:, [0, 9, 4, 7]]
    stages = build_generator(config.model).explain(inputs)
    assert stages["masks"].shape == (2, 64, 64, 3) and stages["warped_layers"].shape == (2, 2, 64, 64, 3)
    assert Discriminator(config.discriminator, config.model)({**inputs, "image": stages["image"]}).shape == (
        2,
        16,
        16,
        1,
    )


def test_runs_inside_a_traced_function_with_any_batch_size(tiny, batch):
    signature = [tf.TensorSpec([None, 32, 64, 3]), tf.TensorSpec([None, 14, 3]), tf.TensorSpec([None, 14, 3])]
    traced = tf.function(lambda i, s, t: tiny.render(tiny.encode_source(i, s), t), input_signature=signature)
    for size in (1, 3):
        inputs = batch(32, 64, batch=size)
        del inputs["noise"]
        result = traced(inputs["image"], inputs["source_joints"], inputs["target_joints"])
        np.testing.assert_allclose(result, tiny(inputs), atol=1e-5)
