import io

import numpy as np
import pytest
import tensorflow as tf
from color_profiles import formula, profile, table
from PIL import Image

from tf_unseen_pose.export import photos
from tf_unseen_pose.imaging.photos import load_image


@pytest.fixture(scope="module")
def image():
    y, x = np.mgrid[:24, :40]
    return Image.fromarray(np.uint8(np.stack([6 * x, 10 * y, 255 - 3 * (x + y)], axis=-1)))


def _png(image, embedded):
    file = io.BytesIO()
    image.save(file, "PNG", icc_profile=embedded)
    return file.getvalue()


@pytest.mark.parametrize(
    "curve",
    [
        table(),
        table(563),
        table(*(round(65535 * (i / 99) ** 1.8) for i in range(100))),
        formula(0, 2.4),
        formula(1, 2, 1.1, -0.1),
        formula(2, 2.2, 1.05, -0.05, 0),
        formula(3, 2.4, 0.947867, 0.052133, 0.077399, 0.04045),
        formula(4, 2.2, 0.9, 0.05, 0.4, 0.1, 0.03, 0),
    ],
    ids=["straight", "exponent", "table", *(f"formula{kind}" for kind in range(5))],
)
def test_colours_are_those_of_littlecms(image, tmp_path, curve):
    (tmp_path / "photo.png").write_bytes(_png(image, profile(curve)))
    found, _ = photos.read(tf.constant((tmp_path / "photo.png").read_bytes()), 4096)
    assert abs(found.numpy().astype(int) - np.asarray(image)).max() > 20
    np.testing.assert_allclose(found, load_image(tmp_path / "photo.png"), atol=1)


def test_grey_and_transparent_photos_have_profiles_too(image, tmp_path):
    seen_through = image.copy()
    seen_through.putalpha(Image.fromarray(np.uint8(np.linspace(0, 255, 960).reshape(24, 40))))
    for photo, space in ((image.convert("L"), b"GRAY"), (seen_through, b"RGB ")):
        (tmp_path / "photo.png").write_bytes(_png(photo, profile(table(300), space)))
        found, _ = photos.read(tf.constant((tmp_path / "photo.png").read_bytes()), 4096)
        np.testing.assert_allclose(found, load_image(tmp_path / "photo.png"), atol=1)


@pytest.mark.parametrize("embedded", [b"abc", profile(table())[:150], b"\xff" * 400])
def test_another_kind_of_profile_is_refused(image, embedded):
    with pytest.raises(tf.errors.InvalidArgumentError, match="not of curves and a matrix"):
        photos.read(tf.constant(_png(image, embedded)), 4096)
