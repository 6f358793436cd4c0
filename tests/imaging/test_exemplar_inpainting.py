"""The sharp fill of holes: textures go on, the rest stays, and what is not known is left as it is."""

import cv2
import numpy as np
import pytest

from tf_unseen_pose.imaging.exemplar_inpainting import pieced


def psnr(one, other):
    return 10 * np.log10(255**2 / np.square(one.astype(float) - other).mean())


def scene_of(height, width):
    """A wall of panels above a floor of slanted planks."""
    y, x = np.mgrid[:height, :width] * 90 / height
    wall = np.uint8([[200, 80, 60], [150, 60, 40], [90, 90, 100]])[np.int64(x // 12 % 3)]
    floor = np.uint8([[210, 190, 150], [120, 100, 70]])[np.int64((x + y) // 11 % 2)]
    return np.where((y < 50)[..., None], wall, floor)


def with_hole(scene, rows, columns, blur):
    """The scene with a blurred part, as a network paints one, and how much of each pixel that is."""
    hidden = np.zeros(scene.shape[:2], np.uint8)
    hidden[rows, columns] = 255
    return np.where(hidden[..., None] > 0, cv2.blur(scene, (blur, blur)), scene), hidden


def steepest(picture, step):
    """The largest change from a pixel to the one `step` to its right, the mean over rows."""
    return np.abs(picture[:, step:].astype(float) - picture[:, :-step]).max(axis=(1, 2)).mean()


@pytest.mark.parametrize("height", (90, 270, 720))
def test_textures_go_on_in_the_hole_and_the_rest_stays(height):
    scene, unit = scene_of(height, height * 4 // 3), height // 90
    rows, columns = slice(35 * unit, 70 * unit), slice(40 * unit, 65 * unit)
    guess, hidden = with_hole(scene, rows, columns, 9 * unit)
    made = pieced(guess, hidden)
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made[hidden == 0], guess[hidden == 0])
    whole, blurred, filled = (picture[rows, columns] for picture in (scene, guess, made))
    assert psnr(filled, whole) > psnr(blurred, whole) + 3
    assert steepest(filled, 2 * unit) > 0.8 * steepest(whole, 2 * unit) > 2 * steepest(blurred, 2 * unit)


@pytest.mark.parametrize(("period", "blur", "gain"), ((151, 2, 5), (512, 1, 12)))
def test_places_of_coarse_maps_are_made_exact(period, blur, gain):
    """What is hidden is shown elsewhere, 151 pixels away, which no map of half the size can say; or in a picture larger
    than the finest map, whose own pixels are finer than that map's."""
    noise = np.random.default_rng(7).normal(128, 220, (260, period, 3))
    scene = np.uint8(np.clip(np.tile(cv2.GaussianBlur(noise, (0, 0), blur), (1, 2, 1)), 0, 255))
    rows, columns = slice(110, 150), slice(period + 49, period + 94)
    guess, hidden = with_hole(scene, rows, columns, 9)
    whole, blurred, filled = (picture[rows, columns] for picture in (scene, guess, pieced(guess, hidden)))
    assert psnr(filled, whole) > psnr(blurred, whole) + gain


def test_shades_of_a_wall_stay_smooth():
    """On a wall that is lit from one side patches of other shades made edges as of cut paper."""
    y, x = np.mgrid[:240, :320]
    scene = np.uint8(np.stack([150 + x / 5 + y / 12, 120 + x / 6, 90 + x / 7 + y / 9], axis=-1) + 0.5)
    guess, hidden = with_hole(scene, slice(60, 190), slice(110, 200), 31)
    made = cv2.blur(pieced(guess, hidden), (5, 5)).astype(int)
    for axis in (0, 1):
        assert np.abs(np.diff(made, axis=axis)).max() <= 2


def test_pieces_are_taken_from_the_hole_s_own_height():
    """Of two grounds that the guess resembles equally the one beside the hole shows, not the one far above."""
    rng = np.random.default_rng(5)
    scene = np.uint8(rng.integers(100, 140, (120, 80, 1)).repeat(3, axis=2))
    scene[:50] = scene[60:110]
    # Red alone tells them apart, too little for colours to decide.
    scene[:50, :, 0] += 2
    guess, hidden = with_hole(scene, slice(80, 92), slice(30, 44), 15)
    made = pieced(guess, hidden)[80:92, 30:44].astype(int)
    assert abs((made[..., 0] - made[..., 1]).mean()) < 1


@pytest.mark.parametrize("hidden", (0, 255))
def test_without_a_hole_or_a_scene_nothing_changes(hidden):
    picture = scene_of(40, 50)
    np.testing.assert_array_equal(pieced(picture, np.full((40, 50), hidden, np.uint8)), picture)
