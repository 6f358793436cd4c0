import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.image_files import save_image, shrink
from tf_unseen_pose.imaging.photos import load_image


def smooth(height, width, seed=0):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def test_what_was_saved_is_loaded(tmp_path):
    image = smooth(20, 30)
    save_image(tmp_path / "a.png", image)
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), image)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]  # no temporary file is left


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
