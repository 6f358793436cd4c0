import numpy as np
import pytest
from bilinear import sampled

from tf_unseen_pose.geometry.resampling import resample


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
    np.testing.assert_allclose(output, sampled(image, matrix, 40, 64), atol=0.05)


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
    np.testing.assert_allclose(output, sampled(image, matrix, 40, 60), atol=0.05)
