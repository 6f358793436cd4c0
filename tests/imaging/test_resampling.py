import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from tf_unseen_pose.imaging.resampling import cut_out, resample


def points_of(matrix, height, width):
    y, x = np.mgrid[:height, :width]
    return (matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])).reshape(2, height, width)


@pytest.mark.parametrize("scale", [0.4, 1.9])
def test_resample_is_bilinear(make_picture, scale):
    image = make_picture(3, 90, 120).astype(np.float32)
    angle = 0.3
    matrix = np.float32(
        [
            [scale * np.cos(angle), -scale * np.sin(angle), 15.3],
            [scale * np.sin(angle), scale * np.cos(angle), -8.6],
        ]
    )
    output = resample(image, matrix, 40, 64).numpy()
    x, y = points_of(matrix, 40, 64)
    expected = np.stack([map_coordinates(image[..., c], [y, x], order=1, mode="nearest") for c in range(3)], -1)
    np.testing.assert_allclose(output, expected, atol=0.05)


def test_resample_averages_where_it_shrinks():
    checks = np.indices((240, 320)).sum(axis=0) % 2 * 255.0
    matrix = np.float32([[4.3, 0.2, 6], [-0.2, 4.3, 9]])
    output = resample(checks[..., None].astype(np.float32), matrix, 48, 64).numpy()
    np.testing.assert_allclose(output, 127.5, atol=8)


def test_resample_keeps_its_geometry_where_it_shrinks():
    y, x = np.mgrid[:241, :317].astype(np.float32)
    image = np.stack([x, y, 2 * x - y], axis=-1)
    matrix = np.float32([[3.7, 0.4, 20], [-0.4, 3.7, 30]])
    output = resample(image, matrix, 40, 60).numpy()
    x, y = points_of(matrix, 40, 60)
    np.testing.assert_allclose(output, np.stack([x, y, 2 * x - y], axis=-1), atol=0.05)


def affine(scale, angle, x, y, flip=1):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.float32([[flip * cos, -sin, x], [flip * sin, cos, y]])


VIEWS = {
    "enlarged": affine(0.4, 0.3, 100.3, 40.2),
    "turned": affine(1.7, -0.1, 20.6, 61.1),
    "flipped": affine(1.9, 0.05, 190.2, 33.7, flip=-1),
    "over the corner": affine(1.4, 0.2, -30.4, -22.8),
    "beyond the right border": affine(1.2, 0.0, 500.5, 60.0),
    "far above": affine(1.2, 0.0, 40.5, -300.0),
}


@pytest.mark.parametrize("view", VIEWS)
def test_cut_out_is_bilinear(make_picture, view):
    picture = make_picture(5, 180, 240)
    matrix = VIEWS[view]
    x, y = points_of(matrix, 48, 64)
    expected = [map_coordinates(picture[..., c].astype(float), [y, x], order=1, mode="nearest") for c in range(3)]
    output = cut_out(picture, matrix, 48, 64)
    assert output.dtype == np.uint8
    # Rounded to whole numbers, at places rounded to 1/32 of a pixel.
    np.testing.assert_allclose(output, np.stack(expected, axis=-1), atol=1.5)
    np.testing.assert_array_equal(cut_out(picture[..., 1], matrix, 48, 64), output[..., 1])


@pytest.mark.parametrize("matrix", [affine(2.6, 0.1, 41.3, 8.2), affine(4.4, -0.2, -30.0, 30.0, flip=1)])
def test_cut_out_shrinks_as_resample_does(make_picture, matrix):
    grain = np.random.default_rng(2).integers(-40, 40, (45, 60, 1)).repeat(4, axis=0).repeat(4, axis=1)
    picture = np.clip(make_picture(5, 180, 240) + grain, 0, 255).astype(np.uint8)
    photo = resample(picture.astype(np.float32), matrix, 36, 40).numpy()
    # The one reduces by areas, the other by triangles.
    assert np.abs(cut_out(picture, matrix, 36, 40) - photo).mean() < 0.15 * photo.std()


def test_cut_out_keeps_its_geometry_where_it_shrinks():
    y, x = np.mgrid[:181, :237]
    ramps = np.stack([x, y, (x + y) // 2], axis=-1).astype(np.uint8)
    matrix = affine(3.7, -0.1, 20, 45)
    x, y = points_of(matrix, 30, 40)
    output = cut_out(ramps, matrix, 30, 40)
    np.testing.assert_allclose(output[..., 0], x.clip(0, 236), atol=1.7)
    np.testing.assert_allclose(output[..., 1], y.clip(0, 180), atol=1.7)


def test_pictures_of_one_pixel_across_are_sampled():
    column = np.arange(0, 250, 50, dtype=np.uint8)[:, None, None]
    for picture in (column, column.transpose(1, 0, 2)):
        output = cut_out(picture, np.float32([[0.5, 0, 0], [0, 0.5, 0]]), 6, 6)
        ramp = np.arange(0, 150, 25)
        expected = np.tile(ramp[:, None], (1, 6)) if picture is column else np.tile(ramp, (6, 1))
        np.testing.assert_allclose(output, expected)
