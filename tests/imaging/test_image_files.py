import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.image_files import load_image, save_image, shrink


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


def test_shrinking_keeps_proportions_and_place():
    image = np.zeros((90, 160, 3), np.uint8)
    image[20:40, 80:120] = 255
    small = shrink(image, 80)
    assert small.shape == (45, 80, 3)
    assert small[10:20, 40:60].min() > 200 and small[22:, :].max() < 20 and small[:, :38].max() < 20
    assert shrink(image, 160) is image
