"""Photos of every kind become the same pixels: upright, sRGB, on white, 8 bits."""

import io
import sys

import numpy as np
import pillow_heif
import pytest
from coded_colours import HLG, PATCHES, PQ, SRGB, coded
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base

from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.photos import as_photo, is_image, lasting_exif, load_image


def smooth(height=20, width=30, channels=3, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, channels), dtype=np.uint8)
    planes = [Image.fromarray(small[..., i]).resize((width, height), Image.Resampling.BICUBIC) for i in range(channels)]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def test_a_turned_photo_is_set_upright(tmp_path):
    image, exif = smooth(), Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90 degrees clockwise
    Image.fromarray(image).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "turned.png"), np.rot90(image, -1))


def test_the_kind_is_told_by_the_content(tmp_path):
    image = smooth()
    for kind in ("PNG", "BMP", "TIFF"):
        Image.fromarray(image).save(tmp_path / f"{kind}.mp4", kind)
        assert is_image(tmp_path / f"{kind}.mp4")
        np.testing.assert_array_equal(load_image(tmp_path / f"{kind}.mp4"), image)
    Image.fromarray(image).save(tmp_path / "photo", "AVIF", quality=95)
    assert is_image(tmp_path / "photo")
    assert np.abs(load_image(tmp_path / "photo").astype(int) - image).mean() < 4


def test_heic(tmp_path):
    image = smooth(64, 96)
    pillow_heif.from_pillow(Image.fromarray(image)).save(tmp_path / "photo.jpg", quality=95)
    assert is_image(tmp_path / "photo.jpg")
    assert np.abs(load_image(tmp_path / "photo.jpg").astype(int) - image).mean() < 4


def test_heic_without_its_package_says_what_to_do(tmp_path, monkeypatch, refuses):
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(Image, "ID", [kind for kind in Image.ID if kind != "HEIF"])
    assert is_image(tmp_path / "photo.heic")
    refuses(lambda: load_image(tmp_path / "photo.heic"), "photo.heic", "'pillow-heif'")


def test_a_moving_gif_is_a_video_and_its_first_picture_a_photo(tmp_path):
    first, second = (Image.fromarray(smooth(seed=seed)[..., 0]) for seed in (1, 2))
    first.save(tmp_path / "moving.gif", save_all=True, append_images=[second])
    first.save(tmp_path / "still.gif")
    assert is_image(tmp_path / "still.gif") and not is_image(tmp_path / "moving.gif")
    np.testing.assert_array_equal(load_image(tmp_path / "moving.gif")[..., 1], np.asarray(first))
    (tmp_path / "text.png").write_text("hello")
    assert not is_image(tmp_path / "text.png")


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_what_is_transparent_lies_on_white(mode):
    colours, opacity = smooth(channels=1)[..., 0], smooth(channels=1, seed=5)[..., 0]
    image = Image.fromarray(colours).convert(mode)
    image.putalpha(Image.fromarray(opacity))
    share = opacity[..., None] / 255
    expected = (share * colours[..., None] + (1 - share) * 255).repeat(3, axis=2)
    np.testing.assert_allclose(as_photo(image), expected, atol=1.01)


def test_a_palettes_transparent_colour_is_white(tmp_path):
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "palette.png", transparency=1)
    expected = [[[10, 20, 30], [255] * 3], [[70, 80, 90], [255] * 3]]
    np.testing.assert_array_equal(load_image(tmp_path / "palette.png"), expected)


