import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.images import load_image, paste, save_image, shrink, to_uint8


def smooth(height, width, seed=0):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def test_round_trip_and_exif_orientation(tmp_path):
    image = smooth(20, 30)
    save_image(tmp_path / "a.png", image)
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), image)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]  # no temporary file is left
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90 degrees clockwise
    Image.fromarray(image).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "turned.png"), np.rot90(image, -1))
    Image.fromarray(image[..., 0]).save(tmp_path / "grey.png")
    assert load_image(tmp_path / "grey.png").shape == (20, 30, 3)


def test_refuses_what_is_no_image(tmp_path):
    with pytest.raises(UserError, match="no file .*none.jpg"):
        load_image(tmp_path / "none.jpg")
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(UserError, match="not an image"):
        load_image(tmp_path / "text.jpg")
    with pytest.raises(UserError, match="not an image"):
        load_image(tmp_path)
    save_image(tmp_path / "whole.jpg", smooth(200, 300))
    (tmp_path / "half.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:900])
    with pytest.raises(UserError, match="damaged"):
        load_image(tmp_path / "half.jpg")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    with pytest.raises(UserError, match="Cannot write"):
        save_image(tmp_path / "a.xyz", smooth(8, 8))
    with pytest.raises(UserError, match="Cannot write"):
        save_image(tmp_path / "no" / "a.png", smooth(8, 8))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", [0.5, 1.0, 2.3])
def test_pasting_what_was_cut_out_restores_the_photo(step):
    photo = smooth(120, 160)
    height, width, shift = 40, 32, np.array([50.25, 33.5])
    y, x = np.mgrid[:height, :width] * step + shift[::-1, None, None]
    from scipy.ndimage import map_coordinates

    canvas = np.stack(
        [map_coordinates(photo[..., c].astype(float), [y, x], order=1, mode="nearest") for c in range(3)], -1
    )
    matrix = np.array([[step, 0, shift[0]], [0, step, shift[1]]])
    result = paste(photo, to_uint8(canvas / 127.5 - 1), matrix, feather=4)
    # Only interpolation is lost; a shift of half a pixel would cost ten times as much.
    assert np.abs(result.astype(int) - photo).max() <= 4


def test_outside_the_canvas_the_photo_is_untouched_and_the_edge_fades():
    photo = np.full((60, 80, 3), 10, np.uint8)
    canvas = np.full((20, 20, 3), 210, np.uint8)
    result = paste(photo, canvas, np.array([[1.0, 0, 30], [0, 1, 15]]), feather=5)[..., 0].astype(int)
    inside = np.zeros((60, 80), bool)
    inside[15:35, 30:50] = True
    assert (result[~inside] == 10).all()
    assert result[25, 40] == 210
    assert result[25, 30:36].tolist() == [10, 50, 90, 130, 170, 210]


def test_no_fade_where_the_photo_ends():
    photo = np.full((30, 30, 3), 10, np.uint8)
    canvas = np.full((40, 20, 3), 210, np.uint8)
    result = paste(photo, canvas, np.array([[1.0, 0, 20], [0, 1, -5]]), feather=5)[..., 0]
    assert result[0, 29] == result[29, 29] == result[15, 29] == 210
    assert result[15, 20] == 10
    np.testing.assert_array_equal(paste(photo, canvas, np.array([[1.0, 0, 100], [0, 1, 0]])), photo)


def test_shrinking_keeps_proportions_and_place():
    image = np.zeros((90, 160, 3), np.uint8)
    image[20:40, 80:120] = 255
    small = shrink(image, 80)
    assert small.shape == (45, 80, 3)
    assert small[10:20, 40:60].min() > 200 and small[22:, :].max() < 20 and small[:, :38].max() < 20
    assert shrink(image, 160) is image
