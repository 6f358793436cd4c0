import numpy as np
import pytest

from tf_unseen_pose.data.shots import cuts, longest_shot
from tf_unseen_pose.data.synthetic import synthetic_clip


@pytest.fixture(scope="module")
def shots():
    """Three scenes of 5, 9 and 7 frames."""
    return [
        [frame.image for frame in synthetic_clip(seed, count, 120, 160, action)]
        for seed, count, action in ((1, 5, "jacks"), (2, 9, "dance"), (5, 7, "kick"))
    ]


def test_the_longest_shot_is_found(shots):
    assert longest_shot(iter(sum(shots, []))) == (5, 14)
    assert longest_shot(shots[2] + shots[0] + shots[2]) == (0, 7)


def test_motion_brightness_and_a_moving_camera_are_no_cuts(shots):
    for shot in shots:
        assert longest_shot(shot) == (0, len(shot))
    flicker = [
        np.clip(image * factor, 0, 255).astype(np.uint8) for image, factor in zip(shots[1], [1, 1.06] * 5, strict=False)
    ]
    assert longest_shot(flicker) == (0, 9)
    panorama = np.concatenate([shots[0][0], shots[2][0], shots[1][0]], axis=1)
    assert longest_shot(panorama[:, 12 * step :][:, :160] for step in range(26)) == (0, 26)


def test_few_pictures():
    grey = np.full((20, 30, 3), 90, np.uint8)
    assert longest_shot([]) == (0, 0)
    assert longest_shot([grey]) == (0, 1)
    assert longest_shot([grey, grey + 60]) == (0, 1)


def test_a_cut_stands_out_of_its_neighbours():
    differences = np.full(12, 2.0)
    differences[[4, 9]] = 40, 11
    assert cuts(differences) == [4]
    assert cuts(np.full(12, 40.0)) == []
    # A shot of two frames between two cuts.
    differences[6] = 38
    assert cuts(differences) == [4, 6]
