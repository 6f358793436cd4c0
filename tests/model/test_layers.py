import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.geometry import warping
from tf_unseen_pose.model.layers import Heads, LimbSpatialTransformer, OriginAlignedUpsampling


def test_upsampling_samples_half_the_index_and_mirrors_past_the_end():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)
    y = OriginAlignedUpsampling()(tf.constant(x)).numpy()
    mirrored = np.pad(x, [(0, 0), (0, 1), (0, 1), (0, 0)], mode="reflect")
    assert y.shape == (2, 6, 10, 4)
    for row, column in np.ndindex(6, 10):
        corners = [mirrored[:, r, c] for r in (row // 2, (row + 1) // 2) for c in (column // 2, (column + 1) // 2)]
        np.testing.assert_allclose(y[:, row, column], np.mean(corners, axis=0), atol=1e-6)


def test_upsampling_equals_the_resize_op_on_a_mirrored_border():
    x = tf.random.stateless_normal([1, 4, 6, 2], [0, 1])
    padded = tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]], mode="REFLECT")
    resized = tf.raw_ops.ResizeBilinear(images=padded, size=[10, 14], half_pixel_centers=False)[:, :8, :12]
    np.testing.assert_allclose(OriginAlignedUpsampling()(x), resized, atol=1e-6)


def test_every_limb_layer_is_warped_by_its_own_transform():
    rng = np.random.default_rng(1)
    layers = tf.constant(rng.normal(size=(2, 3, 8, 12, 3)), tf.float32)
    transforms = tf.constant(np.eye(2, 3) + rng.normal(scale=0.2, size=(2, 3, 2, 3)), tf.float32)
    warped = LimbSpatialTransformer()(layers, transforms)
    assert warped.shape == layers.shape
    for limb in range(3):
        np.testing.assert_allclose(warped[:, limb], warping.warp(layers[:, limb], transforms[:, limb]), atol=1e-5)


def test_gradient_of_the_upsampling_is_its_transpose():
    """For every pixel e of the input: <up(e), y> = <e, gradient(y)>, at the borders too."""
    y = np.random.default_rng(8).normal(size=(1, 6, 8, 2)).astype(np.float32)
    x = tf.Variable(tf.zeros([1, 3, 4, 2]))
    with tf.GradientTape() as tape:
        product = tf.reduce_sum(OriginAlignedUpsampling()(x) * y)
    gradient = tape.gradient(product, x).numpy()
    for pixel in np.ndindex(1, 3, 4, 2):
        one = np.zeros((1, 3, 4, 2), np.float32)
        one[pixel] = 1
        assert gradient[pixel] == pytest.approx((OriginAlignedUpsampling()(one).numpy() * y).sum(), abs=1e-5)


def test_heads_are_convolutions_of_their_own():
    """Against Keras's layers with the same weights, gradients too."""
    rng = np.random.default_rng(4)
    x = tf.constant(rng.normal(size=(2, 7, 9, 5)), tf.float32)
    heads = Heads({"image": (3, "tanh"), "alpha": (1, "sigmoid"), "logits": (4, "linear")})
    outputs = heads(x)
    assert [(name, output.shape[-1]) for name, output in outputs.items()] == [("image", 3), ("alpha", 1), ("logits", 4)]
    for name, (channels, activation) in heads.heads.items():
        heads.biases[name].assign(rng.normal(size=channels))
        alone = keras.layers.Conv2D(channels, 3, padding="same", activation=activation)
        alone.build((None, 7, 9, 5))
        alone.set_weights([heads.kernels[name].numpy(), heads.biases[name].numpy()])
        np.testing.assert_allclose(heads(x)[name], alone(x), atol=1e-5)
        with tf.GradientTape(persistent=True) as tape:
            one, other = tf.reduce_sum(heads(x)[name] ** 2), tf.reduce_sum(alone(x) ** 2)
        np.testing.assert_allclose(
            tape.gradient(one, heads.trainable_variables)[2 * list(heads.heads).index(name)],
            tape.gradient(other, alone.trainable_variables)[0],
            rtol=1e-3,
            atol=1e-4,
        )
    again = Heads.from_config(heads.get_config())
    assert again.heads == heads.heads
