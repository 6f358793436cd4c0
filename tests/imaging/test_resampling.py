import numpy as np
import pytest
from bilinear import sampled

from tf_unseen_pose.geometry.resampling import resample
from tf_unseen_pose.imaging.resampling import cut_out


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
    output = cut_out(picture, matrix, 48, 64)
    assert output.dtype == np.uint8
    # Rounded to whole numbers, at places rounded to 1/32 of a pixel.
    np.testing.assert_allclose(output, sampled(picture, matrix, 48, 64), atol=1.5)
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
    np.testing.assert_allclose(cut_out(ramps, matrix, 30, 40), sampled(ramps, matrix, 30, 40), atol=1.7)


def test_pictures_of_one_pixel_across_are_sampled():
    column = np.arange(0, 250, 50, dtype=np.uint8)[:, None, None]
    for picture in (column, column.transpose(1, 0, 2)):
        output = cut_out(picture, np.float32([[0.5, 0, 0], [0, 0.5, 0]]), 6, 6)
        ramp = np.arange(0, 150, 25)
        expected = np.tile(ramp[:, None], (1, 6)) if picture is column else np.tile(ramp, (6, 1))
        np.testing.assert_allclose(output, expected)
