"""A drawn person whose forearm lies before a shirt."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose import BODY, Limb, Skeleton
from tf_unseen_pose.geometry import pose_maps
from tf_unseen_pose.model import beside_arms

SHIRT, SKIN, WALL = [0.8, -0.7, -0.3], [0.6, 0.2, -0.1], [-0.6, 0.1, 0.7]
# In pixels of a canvas of 256: a torso with a forearm before it, and another forearm beside it.
PLACES = {"right_shoulder": (80, 60), "left_shoulder": (160, 60), "right_hip": (88, 200), "left_hip": (152, 200)}
PLACES |= {"right_elbow": (76, 140), "right_wrist": (140, 120), "right_hand": (156, 116)}
PLACES |= {"left_elbow": (200, 100), "left_wrist": (200, 160), "left_hand": (200, 172)}
X, Y = np.meshgrid(2 * np.arange(128) + 0.5, 2 * np.arange(128) + 0.5)


def joints():
    found = np.zeros((1, 23, 3), np.float32)
    for name, place in PLACES.items():
        found[0, BODY.joint_index(name)] = [*place, 1]
    return found


def away_from(*names):
    """Distance of every map pixel to the line through the named joints, in pixels of the canvas."""
    lines = [np.linspace(PLACES[one], PLACES[other], 200) for one, other in zip(names, names[1:], strict=False)]
    return np.hypot(X[..., None] - np.concatenate(lines)[:, 0], Y[..., None] - np.concatenate(lines)[:, 1]).min(-1)


def found(arm_colour, source=None):
    """Where the torso is found beside forearms of this colour, which are 10 pixels wide and darker at their edges."""
    source = joints() if source is None else source
    torso = (X > 84) & (X < 156) & (Y > 60) & (Y < 200)
    away = np.minimum(away_from("right_elbow", "right_wrist", "right_hand"), away_from("left_elbow", "left_wrist"))
    arm, shaded = away < 5, np.array(arm_colour) - 0.05 * away[..., None]
    image = np.where(arm[..., None], shaded, np.where(torso[..., None], SHIRT, WALL)).astype(np.float32)
    cores = pose_maps.limb_cores(tf.constant(source), BODY, 256, 256, 2)
    # What is known of the torso is less than there is of it, and more than there is: some of the arm.
    maps = [image, torso | arm, (torso | arm) & (Y > 80)]
    maps = [tf.constant(np.reshape(one, (1, 128, 128, -1)).astype(np.float32)) for one in maps]
    result = beside_arms.torso_beside(*maps, cores, tf.constant(source), BODY, 2)
    return result.numpy()[0, ..., 0], torso, arm


def test_the_shirt_beside_an_arm_is_told_by_its_colour():
    result, torso, arm = found(SKIN)
    away = away_from("right_elbow", "right_wrist", "right_hand")
    assert (result[torso & ~arm & (away < 11)] > 0.9).all()
    assert (result[arm] < 0.01).all() and (result[away > 16] < 0.01).all()
    # Beside the other arm, and beside the torso, is the wall.
    assert (result[~torso & (X > 180)] == 0).all()


@pytest.mark.parametrize("colour", [SHIRT, [0.75, -0.6, -0.3]], ids=["a sleeve", "much like it"])
def test_nothing_is_told_of_an_arm_of_the_shirts_colour(colour):
    assert found(colour)[0].max() < 0.01


def test_the_shirts_colour_beyond_the_torso_is_something_else():
    """Such as a sleeve: the arm beside the body lies on a wall of the shirt's colour."""
    source = joints()
    for name in ("right_shoulder", "left_shoulder", "right_hip", "left_hip"):
        source[0, BODY.joint_index(name), 0] -= 50
    result = found(SKIN, source)[0]
    assert result[:, 66:].max() == 0 and result.max() > 0.9


def test_a_side_view_and_a_skeleton_without_arms_tell_nothing():
    source = joints()
    source[0, BODY.joint_index("right_hip", "left_hip")] = source[0, BODY.joint_index("left_hip", "right_hip")]
    assert found(SKIN, source)[0].max() == 0
    snake = Skeleton("snake", ("head", "tail"), (Limb("body", ("head", "tail")),), root="body")
    one = tf.ones([1, 8, 8, 1])
    assert not np.any(beside_arms.torso_beside(tf.ones([1, 8, 8, 3]), one, one, one, tf.ones([1, 2, 3]), snake, 2))
    assert not np.any(beside_arms.taken_along(one, tf.ones([1, 8, 8, 2]) / 2, tf.ones([1, 8, 8, 2]), snake))


@pytest.mark.parametrize(
    ("chosen", "share", "covering", "taken"),
    [
        ("left_forearm", 0.9, None, 1),
        ("right_hand", 0.9, None, 1),
        ("left_forearm", 0.1, None, 0),
        ("left_upper_arm", 0.9, None, 0),
        # The shirt is right before the torso.
        ("left_forearm", 0.9, "torso", 0),
        ("left_forearm", 0.9, "right_forearm", 1),
    ],
)
def test_only_what_an_arm_alone_would_show_stays_behind(chosen, share, covering, taken):
    names = [limb.name for limb in BODY.limbs]
    weights, coverage = np.full((1, 1, 2, 15), (1 - share) / 14, np.float32), np.zeros((1, 1, 2, 15), np.float32)
    weights[..., names.index(chosen)] = share
    # The whole person, unmoved, says nothing of the new position.
    coverage[..., names.index(chosen)] = coverage[..., -1] = 1 if chosen != "left_upper_arm" else 0
    if covering:
        coverage[..., names.index(covering)] = 0.9
    torso = tf.constant([[[[1.0], [0.25]]]])
    result = beside_arms.taken_along(torso, tf.constant(weights), tf.constant(coverage), BODY).numpy()
    assert result[0, 0, 0, 0] == (pytest.approx(8) if taken else 0)
    assert result[0, 0, 1, 0] == result[0, 0, 0, 0] / 4
