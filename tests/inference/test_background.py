import sys

import numpy as np

from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.video_writer import VideoWriter
from tf_unseen_pose.inference.background import load_background


def test_a_photo_is_itself_and_a_video_its_median(tmp_path, has_model):
    picture = np.arange(60 * 80 * 3, dtype=np.uint32).reshape(60, 80, 3).astype(np.uint8)
    save_image(tmp_path / "room.png", picture)
    np.testing.assert_array_equal(load_background(tmp_path / "room.png"), picture)
    with VideoWriter(tmp_path / "room.mp4", 25) as writer:
        for _ in range(3):
            writer.write(np.full((60, 80, 3), (200, 90, 40), np.uint8))
    found = load_background(tmp_path / "room.mp4")
    assert found.shape == (60, 80, 4) and (found[..., 3] == 255).all()
    np.testing.assert_allclose(found[..., :3], np.broadcast_to([200, 90, 40], (60, 80, 3)), atol=4)


def test_what_cannot_be_read_is_refused(tmp_path, refuses, monkeypatch, has_model):
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "text.jpg").write_text("no photo")
    for name in ("text.mp4", "text.jpg", "none.png", "none.mp4"):
        refuses(lambda name=name: load_background(tmp_path / name), name)
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    for module in ("estimation", "mediapipe_tasks"):
        monkeypatch.delitem(sys.modules, f"tf_unseen_pose.pose.{module}", raising=False)
    monkeypatch.delitem(sys.modules, "tf_unseen_pose.inference.median_background", raising=False)
    refuses(lambda: load_background(tmp_path / "text.mp4"), "mediapipe", "install", "photo of the scene")
