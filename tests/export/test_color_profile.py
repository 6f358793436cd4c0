import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_unseen_pose.export import photos
from tf_unseen_pose.imaging.photos import load_image

# To XYZ under D50: Adobe RGB (1998).
_ADOBE = [[0.60976, 0.20524, 0.14922], [0.31112, 0.62566, 0.06322], [0.01948, 0.06089, 0.74484]]


def _fixed(*values):
    return struct.pack(f">{len(values)}i", *(round(65536 * value) for value in values))


def _formula(kind, *values):
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + _fixed(*values)


def _table(*values):
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


def _profile(curve, space=b"RGB "):
    """A display profile with one curve for all channels."""
    tags = {b"wtpt": b"XYZ \0\0\0\0" + _fixed(0.9642, 1, 0.8249)}
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        tags |= {name + b"TRC": curve for name in (b"r", b"g", b"b")}
        columns = zip((b"r", b"g", b"b"), zip(*_ADOBE, strict=True), strict=True)
        tags |= {name + b"XYZ": b"XYZ \0\0\0\0" + _fixed(*column) for name, column in columns}
    table, data = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(tag))
        data += tag + b"\0" * (-len(tag) % 4)
    header = b"\2\x10\0\0mntr" + space + b"XYZ " + b"\0" * 12 + b"acsp" + b"\0" * 28 + _fixed(0.9642, 1, 0.8249)
    size = 132 + 12 * len(tags) + len(data)
    return (struct.pack(">I", size) + b"lcms" + header).ljust(128, b"\0") + table + data


@pytest.fixture(scope="module")
def image():
    y, x = np.mgrid[:24, :40]
    return Image.fromarray(np.uint8(np.stack([6 * x, 10 * y, 255 - 3 * (x + y)], axis=-1)))


def _png(image, profile):
    file = io.BytesIO()
    image.save(file, "PNG", icc_profile=profile)
    return file.getvalue()


@pytest.mark.parametrize(
    "curve",
    [
        _table(),
        _table(563),
        _table(*(round(65535 * (i / 99) ** 1.8) for i in range(100))),
        _formula(0, 2.4),
        _formula(1, 2, 1.1, -0.1),
        _formula(2, 2.2, 1.05, -0.05, 0),
        _formula(3, 2.4, 0.947867, 0.052133, 0.077399, 0.04045),
        _formula(4, 2.2, 0.9, 0.05, 0.4, 0.1, 0.03, 0),
    ],
    ids=["straight", "exponent", "table", *(f"formula{kind}" for kind in range(5))],
)
def test_colours_are_those_of_littlecms(image, tmp_path, curve):
    (tmp_path / "photo.png").write_bytes(_png(image, _profile(curve)))
    found, _ = photos.read(tf.constant((tmp_path / "photo.png").read_bytes()), 4096)
    assert abs(found.numpy().astype(int) - np.asarray(image)).max() > 20
    np.testing.assert_allclose(found, load_image(tmp_path / "photo.png"), atol=1)


def test_grey_and_transparent_photos_have_profiles_too(image, tmp_path):
    seen_through = image.copy()
    seen_through.putalpha(Image.fromarray(np.uint8(np.linspace(0, 255, 960).reshape(24, 40))))
    for photo, space in ((image.convert("L"), b"GRAY"), (seen_through, b"RGB ")):
        (tmp_path / "photo.png").write_bytes(_png(photo, _profile(_table(300), space)))
        found, _ = photos.read(tf.constant((tmp_path / "photo.png").read_bytes()), 4096)
        np.testing.assert_allclose(found, load_image(tmp_path / "photo.png"), atol=1)


@pytest.mark.parametrize("profile", [b"abc", _profile(_table())[:150], b"\xff" * 400])
def test_another_kind_of_profile_is_refused(image, profile):
    with pytest.raises(tf.errors.InvalidArgumentError, match="not of curves and a matrix"):
        photos.read(tf.constant(_png(image, profile)), 4096)
