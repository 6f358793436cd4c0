import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.ndimage import map_coordinates

from tf_unseen_pose.data.resampling import packed, resample, sample, visible_window


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


def cut(jpeg, image, matrix, height, width):
    """As training cuts: the visible window is decoded, then sampled by what XLA makes of `sample`."""
    top, left, *size = window = visible_window(matrix, *image.shape[:2], height, width)
    pixels = tf.image.decode_and_crop_jpeg(jpeg, window, channels=3, dct_method="INTEGER_ACCURATE")
    into_window = matrix - np.float32([[0, 0, left], [0, 0, top]])
    compiled = tf.function(sample, jit_compile=True)
    return compiled(*packed(pixels, into_window, height, width), height, width).numpy(), size


@pytest.fixture
def encoded(make_picture):
    """A JPEG with much detail, and what the whole of it decodes to."""

    def encode(**options):
        grain = np.random.default_rng(2).integers(-40, 40, (45, 60, 1)).repeat(4, axis=0).repeat(4, axis=1)
        buffer = io.BytesIO()
        image = np.clip(make_picture(5, 180, 240) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(image).save(buffer, "JPEG", quality=90, **options)
        data = buffer.getvalue()
        return data, tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE").numpy()

    return encode


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("options", [{"subsampling": 0}, {"subsampling": 1}, {"subsampling": 2}, {"progressive": True}])
def test_the_window_alone_gives_the_pixels_of_the_whole_picture(encoded, view, options):
    jpeg, image = encoded(**options)
    matrix = VIEWS[view]
    output, size = cut(jpeg, image, matrix, 48, 64)
    x, y = points_of(matrix, 48, 64)
    expected = [map_coordinates(image[..., c].astype(float), [y, x], order=1, mode="nearest") for c in range(3)]
    np.testing.assert_allclose(output, np.stack(expected, axis=-1), atol=0.05)
    assert size[0] * size[1] < 0.8 * image[..., 0].size


@pytest.mark.parametrize("matrix", [affine(2.6, 0.1, 41.3, 8.2), affine(4.4, -0.2, -30.0, 30.0, flip=1)])
def test_the_window_alone_gives_the_pixels_where_it_shrinks(encoded, matrix):
    jpeg, image = encoded()
    output, _ = cut(jpeg, image, matrix, 36, 40)
    whole = resample(image.astype(np.float32), matrix, 36, 40).numpy()
    # The reduced pixels of a window lie elsewhere than those of the whole picture, by parts of a pixel.
    assert np.abs(output - whole).mean() < 0.06 * whole.std()


def test_windows_hold_what_is_sampled():
    generator = np.random.default_rng(4)
    for _ in range(300):
        height, width = generator.integers(1, 90, 2)
        matrix = affine(generator.uniform(0.2, 6), generator.uniform(-4, 4), *generator.uniform(-150, 150, 2))
        top, left, rows, columns = visible_window(matrix, height, width, 17, 23)
        assert top >= 0 and rows > 0 and top + rows <= height
        assert left >= 0 and columns > 0 and left + columns <= width
        x, y = points_of(matrix, 17, 23)
        x, y = x.clip(0, width - 1), y.clip(0, height - 1)
        assert left <= x.min() and x.max() <= left + columns - 1 and top <= y.min() and y.max() <= top + rows - 1


def test_pictures_of_one_pixel_across_are_sampled():
    column = np.arange(0, 250, 50, dtype=np.uint8)[:, None, None]
    for picture in (column, column.transpose(1, 0, 2)):
        output = sample(*packed(picture, np.float32([[0.5, 0, 0], [0, 0.5, 0]]), 6, 6), 6, 6).numpy()
        ramp = np.arange(0, 150, 25)
        expected = np.tile(ramp[:, None], (1, 6)) if picture is column else np.tile(ramp, (6, 1))
        np.testing.assert_allclose(output[..., 0], expected)


def test_packing_makes_few_shapes():
    shapes = {packed(np.zeros((height, 40, 3), np.uint8), np.eye(2, 3, dtype=np.float32), 16, 24)[0].shape[0]
              for height in range(1, 80)}  # fmt: skip
    assert shapes == {384 * count for count in range(1, 10)}
