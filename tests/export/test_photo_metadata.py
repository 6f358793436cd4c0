import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_unseen_pose.export import photos
from tf_unseen_pose.export.photo_metadata import in_jpeg, in_png, orientation
from tf_unseen_pose.imaging.photos import load_image


@pytest.fixture(scope="module")
def image():
    y, x = np.mgrid[:24, :40]
    return Image.fromarray(np.uint8(np.stack([6 * x, 10 * y, 3 * (x + y)], axis=-1)))


def _file(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _exif(turned, endian="<"):
    exif = Image.Exif()
    exif.endian = endian
    exif.update({0x0110: "Camera", 0x0112: turned, 0x0132: "2020:01:02 03:04:05"})
    return exif.tobytes()


@pytest.mark.parametrize("turned", range(1, 9))
def test_photos_are_turned_as_on_the_host(image, tmp_path, turned):
    kind = ("JPEG", "PNG")[turned % 2]
    (tmp_path / "photo").write_bytes(_file(image, kind, exif=_exif(turned, "<>"[turned // 2 % 2])))
    found, _ = photos.read(tf.constant((tmp_path / "photo").read_bytes()), 4096)
    np.testing.assert_array_equal(found, load_image(tmp_path / "photo"))


@pytest.mark.parametrize("exif", [b"", b"II*\0", b"MM\0*" + b"\xff" * 8, _exif(6)[6:30], _exif(9)[6:]])
def test_what_is_no_orientation_turns_nothing(exif):
    assert orientation(tf.constant(exif)).numpy() == 1


def test_a_profile_in_several_segments_is_put_together(image):
    profile = np.random.default_rng(0).bytes(70_000)
    content = _file(image, "JPEG", icc_profile=profile, exif=_exif(3))
    found = in_jpeg(tf.constant(content))
    assert found.profile.numpy() == profile and found.exif.numpy() == _exif(3)[6:]


def test_a_profile_that_unfolds_without_end_is_refused(image):
    content = _file(image, "PNG", icc_profile=np.random.default_rng(0).bytes(70_000))
    with pytest.raises(tf.errors.InvalidArgumentError, match="profile is too large"):
        in_png(tf.constant(content))


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff", b"\xff\xd8" + b"\xff\xe1\xff\xffExif\0\0", b"\xff\xd8" + b"\xff\xe0\0\0" * 9]
)
def test_a_file_that_ends_too_early_says_nothing(content):
    assert not in_jpeg(tf.constant(content)).profile.numpy()
