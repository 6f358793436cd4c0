import numpy as np
import tensorflow as tf

from tf_unseen_pose.model.directional_fill import filled


def interpolated(picture, known, y, x):
    """The colour of a hole's pixel in a picture [H, W, C], the plain way: it walks to the rim in four directions."""
    padded = np.pad(picture * known[..., None], ((1, 1), (1, 1), (0, 0)))
    counted = np.pad(known.astype(float), 1)
    mixed, total = 0, 0
    for step in ((1, 0), (0, 1)):
        ends = []
        for sign in (-1, 1):
            place, distance = np.array([y, x]), 0
            while place.min() >= 0 and (place < known.shape).all() and not known[tuple(place)]:
                place, distance = place + sign * np.array(step), distance + 1
            if place.min() >= 0 and (place < known.shape).all():
                around = tuple(slice(i, i + 3) for i in place)
                ends.append((padded[around].sum((0, 1)) / counted[around].sum(), distance))
        agreement = 0.02
        if len(ends) == 2:
            agreement += np.exp(-np.abs(ends[0][0] - ends[1][0]).mean() / 0.15)
        for colour, distance in ends:
            mixed, total = mixed + agreement / (1 + distance) * colour, total + agreement / (1 + distance)
    return mixed / total


def test_equals_a_walk_to_the_rim():
    rng = np.random.default_rng(0)
    picture = rng.uniform(-1, 1, (2, 32, 40, 3)).astype(np.float32)
    known = (rng.uniform(size=(2, 32, 40)) < 0.9).astype(np.float32)
    known[:, 5:25, 10:30] = 0
    known[0, :, 33:] = 0
    made = filled(picture, known[..., None]).numpy()
    for i in range(2):
        for y, x in np.ndindex(known.shape[1:]):
            colour = picture[i, y, x] if known[i, y, x] else interpolated(picture[i], known[i], y, x)
            np.testing.assert_allclose(made[i, y, x], colour, atol=1e-4)


def test_a_floor_and_a_wall_meet_behind_the_person():
    picture = np.full((1, 64, 48, 3), 0.5, np.float32)
    picture[:, 40:] = -0.5
    known = np.ones((1, 64, 48, 1), np.float32)
    known[:, 10:60, 20:32] = 0
    hidden = known[..., 0] == 0
    made = filled(np.where(hidden[..., None], 1, picture).astype(np.float32), known).numpy()
    assert np.abs(made - picture)[hidden].mean() < 0.05


def test_a_half_known_pixel_lets_half_of_what_is_behind_it_through():
    picture, known = np.zeros((2, 1, 1, 16, 1), np.float32)
    picture[..., :4, :], known[..., :4, :] = -0.8, 1
    picture[..., 7, :] = 0.8
    np.testing.assert_allclose(filled(picture, known)[0, 0, 9], -0.8, atol=1e-5)
    known[..., 7, :] = 0.5
    np.testing.assert_allclose(filled(picture, known)[0, 0, 9], 0, atol=1e-5)


def test_the_gradient_is_finite_where_nothing_is_known():
    picture, known = tf.ones([1, 16, 16, 3]), tf.Variable(tf.zeros([1, 16, 16, 1]))
    with tf.GradientTape() as tape:
        made = filled(picture, known)
        loss = tf.reduce_sum(made)
    np.testing.assert_array_equal(made, 0)
    assert np.isfinite(tape.gradient(loss, known)).all()
