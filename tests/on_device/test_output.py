import sys

import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.on_device.output import open_output


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return [np.kron(rng.integers(0, 256, (4, 6, 3)), np.ones((8, 8, 1))).astype(np.uint8) for _ in range(3)]


def test_a_gif_keeps_all_frames_and_a_picture_the_last(tmp_path, frames):
    for name in ("out.gif", "out.png", "out.mp4"):
        with open_output(tmp_path / name, 20) as output:
            for frame in frames:
                output.write(frame)
    with Image.open(tmp_path / "out.gif") as gif:
        assert (gif.n_frames, gif.info["duration"], gif.size) == (3, 50, (48, 32))
    np.testing.assert_array_equal(Image.open(tmp_path / "out.png"), frames[-1])
    assert (tmp_path / "out.mp4").stat().st_size > 500
    assert len(list(tmp_path.iterdir())) == 3


def test_after_an_error_nothing_is_left(tmp_path, frames):
    for name in ("out.gif", "out.png", "out.mp4"):
        with pytest.raises(KeyError), open_output(tmp_path / name, 20) as output:
            output.write(frames[0])
            raise KeyError
    assert not list(tmp_path.iterdir())


def test_refusals(tmp_path, monkeypatch, refuses):
    refuses(lambda: open_output(tmp_path / "out.xyz", 20), "out.xyz", ".gif")
    refuses(lambda: open_output(tmp_path / "none" / "out.gif", 20), "no folder")
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "tf_unseen_pose.imaging.video_writer", raising=False)
    refuses(lambda: open_output(tmp_path / "out.mp4", 20), "'av'", ".gif")
