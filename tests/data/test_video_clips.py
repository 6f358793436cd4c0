from fractions import Fraction

import cv2
import numpy as np
import pytest

from tf_unseen_pose.data import video_clips as module
from tf_unseen_pose.data.clips import BrokenClip, Frame, Rejected
from tf_unseen_pose.data.registration import MOVED
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.data.video_clips import VideoOptions, _sampled, _Selection, video_clips, video_frames
from tf_unseen_pose.imaging.time_span import TimeSpan
from tf_unseen_pose.imaging.video_writer import VideoWriter
from tf_unseen_pose.known_skeletons import BODY, PERSON, convert_joints
from tf_unseen_pose.pose.estimation import Detection


def write(path, images, fps=10):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, Fraction(fps)) as writer:
        for image in images:
            writer.write(image)
    return path


@pytest.fixture(scope="module")
def dance():
    return list(synthetic_clip(4, 10, 240, 320, "dance"))


def test_joints_and_masks_are_found(tmp_path, dance, decode, has_model):
    path = write(tmp_path / "dance.mp4", [frame.image for frame in dance])
    kept = [frame for frame in video_frames(path, VideoOptions()) if isinstance(frame, Frame)]
    assert len(kept) >= 6 and kept[0].number == 0
    for frame in kept:
        truth = dance[frame.number]
        assert frame.joints.shape == (23, 3)
        distances = np.linalg.norm(frame.joints[:14, :2] - truth.joints[:, :2], axis=1)
        assert distances.mean() < 0.06 * np.ptp(truth.joints[:, 1])
        found, real = decode(frame.mask_png) > 127, truth.mask > 127
        assert (found & real).sum() > 0.6 * (found | real).sum()
        assert np.abs(decode(frame.jpeg).astype(int) - truth.image).mean() < 6


@pytest.mark.parametrize("fps, rate, expected", [(25, 10, [0, 3, 5, 8, 10]), (10, 30, range(12)), (24, 24, range(12))])
def test_the_first_frame_of_every_interval_is_taken(tmp_path, fps, rate, expected):
    """The frame's brightness tells which one it is."""
    images = [np.full((48, 64, 3), 20 + 15 * i, np.uint8) for i in range(12)]
    path = write(tmp_path / "steps.mp4", images, fps)
    seen = {number: round((image.mean() - 20) / 15) for number, image in _sampled(path, VideoOptions(rate=rate))}
    assert list(seen.values()) == list(expected)
    assert list(seen) == [int(frame / fps * rate + 1e-9) for frame in expected]
    part = [number for number, _ in _sampled(path, VideoOptions(rate=rate, span=TimeSpan(5.01 / fps, 9 / fps)))]
    assert part == [number for number in seen if int(5.01 / fps * rate) <= number < 9 / fps * rate]


def test_large_frames_are_shrunk(tmp_path):
    path = write(tmp_path / "large.mp4", [np.zeros((90, 160, 3), np.uint8)])
    ((_, image),) = _sampled(path, VideoOptions(max_side=80))
    assert image.shape == (45, 80, 3)


class ScriptedEstimator:
    """Finds what it is told to, frame by frame; what it sees decides nothing."""

    def __init__(self, found, people=()):
        self.found, self.people, self.counts = iter(found), iter(people), 0

    def detect(self, image):
        return next(self.found)

    def count_people(self, image):
        self.counts += 1
        return next(self.people, 1)


def wall(make_picture, count):
    """Frames of one wall in slightly changing light, so that none is frozen; 240 x 200."""
    texture = make_picture(3, 240, 200).astype(float)
    noise = np.random.default_rng(1).integers(-40, 40, (30, 25, 1)).repeat(8, 0).repeat(8, 1)
    return [np.clip(texture + noise + 3 * (i % 4), 0, 255).astype(np.uint8) for i in range(count)]


def found(joints):
    joints = convert_joints(joints, PERSON, BODY)
    mask = np.zeros((240, 200), np.uint8)
    mask[40:200, 60:150] = 255
    # A depth, which frames do not keep.
    return Detection(np.insert(joints, 3, joints[:, 0], axis=1).astype(np.float32), mask)


def judge(images, estimator, **options):
    selection = _Selection(estimator, VideoOptions(**options))
    return [selection.judge(number, image) for number, image in enumerate(images)]


def reasons(results):
    return [result.reason if isinstance(result, Rejected) else None for result in results]


def test_reasons_for_rejection(make_picture, standing):
    images = wall(make_picture, 7)
    images[2] = images[1]
    outside = standing.copy()
    outside[:2, 1] -= 90  # Head and neck above the picture's edge.
    legless = standing + np.float32([6, 0, 0])
    legless[[9, 10, 12, 13], 1] += 300
    small = standing * np.float32([0.3, 0.3, 1])
    moved = standing + np.float32([0, 9, 0])
    script = [None, found(standing), found(outside), found(small), found(legless), found(moved)]
    results = judge(images, ScriptedEstimator(script))
    assert reasons(results) == [
        module.NO_PERSON, None, module.FROZEN, module.OUT_OF_FRAME, module.TOO_SMALL, None, None,
    ]  # fmt: skip
    # What leaves the picture is absent, the rest stays.
    absent = results[5].joints[:, 2] == 0
    assert np.flatnonzero(absent).tolist() == [9, 10, 12, 13, *range(14, 23)]
    np.testing.assert_allclose(results[6].joints[:14], moved, atol=0.2)


