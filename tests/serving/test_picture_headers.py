import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.serving.picture_headers import check_pictures
from tf_unseen_pose.serving.request_errors import RequestError


def picture(kind, width=30, height=20, **options):
    file = io.BytesIO()
    Image.effect_noise((width, height), 50).save(file, kind, **options)
    return file.getvalue()


def png_header(width, height):
    """A PNG file that claims a size and holds a few bytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    body = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def check(*contents, most=600):
    array = np.empty(len(contents), object)
    array[:] = contents
    check_pictures("image_bytes", array, most)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_the_size_counts_pixels_not_bytes(kind):
    check(picture(kind))
    with pytest.raises(RequestError, match="has 31 x 20 pixels; at most 600"):
        check(picture(kind), picture(kind, 31))


@pytest.mark.parametrize("size", [(30000, 30000), (10000, 9999), (2**31 - 1, 2**31 - 1)])
def test_bombs_are_refused_by_their_header(size, recwarn):
    with pytest.raises(RequestError, match="pixels; at most 600"):
        check(png_header(*size))
    assert not recwarn


def test_all_frames_of_an_animation_count():
    frames = [Image.effect_noise((10, 10), 50) for _ in range(7)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    check(file.getvalue(), most=700)
    with pytest.raises(RequestError, match="7 frames of 10 x 10 pixels"):
        check(file.getvalue(), most=699)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        picture("JPEG")[:15],
        picture("PNG")[:20],
        picture("WEBP"),
        picture("TIFF"),
        b"\xff\xd8" * 99,
    ],
    ids=["empty", "text", "short JPEG", "short PNG", "WebP", "TIFF", "markers"],
)
def test_what_does_not_begin_as_a_picture_is_refused(content):
    with pytest.raises(RequestError, match=f"no complete picture: its {len(content)} bytes") as caught:
        check(content)
    assert caught.value.code.name == "INVALID_ARGUMENT"
