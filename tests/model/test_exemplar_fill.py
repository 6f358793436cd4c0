import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.model.exemplar_fill import exemplars


def nearest_patches(picture, painted, hidden):
    """The plain way, for maps that are compared as a whole, [H, W, 3] and [H, W]: loops over pixels and patches."""
    guess = np.where(hidden[..., None], painted, picture)
    wide, blocked = np.pad(guess, ((1, 1), (1, 1), (0, 0)), "symmetric"), np.pad(hidden, 1, constant_values=True)
    places = list(np.ndindex(hidden.shape))
    whole = [(y, x) for y, x in places if not blocked[y : y + 3, x : x + 3].any()]
    best = {
        (y, x): min(whole, key=lambda s: ((wide[s[0] :][:3, s[1] :][:, :3] - wide[y : y + 3, x : x + 3]) ** 2).sum())
        for y, x in places
    }
    result = guess.copy()
    for y, x in zip(*np.nonzero(hidden), strict=True):
        votes = [
            guess[best[y + down, x + right][0] - down, best[y + down, x + right][1] - right]
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
            if (y + down, x + right) in best
        ]
        result[y, x] = np.mean(votes, axis=0)
    return result


def made(picture, painted, hidden):
    given = (np.float32(x)[None] for x in (picture, painted, hidden[..., None]))
    return exemplars(*given)[0].numpy()


def test_equals_a_search_of_all_patches():
    rng = np.random.default_rng(0)
    picture, painted = rng.uniform(-1, 1, (2, 14, 19, 3)).astype(np.float32)
    hidden = np.zeros((14, 19), bool)
    hidden[3:7, 8:12] = hidden[0, 0] = True
    np.testing.assert_allclose(made(picture, painted, hidden), nearest_patches(picture, painted, hidden), atol=1e-5)


@pytest.fixture
def striped():
    """A wall with stripes above a floor, its hole, and what a network would paint there: [96, 64, 3], [96, 64]."""
    picture = np.full((96, 64, 3), -0.6, np.float32)
    picture[:56] = np.where(np.arange(64) % 16 < 8, 0.7, 0.1)[None, :, None] * np.float32([1, 0.5, -0.5])
    hidden = np.zeros((96, 64), bool)
    hidden[20:80, 24:38] = True
    smeared = tf.nn.avg_pool2d(picture[None], 9, 1, "SAME")[0].numpy()
    return picture, np.where(hidden[..., None], smeared, picture), hidden


def test_what_is_smeared_becomes_stripes_and_a_floor(striped):
    picture, painted, hidden = striped
    before, after = (np.abs(found - picture)[hidden].mean() for found in (painted, made(picture, painted, hidden)))
    assert after < before / 4


def test_only_the_hole_changes_and_nothing_under_it_is_shown(striped):
    picture, painted, hidden = striped
    found = made(picture, painted, hidden)
    np.testing.assert_array_equal(found[~hidden], picture[~hidden])
    someone = np.where(hidden[..., None], np.float32([0, 1, 0]), picture)
    np.testing.assert_array_equal(made(someone, painted, hidden), found)
    np.testing.assert_array_equal(made(picture, painted, np.zeros_like(hidden)), picture)


def test_what_is_painted_stays_where_no_patch_is_known(striped):
    picture, painted, hidden = striped
    assert np.abs(made(picture, painted, np.ones_like(hidden)) - painted).mean() < 0.05
    np.testing.assert_array_equal(
        made(*(x[48:75, 10:40] for x in (picture, painted, np.ones_like(hidden)))), painted[48:75, 10:40]
    )


def test_pictures_of_a_batch_are_filled_apart(striped):
    given = [np.float32(x) for x in striped]
    both = exemplars(*(np.stack([x, x[::-1]]).reshape(2, 96, 64, -1) for x in given)).numpy()
    for found, turned in zip(both, (1, -1), strict=True):
        np.testing.assert_allclose(found, made(*(x[::turned] for x in given)), atol=1e-6)


def test_a_piece_that_is_there_is_found_to_the_pixel():
    rng = np.random.default_rng(1)
    picture = tf.nn.avg_pool2d(rng.uniform(-3, 3, (1, 128, 96, 3)).astype(np.float32), 5, 1, "SAME")[0].numpy()
    hidden = np.zeros((128, 96), bool)
    hidden[50:85, 60:83] = True
    painted = picture.copy()
    painted[50:85, 60:83] = picture[37:72, 23:46]
    found = made(picture, painted, hidden)[54:81, 64:79]
    assert np.abs(found - picture[41:68, 27:42]).mean() < 0.018