def swapped_profile():
    """A profile of a device whose red and green are sRGB's green and red."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(content[128:132], "big")
    entries = {bytes(content[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    content[red : red + 4], content[green : green + 4] = content[green : green + 4], content[red : red + 4]
    return bytes(content)


def test_an_embedded_profile_is_applied(tmp_path, caplog):
    image = smooth()
    Image.fromarray(image).save(tmp_path / "wide.png", icc_profile=swapped_profile())
    np.testing.assert_allclose(load_image(tmp_path / "wide.png"), image[..., [1, 0, 2]], atol=2)
    assert not caplog.records
    Image.fromarray(image).save(tmp_path / "broken.png", icc_profile=b"no profile")
    np.testing.assert_array_equal(load_image(tmp_path / "broken.png"), image)
    assert "colour profile is damaged" in caplog.text


def test_sixteen_bits_become_eight(tmp_path):
    levels = np.linspace(0, 65535, 600).astype(np.uint16).reshape(20, 30)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    expected = np.round(levels / 257)[..., None].repeat(3, axis=2)
    np.testing.assert_array_equal(load_image(tmp_path / "deep.png"), expected)
    np.testing.assert_array_equal(as_photo(levels), expected)


def test_arrays_and_pillow_images_are_taken_for_what_they_are(tmp_path):
    image = smooth()
    for same in (image, Image.fromarray(image), image / 255, np.uint16(image) * 257):
        np.testing.assert_array_equal(as_photo(same), image)
    np.testing.assert_array_equal(as_photo(image[..., 0]), as_photo(image[..., :1]))
    opaque = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    np.testing.assert_array_equal(as_photo(opaque), image)
    opaque[5, 7, 3] = 0
    assert as_photo(opaque)[5, 7].tolist() == [255, 255, 255]
    path = tmp_path / "a.png"
    Image.fromarray(image).save(path)
    for named in (path, str(path)):
        np.testing.assert_array_equal(as_photo(named), image)


@pytest.mark.parametrize(
    "array, words",
    [
        (np.zeros((2, 3, 5)), ("[2, 3, 5]", "[H, W, 3]")),
        (np.zeros((1, 2, 3, 3), np.uint8), ("[1, 2, 3, 3]",)),
        (np.zeros((2, 3, 3), int), ("int64", "uint8")),
        (np.full((2, 3, 3), 200.0), ("0..1", "uint8 in 0..255")),
        (np.full((2, 3, 3), np.nan), ("0..1",)),
        (np.zeros((0, 3, 3), np.uint8), ("[0, 3, 3]",)),
    ],
)
def test_other_arrays_are_refused(array, words, refuses):
    refuses(lambda: as_photo(array, "the photo"), "the photo", *words)


def test_what_is_no_photo_is_refused(tmp_path, refuses):
    refuses(lambda: load_image(tmp_path / "none.jpg"), "no file", "none.jpg")
    refuses(lambda: is_image(tmp_path / "none.jpg"), "no file", "none.jpg")
    (tmp_path / "text.jpg").write_text("hello")
    for no_image in (tmp_path / "text.jpg", tmp_path):
        refuses(lambda path=no_image: load_image(path), "not an image")
    whole = io.BytesIO()
    Image.fromarray(smooth(200, 300)).save(whole, "JPEG")
    (tmp_path / "half.jpg").write_bytes(whole.getvalue()[:900])
    refuses(lambda: load_image(tmp_path / "half.jpg"), "half.jpg", "damaged")


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp"])
def test_results_say_when_and_with_what_the_photo_was_taken(tmp_path, ending):
    exif = Image.Exif()
    exif[Base.Model], exif[Base.Orientation], exif[Base.ImageDescription] = "Camera 3", 6, "Holidays"
    exif.get_ifd(IFD.Exif).update({Base.DateTimeOriginal: "2026:05:04 03:02:01", Base.ExifImageWidth: 30})
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: (48.0, 8.0, 30.0)})
    Image.fromarray(smooth()).save(tmp_path / "photo.jpg", exif=exif)
    made = tmp_path / f"made{ending}"
    save_image(made, load_image(tmp_path / "photo.jpg"), synthetic=True, exif=lasting_exif(tmp_path / "photo.jpg"))
    with Image.open(made) as image:
        found = image.getexif()
    assert found[Base.Model] == "Camera 3" and Base.Orientation not in found
    assert found.get_ifd(IFD.Exif) == {Base.DateTimeOriginal: "2026:05:04 03:02:01"}
    assert found.get_ifd(IFD.GPSInfo)[2] == (48, 8, 30)
    assert found.get(Base.ImageDescription) != "Holidays"


def test_jpeg_results_keep_colours_at_full_resolution(tmp_path):
    save_image(tmp_path / "a.jpg", smooth())
    with Image.open(tmp_path / "a.jpg") as image:
        # Sampling factors of the three components, and the first entries of quality 95's tables.
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
        assert image.quantization[0][0] == 2 and image.quantization[1][0] == 2


@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
@pytest.mark.parametrize("primaries, transfer", [(9, HLG), (9, PQ), (12, SRGB)])
def test_colours_that_numbers_describe_become_srgb(tmp_path, kind, primaries, transfer):
    signal = np.round(255 * coded(PATCHES, primaries, transfer)).astype(np.uint8)
    image = Image.fromarray(signal.repeat(16, axis=0)[None].repeat(32, axis=0))
    if kind == "HEIC":
        heic = pillow_heif.from_pillow(image)
        heic.save(
            tmp_path / "photo", quality=-1, chroma=444, matrix_coefficients=0,
            color_primaries=primaries, transfer_characteristics=transfer,
        )  # fmt: skip
    else:
        image.save(tmp_path / "photo", "AVIF", quality=100, subsampling="4:4:4")
        content = bytearray((tmp_path / "photo").read_bytes())
        at = content.index(b"colrnclx") + 8
        content[at : at + 4] = bytes([0, primaries, 0, transfer])
        (tmp_path / "photo").write_bytes(content)
    # Of 8 bits, HDR leaves little to dark colours, and AVIF rounds once more.
    tolerance = 4 if transfer == SRGB else 7 if kind == "HEIC" else 14
    np.testing.assert_allclose(load_image(tmp_path / "photo")[16, 8::16], PATCHES, atol=tolerance)