def test_hands_and_feet_are_kept_where_they_are_found_but_decide_nothing(make_picture, standing):
    """They move from frame to frame, and are absent from the third: the frames are chosen as without them."""
    script = []
    for number in range(3):
        joints = np.concatenate([standing + np.float32([number, 0, 0]), standing[:9] + np.float32([9 * number, 3, 0])])
        joints[14:, 2] = number < 2
        script.append(found(joints))
    results = judge(wall(make_picture, 3), ScriptedEstimator(script), register=False)
    assert reasons(results) == [None, module.NEAR_DUPLICATE, module.NEAR_DUPLICATE]
    np.testing.assert_array_equal(results[0].joints[14:], script[0].joints[14:, :3])


def test_near_duplicates_are_measured_from_the_last_kept_frame(make_picture, standing):
    # The person is about 180 pixels tall: 2 % are 3.6. Steps of 1.5 pixels add up.
    script = [found(standing + np.float32([1.5 * i, 0, 0])) for i in range(7)]
    results = judge(wall(make_picture, 7), ScriptedEstimator(script))
    duplicate = module.NEAR_DUPLICATE
    assert reasons(results) == [None, duplicate, duplicate, None, duplicate, duplicate, None]


def test_people_are_counted_every_second(make_picture, standing):
    script = [found(standing + np.float32([5 * i, 0, 0])) for i in range(7)]
    estimator = ScriptedEstimator(script, people=[1, 2, 1])
    results = judge(wall(make_picture, 7), estimator, rate=3)
    several = module.SEVERAL_PEOPLE
    assert reasons(results) == [None, None, None, several, several, several, None] and estimator.counts == 3


def test_frames_are_aligned_to_the_first(make_picture, standing, decode):
    still = wall(make_picture, 3)
    shift = np.float32([[1, 0, 3], [0, 1, -2]])
    images = [still[0], cv2.warpAffine(still[1], shift, (200, 240), borderMode=cv2.BORDER_REPLICATE)]
    images.append(np.roll(still[2], 60, axis=1))
    moved = standing + np.float32([13, 8, 0])
    script = [found(standing), found(moved), found(standing)]
    results = judge(images, ScriptedEstimator(script))
    assert reasons(results) == [None, None, MOVED]
    np.testing.assert_allclose(results[1].joints[:14, :2], moved[:, :2] - [3, -2], atol=0.2)
    corner = (slice(20, 35), slice(20, 180))
    first, second = (decode(result.jpeg)[corner].astype(int) for result in results[:2])
    assert np.abs(second - first).mean() < 6
    unaligned = judge(images, ScriptedEstimator([found(standing), found(moved), found(standing)]), register=False)
    assert reasons(unaligned) == [None, None, None]
    np.testing.assert_array_equal(unaligned[1].joints[:14], moved)


def test_only_the_longest_shot_is_used(tmp_path, dance, has_model):
    other = [frame.image for frame in synthetic_clip(7, 4, 240, 320, "squat")]
    path = write(tmp_path / "edited.mp4", [frame.image for frame in dance] + other)
    results = list(video_frames(path, VideoOptions()))
    assert [r.reason == module.OTHER_SHOT for r in results if isinstance(r, Rejected) and r.number > 9] == [True] * 4
    assert all(frame.number < 10 for frame in results if isinstance(frame, Frame))


def test_clips_are_named_and_labelled_by_their_folders(tmp_path, has_model, refuses):
    root = tmp_path / "videos"
    for name in ("golf/b/2.mp4", "golf/b/1.mov", "top.mp4", ".hidden/3.mp4", "golf/.4.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    single = tmp_path / "single.mp4"
    single.write_bytes(b"")
    clips = video_clips([root, single], VideoOptions(people="folders", rate=4))
    assert [(clip.name, clip.action, clip.person, clip.fps) for clip in clips] == [
        ("golf/b/1.mov", "golf", "videos/golf/b", 4),
        ("golf/b/2.mp4", "golf", "videos/golf/b", 4),
        ("top.mp4", "videos", "videos/.", 4),
        ("single.mp4", "", "/.", 4),
    ]
    assert [clip.person for clip in video_clips([root], VideoOptions())] == ["golf/b/1.mov", "golf/b/2.mp4", "top.mp4"]
    with pytest.raises(BrokenClip, match="1.mov"):
        list(clips[0].frames())
    (tmp_path / "empty").mkdir()
    refuses(lambda: video_clips([tmp_path / "none"], VideoOptions()), "none")
    refuses(lambda: video_clips([tmp_path / "empty"], VideoOptions()), "empty", "no file")
    refuses(lambda: video_clips([root], VideoOptions(rate=0)), "rate")
