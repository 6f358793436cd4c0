import numpy as np
import pytest

from tf_unseen_pose.data.joint_formats import blazepose_to_person
from tf_unseen_pose.skeleton import PERSON

# The names of MediaPipe's documentation, in its order.
BLAZEPOSE = [
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
]  # fmt: skip


@pytest.fixture
def landmarks():
    points = np.random.default_rng(5).uniform(0, 300, (33, 3)).astype(np.float32)
    points[:, 2] = np.linspace(0.2, 0.9, 33)
    return points


def test_limbs_keep_their_names(landmarks):
    joints = blazepose_to_person(landmarks)
    assert joints.shape == (14, 3) and joints.dtype == np.float32
    for name in PERSON.joints[2:]:
        np.testing.assert_array_equal(
            joints[PERSON.joint_index(name)[0]], landmarks[BLAZEPOSE.index(name)], err_msg=name
        )


def test_neck_and_head_by_hand(landmarks):
    landmarks[[BLAZEPOSE.index(f"{side}_shoulder") for side in ("left", "right")]] = [[60, 100, 0.9], [40, 110, 0.4]]
    landmarks[[BLAZEPOSE.index(f"{side}_ear") for side in ("left", "right")]] = [[62, 50, 0.3], [50, 60, 0.8]]
    head, neck = blazepose_to_person(landmarks)[PERSON.joint_index("head", "neck")]
    np.testing.assert_allclose(neck, [50, 105, 0.4], rtol=1e-6)
    # Ears at (56, 55): 6 right of and 50 above the neck, and 0.6 of that beyond.
    np.testing.assert_allclose(head, [56 + 3.6, 55 - 30, 0.3], rtol=1e-6)


def test_guessed_joints_are_absent(landmarks):
    landmarks[BLAZEPOSE.index("right_ear"), 2] = 0.09
    landmarks[BLAZEPOSE.index("left_knee"), 2] = 0.05
    landmarks[BLAZEPOSE.index("right_knee"), 2] = 0.11
    joints = blazepose_to_person(landmarks)
    visibility = joints[PERSON.joint_index("head", "left_knee", "right_knee"), 2]
    np.testing.assert_allclose(visibility, [0, 0, 0.11], rtol=1e-6)


def test_leading_axes(landmarks):
    many = np.stack([landmarks, landmarks[::-1]])[None]
    joints = blazepose_to_person(many)
    assert joints.shape == (1, 2, 14, 3)
    np.testing.assert_array_equal(joints[0, 1], blazepose_to_person(landmarks[::-1]))
