import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_unseen_pose.export import photos
from tf_unseen_pose.imaging.affine import invert, transform_joints
from tf_unseen_pose.imaging.photos import load_image


@pytest.fixture(scope="module")
def picture():
    y, x = np.mgrid[:37, :53]
    smooth = np.stack([4 * x, 5 * y, 2 * (x + y)], axis=-1)
    return np.uint8(np.clip(smooth + np.random.default_rng(0).normal(0, 9, smooth.shape), 0, 255))


def _read(content):
    return photos.read(tf.constant(content), 4096)[0].numpy()


@pytest.mark.parametrize("options", [{"quality": 80}, {"progressive": True}])
def test_a_jpeg_is_read_as_on_the_host(picture, as_file, from_file, options):
    content = as_file(picture, "JPEG", **options)
    np.testing.assert_array_equal(_read(content), from_file(content))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA", "P"])
def test_a_png_is_read_as_on_the_host(picture, tmp_path, mode):
    image = Image.fromarray(np.dstack([picture, np.uint8(np.linspace(0, 255, picture[..., 0].size).reshape(37, 53))]))
    # A palette with entries that are transparent in part.
    image = image.quantize(16) if mode == "P" else image.convert(mode)
    image.save(tmp_path / "photo.png")
    np.testing.assert_array_equal(_read((tmp_path / "photo.png").read_bytes()), load_image(tmp_path / "photo.png"))


def test_a_photo_larger_than_the_limit_is_made_smaller(picture, as_file):
    found, scale = photos.read(tf.constant(as_file(picture)), 26)
    assert found.shape == (18, 26, 3) and float(scale) == pytest.approx(26 / 53)


def test_a_jpeg_of_too_many_pixels_is_not_decoded(picture, as_file):
    content = bytearray(as_file(picture, "JPEG"))
    frame = content.index(b"\xff\xc0")  # marker, length, precision, height, width
    content[frame + 5 : frame + 9] = b"\x75\x30\x75\x30"
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than 50000000 pixels"):
        _read(bytes(content))


def test_encoded_pictures_are_the_pictures(picture, from_file):
    files = [photos.encoded(tf.constant(each), tf.constant("png")).numpy() for each in (picture, picture[::-1])]
    np.testing.assert_array_equal([from_file(file) for file in files], [picture, picture[::-1]])


def test_encoded_pictures_say_that_they_are_synthetic(picture):
    content = photos.png(tf.constant(picture)).numpy()
    with Image.open(io.BytesIO(content)) as image:
        image.verify()
        assert b"digitalsourcetype/compositeWithTrainedAlgorithmicMedia" in image.info["xmp"]
        assert image.info["Software"] == "tf_unseen_pose" and image.info["Comment"].startswith("Synthetic")


def test_joints_go_to_the_canvas_as_in_numpy():
    rng = np.random.default_rng(1)
    joints = rng.uniform(0, 300, (2, 14, 3)).astype(np.float32)
    crop = np.float32([[1.7, 0, -31.5], [0, 1.7, 12.25]])
    found = photos.on_canvas(tf.constant(joints), tf.constant(crop))
    np.testing.assert_allclose(found, transform_joints(invert(crop), joints), rtol=1e-6)
