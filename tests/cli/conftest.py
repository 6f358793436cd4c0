"""What commands are given: a photo, poses, an untrained run, films."""

from fractions import Fraction

import numpy as np
import pytest
from small_networks import TINY

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.video_writer import VideoWriter
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.pose.pose_files import Poses, write_poses
from tf_unseen_pose.training.run import Run


@pytest.fixture(scope="package")
def folder(tmp_path_factory):
    """A photo, two poses and an untrained run."""
    path = tmp_path_factory.mktemp("work")
    source, target = (list(synthetic_clip(2, 6, 150, 200))[i] for i in (0, 3))
    save_image(path / "photo.png", source.image)
    write_poses(path / "source.json", Poses(source.joints[None], 200, 150))
    write_poses(path / "target.json", Poses(target.joints[None], 200, 150))
    config = load_config("tiny", TINY)
    Run.create(path / "run", config).save_weights(build_generator(config.model))
    return path


@pytest.fixture(scope="package")
def films(tmp_path_factory):
    """A dancing figure as a photo of its own, another one as a video, and a folder of what is no video."""
    path = tmp_path_factory.mktemp("films")
    dancer = list(synthetic_clip(4, 6, 200, 240, "dance"))
    other = [frame.image for frame in synthetic_clip(5, 6, 240, 320, "kick")]
    save_image(path / "photo.png", dancer[0].image)
    save_image(path / "other.png", other[3])
    write_film(path / "kick.mp4", other)
    folder = path / "folder"
    folder.mkdir()
    write_film(folder / "dance.mp4", [frame.image for frame in dancer])
    write_film(folder / "still.mp4", other[:1])
    write_film(folder / "nobody.mp4", [np.full((90, 120, 3), 60 + 9 * i, np.uint8) for i in range(4)])
    # Near to each other: the estimator overlooks people who are small in the picture. In slow motion, for no cut.
    pairs = [(dancer[i // 3], other[i // 3]) for i in range(6)]
    two = [np.concatenate([a.image[:, 50:190], b[20:220, 90:230]], axis=1) for a, b in pairs]
    write_film(folder / "two.mp4", two)
    (folder / "cut.mp4").write_bytes((path / "kick.mp4").read_bytes()[:900])
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("no video")
    save_image(folder / "picture.jpg", other[0])
    return path


def write_film(path, images):
    with VideoWriter(path, Fraction(30000, 1001)) as writer:
        for image in images:
            writer.write(image)
