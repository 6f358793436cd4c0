import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from tf_unseen_pose.imaging.pasting import Pasting


@pytest.mark.parametrize("step", [0.5, 1.0, 2.3])
def test_pasting_what_was_cut_out_restores_the_photo(step):
    photo = 128 + 900 * gaussian_filter(np.random.default_rng(0).uniform(-1, 1, (120, 160, 3)), (8, 8, 0))
    photo = np.round(np.clip(photo, 0, 255)).astype(np.uint8)
    height, width, shift = 40, 32, np.array([50.25, 33.5])
    y, x = np.mgrid[:height, :width] * step + shift[::-1, None, None]
    canvas = np.stack(
        [map_coordinates(photo[..., c].astype(float), [y, x], order=1, mode="nearest") for c in range(3)], -1
    )
    matrix = np.array([[step, 0, shift[0]], [0, step, shift[1]]])
    result = Pasting(photo, 40, 32, matrix, feather=1 / 8)(np.round(canvas).astype(np.uint8))
    # Only interpolation is lost; a shift of half a pixel would cost ten times as much.
    assert np.abs(result.astype(int) - photo).max() <= 4


def test_outside_the_canvas_the_photo_is_untouched_and_the_edge_fades():
    photo = np.full((60, 80, 3), 10, np.uint8)
    canvas = np.full((20, 20, 3), 210, np.uint8)
    result = Pasting(photo, 20, 20, np.array([[1.0, 0, 30], [0, 1, 15]]), feather=0.25)(canvas)[..., 0].astype(int)
    inside = np.zeros((60, 80), bool)
    inside[15:35, 30:50] = True
    assert (result[~inside] == 10).all()
    assert result[25, 40] == 210
    assert result[25, 30:36].tolist() == [10, 50, 90, 130, 170, 210]


def test_no_fade_where_the_photo_ends():
    photo = np.full((30, 30, 3), 10, np.uint8)
    canvas = np.full((40, 20, 3), 210, np.uint8)
    result = Pasting(photo, 40, 20, np.array([[1.0, 0, 20], [0, 1, -5]]), feather=0.25)(canvas)[..., 0]
    assert result[0, 29] == result[29, 29] == result[15, 29] == 210
    assert result[15, 20] == 10
    beside = Pasting(photo, 40, 20, np.array([[1.0, 0, 100], [0, 1, 0]]))
    np.testing.assert_array_equal(beside(canvas), photo)
