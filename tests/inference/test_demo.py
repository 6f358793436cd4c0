import numpy as np
import pytest

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.imaging.video import read_video
from tf_unseen_pose.inference.bundled import FOLDER, bundled_avatar
from tf_unseen_pose.inference.demo import demo
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.pose.pose_files import read_poses
from tf_unseen_pose.training.run import Run


@pytest.fixture(scope="module")
def untrained(tmp_path_factory, small_lite):
    config = load_config("lite", small_lite)
    path = tmp_path_factory.mktemp("demo") / "run"
    Run.create(path, config).save_weights(build_generator(config.model))
    return path


def test_the_demo_leaves_a_picture_and_a_video_of_the_whole_motion(tmp_path, untrained):
    sheet, video = demo(tmp_path / "new" / "demo", model=untrained, progress=False)
    photo = load_image(FOLDER / "person.jpg")
    motion = read_poses(FOLDER / "motion.json", PERSON)
    frames = [frame for _, frame in read_video(video)]
    assert len(frames) == len(motion.joints) == 50
    height, width = photo.shape[:2]
    assert frames[0].shape == (height, 3 * width, 3)
    assert np.abs(frames[20][:, :width].astype(int) - photo).mean() < 4
    # In the middle the pose of each frame: the joint that moves most, and not where it is at another time.
    wrist = PERSON.joints.index("right_wrist")
    x, y = motion.joints[:, wrist, :2].round().astype(int).T
    panels = np.stack(frames)[:, :, width : 2 * width].max(axis=-1)
    brightest = [[panels[i, y[j] - 8 : y[j] + 9, x[j] - 8 : x[j] + 9].max() for j in (0, 24)] for i in (0, 24)]
    assert min(brightest[0][0], brightest[1][1]) > 150 and max(brightest[0][1], brightest[1][0]) < 60
    # The person moves, the room stays where it is.
    moved = np.abs(frames[20].astype(int) - frames[40])[:, 2 * width :].mean(-1)
    assert moved[:, : width // 8].mean() < 1 < moved.max() / 50
    for file in (sheet, video):
        assert b"compositeWithTrainedAlgorithmicMedia" in file.read_bytes(), file
    shown = load_image(sheet)
    assert shown.shape[0] > 2 * height + 400 and shown.shape[1] > 5 * width
    # Below, an avatar at its own size, and then in other poses.
    avatar, _ = bundled_avatar(1)
    rows = shown[-404:-4].astype(int)
    first, second = (rows[:, x : x + 400] for x in (4, 408))
    assert (
        np.abs(first - avatar).mean() < 2 < np.abs(second - avatar).mean() and not rows[:, 2024:].std(axis=(0, 1)).any()
    )


def test_the_bundled_pose_is_one_of_the_motion():
    poses = read_poses(FOLDER / "motion.json", PERSON).joints
    source = read_poses(FOLDER / "person.json", PERSON).joints[0]
    np.testing.assert_array_equal(poses[45], source)
    height, width = load_image(FOLDER / "person.jpg").shape[:2]
    assert (poses[..., :2] > 0).all() and (poses[..., :2] < [width, height]).all()


def test_a_photo_of_nobody_is_refused_before_anything_is_written(tmp_path, untrained, has_model):
    save_image(tmp_path / "wall.png", np.full((200, 150, 3), 90, np.uint8))
    with pytest.raises(UserError, match="wall.png"):
        list(demo(tmp_path / "demo", tmp_path / "wall.png", untrained))
    assert not (tmp_path / "demo").exists()


def test_ones_own_photo_is_put_through_the_motion(tmp_path, untrained, has_model):
    frame = next(synthetic_clip(5, 8, 480, 320, "jacks"))
    save_image(tmp_path / "me.png", frame.image)
    _, video = demo(tmp_path / "demo", tmp_path / "me.png", untrained, progress=False)
    frames = [frame for _, frame in read_video(video)]
    assert len(frames) == 50 and frames[0].shape == (480, 960, 3)
    assert np.abs(frames[0][:, :320].astype(int) - frame.image).mean() < 4
