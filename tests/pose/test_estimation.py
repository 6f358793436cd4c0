"""The estimator: MediaPipe's results in our convention, the people of the sample data, and what is refused."""

import json
from itertools import islice

import av
import mediapipe
import numpy as np
import pytest
from mediapipe.tasks.python.components.containers.landmark import NormalizedLandmark
from mediapipe.tasks.python.vision import PoseLandmarkerResult
from PIL import Image

from tf_unseen_pose.geometry.pose_maps import limb_depths
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.pose.estimation import (
    PoseEstimator,
    _are_two_people,
    _detections,
    estimate_video,
    find_person,
    open_estimator,
)
from tf_unseen_pose.pose.joint_formats import blazepose_to_body
from tf_unseen_pose.pose.people import Detection

BLANK = np.full((120, 90, 3), 128, np.uint8)


@pytest.fixture
def estimator(has_model):
    with open_estimator() as estimator:
        yield estimator


@pytest.fixture
def video_estimator(has_model):
    with open_estimator(video=True) as estimator:
        yield estimator


@pytest.fixture
def squats(shared):
    """The first 20 frames, and the joints that another run of BlazePose found in them."""
    with av.open(str(shared / "data/videos/pose_squats.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(video=0), 20)]
    landmarks = np.array(json.loads((shared / "data/videos/pose_squats.full.json").read_text()))[:20]
    landmarks[..., 2] = 1
    return frames, blazepose_to_body(landmarks)


def beside(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two pictures side by side, 480 pixels high."""
    pictures = [Image.fromarray(picture) for picture in (left, right)]
    return np.concatenate([picture.resize((480 * picture.width // picture.height, 480)) for picture in pictures], 1)


def mediapipe_image(mask):
    return mediapipe.Image(image_format=mediapipe.ImageFormat.VEC32F1, data=mask)


def test_results_become_pixels_of_the_image():
    marks = np.random.default_rng(0).uniform(0.1, 0.9, (33, 4))
    marks[16] = (1.25, -0.5, 0.7, -0.4)
    mask = np.zeros((60, 40), np.float32)
    mask[10:20, 5:9], mask[50, 3] = 1, 0.5
    landmarks = [NormalizedLandmark(x=x, y=y, z=z, visibility=v) for x, y, v, z in marks]
    result = PoseLandmarkerResult([landmarks], [], [mediapipe_image(mask)])
    (found,) = _detections(result, 60, 40)
    x, y, visibility, z = marks.T
    expected = blazepose_to_body(np.stack([x * 40 - 0.5, y * 60 - 0.5, visibility, z * 40], axis=1))
    np.testing.assert_allclose(found.joints, expected, atol=1e-4)
    # Beyond the image's edge, and not clipped.
    np.testing.assert_allclose(found.joints[PERSON.joint_index("right_wrist")], [[49.5, -30.5, 0.7, -16]], atol=1e-4)
    assert found.mask.dtype == np.uint8
    np.testing.assert_array_equal(found.mask, np.round(mask * 255))


def test_nobody_is_no_detection():
    assert _detections(PoseLandmarkerResult([], [], None), 60, 40) == []


def test_a_second_person_must_be_large_seen_and_elsewhere(standing):
    def person(scale=1.0, shift=0, seen=14):
        joints = standing * np.float32([scale, scale, 1]) + np.float32([shift, 0, 0])
        joints[seen:, 2] = 0
        mask = np.zeros((240, 500), np.uint8)
        mask[40 : 40 + int(160 * scale), 60 + shift : 60 + shift + int(90 * scale)] = 255
        return Detection(joints, mask)

    first = person()
    assert _are_two_people(first, person(shift=200))
    assert _are_two_people(person(0.4), person(shift=200))
    assert not _are_two_people(first, person(0.3, shift=200))
    assert not _are_two_people(first, person(shift=200, seen=6))
    assert not _are_two_people(first, person(shift=20))
    assert _are_two_people(first, person(shift=60))


def test_finds_the_woman_of_the_squats(squats, video_estimator):
    frames, expected = squats
    joints = estimate_video(iter(frames), 5.0, video_estimator)
    assert joints.shape == (20, 23, 4) and joints.dtype == np.float32
    height = np.ptp(expected[0, :, 1])
    distances = np.hypot(*np.moveaxis(joints[..., :2] - expected[..., :2], -1, 0))
    assert distances.mean() < 0.015 * height
    assert distances.mean(axis=0).max() < 0.03 * height
    assert (joints[..., 2] > 0.1).all()


def test_a_video_is_tracked_alike_every_time(squats, has_model):
    runs = []
    for _ in range(2):
        with open_estimator(video=True) as estimator:
            runs.append([estimator.detect(frame) for frame in squats[0][:5]])
    for first, second in zip(*runs, strict=True):
        np.testing.assert_array_equal(first.joints, second.joints)
        np.testing.assert_array_equal(first.mask, second.mask)


def test_left_and_right_are_the_persons_own(squats, estimator):
    """A mirrored picture has the mirrored joints and mask."""
    image = squats[0][8]
    found, mirrored = estimator.detect(image), estimator.detect(image[:, ::-1])
    expected = found.joints[BODY.mirrored]
    expected[:, 0] = image.shape[1] - 1 - expected[:, 0]
    height = np.ptp(expected[:, 1])
    assert np.hypot(*(mirrored.joints - expected).T[:2]).max() < 0.05 * height
    assert np.mean(mirrored.mask[:, ::-1] != found.mask) < 0.1
    # She faces the camera.
    right, left = found.joints[PERSON.joint_index("right_shoulder", "left_shoulder"), 0]
    assert right + 0.05 * height < left


def test_what_is_nearer_has_the_smaller_z(shared, estimator):
    """A man turned with his right side to the camera holds his right arm out towards it, his left one down."""
    image = load_image(shared / "data/exercise_pairs/images/Front_Dumbbell_Raise_1.jpg")
    joints = find_person(image, "photo.jpg", estimator).joints
    z = dict(zip(BODY.joints, joints[:, 3], strict=True))
    assert z["right_wrist"] < z["right_elbow"] < z["right_shoulder"] < z["left_shoulder"]
    assert z["right_wrist"] < z["left_wrist"] and z["right_ankle"] < z["left_ankle"]
    forearm, torso = (
        next(i for i, limb in enumerate(PERSON.limbs) if limb.name == n) for n in ("right_forearm", "torso")
    )
    depths = limb_depths(joints[None, :14], PERSON).numpy()[0]
    assert depths.argmin() == forearm and depths[forearm] < depths[torso] - 1


def test_the_mask_covers_the_person(squats, estimator):
    found = estimator.detect(squats[0][0])
    assert found.mask.shape == squats[0][0].shape[:2]
    columns, rows = np.round(found.joints[:, :2].T).astype(int)
    assert (found.mask[rows, columns] > 128).all()
    assert found.mask[:, :20].max() < 30 and 0.05 < np.mean(found.mask > 128) < 0.3


def test_counts_and_chooses_people(squats, shared, estimator):
    frames, _ = squats
    with av.open(str(shared / "data/videos/dancer.avi")) as container:
        dancer = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert estimator.detect(BLANK) is None
    assert [estimator.count_people(picture) for picture in (frames[0], dancer, BLANK)] == [1, 1, 0]
    both = beside(frames[0], dancer)
    assert estimator.count_people(both) == 2
    np.testing.assert_array_equal(find_person(dancer, "photo.jpg", estimator).joints, estimator.detect(dancer).joints)
    edge = 480 * frames[0].shape[1] // frames[0].shape[0]
    assert find_person(both, "photo.jpg", estimator, person=2).joints[:, 0].mean() > edge


def test_a_gap_in_a_video_is_filled(squats, video_estimator):
    frames = squats[0][:3]
    poses = estimate_video([frames[0], np.zeros_like(frames[0]), frames[0]], 5.0, video_estimator)
    assert (poses[..., 2] > 0).all()
    height = np.ptp(poses[0, :, 1])
    assert np.hypot(*(poses[1] - poses[0]).T[:2]).max() < 0.05 * height


def test_refuses_what_is_no_model(refuses):
    refuses(lambda: PoseEstimator(b"rubbish"), "not a .task bundle")
    refuses(lambda: PoseEstimator(b""), "not a .task bundle")
