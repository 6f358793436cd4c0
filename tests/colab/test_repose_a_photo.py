"""The notebook from top to bottom, with a photo that is put where one's own belongs."""

import base64
import io
import shutil

import numpy as np
from PIL import Image

from tf_unseen_pose.imaging.video import read_video
from tf_unseen_pose.inference.bundled import FOLDER, bundled
from tf_unseen_pose.known_skeletons import PERSON


def test_it_shows_the_person_of_the_photo_in_other_poses(notebook):
    with notebook("repose_a_photo.ipynb", OWN_PHOTO=True) as session:
        photos = session.folder / "reposed" / "photo"
        photos.mkdir(parents=True)
        shutil.copy(FOLDER / "person.jpg", photos / "me.jpg")
        session.run()
    photo, source, motion = bundled()
    (shown,) = session.shown("photo", "image/jpeg")
    assert base64.b64decode(shown) == (FOLDER / "person.jpg").read_bytes()
    posed, explained = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))
        for png in session.shown("pose", "image/png")
    )
    changed = np.abs(posed.astype(int) - photo).mean(axis=-1)
    # The left hand, which is stretched out in the photo, is not there any more; the floor below is as it was.
    x, y = source[PERSON.joints.index("left_wrist"), :2].round().astype(int)
    assert posed.shape == photo.shape and explained.shape[1] > photo.shape[1]
    assert changed[y - 5 : y + 6, x - 5 : x + 6].mean() > 20 and changed[-photo.shape[0] // 10 :].max() == 0
    frames = [frame for _, frame in read_video(session.folder / "reposed" / "moving.mp4")]
    assert len(frames) == len(motion.joints) == 50 and frames[0].shape == (photo.shape[0], 2 * photo.shape[1], 3)
    assert "<video" in session.shown("video", "text/html")[0]
    assert "posed.png is ready" in session.said("download") and "moving.mp4 is ready" in session.said("download")
