import numpy as np
import tensorflow as tf

from tf_unseen_pose.model.pull_push import smoothly_filled


def pull_push(picture, known):
    """One picture [H, W, C], the plain way: recursively, a pixel at a time."""
    height, width = known.shape
    if min(height, width) < 8 or height % 2 or width % 2:
        total = known.sum()
        mean = (picture * known[..., None]).sum((0, 1)) / (total + 1e-6 * known.size)
        coarse = np.broadcast_to(mean, picture.shape)
    else:
        small, part = np.zeros((height // 2, width // 2, picture.shape[2])), np.zeros((height // 2, width // 2))
        for y in range(height // 2):
            for x in range(width // 2):
                block, weight = (a[2 * y : 2 * y + 2, 2 * x : 2 * x + 2] for a in (picture, known))
                part[y, x] = weight.mean()
                small[y, x] = (block * weight[..., None]).mean((0, 1)) / (part[y, x] + 1e-6)
        coarse = tf.image.resize(pull_push(small, part), [height, width]).numpy()
    trusted = np.minimum(known / 0.25, 1)[..., None]
    return coarse + trusted * (picture * (known / (known + 1e-6))[..., None] - coarse)


def test_equals_the_recursion():
    rng = np.random.default_rng(0)
    picture = rng.uniform(-1, 1, (2, 32, 48, 3)).astype(np.float32)
    known = (rng.uniform(size=(2, 32, 48, 1)) < 0.3).astype(np.float32)
    known[:, 5:25, 10:30] = 0
    known[0, :, 40:] *= 0.1
    filled = smoothly_filled(picture, known).numpy()
    for i in range(2):
        colours = pull_push(picture[i].astype(np.float64), known[i, ..., 0].astype(np.float64))
        np.testing.assert_allclose(filled[i], known[i] * picture[i] + (1 - known[i]) * colours, atol=1e-4)


def test_a_hole_takes_the_colours_of_its_rim_and_nothing_of_what_it_hides():
    x = np.linspace(-0.8, 0.8, 64, dtype=np.float32)
    picture = np.broadcast_to(x[None, None, :, None], (1, 64, 64, 3)).copy()
    known = np.ones((1, 64, 64, 1), np.float32)
    known[:, 20:50, 24:36] = 0
    truth = picture.copy()
    picture[known[..., 0] == 0] = 1
    filled = smoothly_filled(picture, known).numpy()
    np.testing.assert_array_equal(filled[known[..., 0] == 1], picture[known[..., 0] == 1])
    hidden = known[..., 0] == 0
    assert np.abs(filled - truth)[hidden].max() < 0.2


def test_the_gradient_is_finite_where_nothing_is_known():
    picture, known = tf.ones([1, 16, 16, 3]), tf.Variable(tf.zeros([1, 16, 16, 1]))
    with tf.GradientTape() as tape:
        filled = smoothly_filled(picture, known)
        loss = tf.reduce_sum(filled)
    np.testing.assert_array_equal(filled, 0)
    assert np.isfinite(tape.gradient(loss, known)).all()
