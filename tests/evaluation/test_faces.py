import json

import cv2
import numpy as np
import pytest
from scipy import ndimage

from tf_unseen_pose.evaluation.faces import FaceRecogniser, is_same_person, missing_packages, upright_head
from tf_unseen_pose.imaging.affine import transform_joints
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.pose.joint_formats import blazepose_to_body


def standing(head, neck):
    joints = np.zeros((14, 3), np.float32)
    joints[:2] = [[*head, 1], [*neck, 1]]
    joints[2:] = [[*np.add(neck, (0, 3 * i)), 1] for i in range(12)]
    return joints


def test_a_head_is_turned_upright():
    # Somebody lies with the head to the right; one pixel of the square is a half of the picture's.
    joints = standing((90, 40), (60, 40))
    to_picture, side = upright_head(joints, PERSON, 850)
    assert side == 240
    head, neck, middle = (
        np.linalg.inv(np.vstack([to_picture, [0, 0, 1]])) @ [*p, 1] for p in ((90, 40), (60, 40), (75, 40))
    )
    np.testing.assert_allclose(middle[:2], 119.5, atol=1e-9)
    np.testing.assert_allclose([head[:2], neck[:2]], [[119.5, 89.5], [119.5, 149.5]], atol=1e-9)
    # A turn, not a mirroring.
    assert np.linalg.det(to_picture[:, :2]) == pytest.approx(0.25)
    joints[1, 2] = 0
    assert upright_head(joints, PERSON, 850) is None


@pytest.fixture(scope="module")
def recogniser():
    missing = missing_packages()
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: pip install -r requirements-faces.txt")
    return FaceRecogniser(PERSON)


def test_a_person_is_recognised_turned_and_elsewhere(recogniser, shared):
    folder = shared / "data" / "exercise_pairs"
    pairs = {pair["name"]: pair for pair in json.loads((folder / "index.json").read_text())["pairs"]}

    def seen(name, frame):
        found = pairs[name]["frames"][frame]
        joints = blazepose_to_body(np.float32(found["landmarks"]))[:14]
        return load_image(folder / found["file"]), joints

    photo, joints = seen("T-Bar_Row_with_Handle", 0)
    face = recogniser.describe(photo, joints)
    # One man in two rooms, and another one.
    assert face.shape == (128,) and is_same_person(face, recogniser.describe(*seen("Smith_Machine_Pistol_Squat", 0)))
    assert not is_same_person(face, recogniser.describe(*seen("Incline_Inner_Biceps_Curl", 0)))
    # Lying, and smaller.
    height, width = photo.shape[:2]
    turn = np.float64([[0, -0.9, 0.9 * height], [0.9, 0, 20]])
    lying = cv2.warpAffine(photo, turn, (height, width), borderMode=cv2.BORDER_REPLICATE)
    assert is_same_person(face, recogniser.describe(lying, transform_joints(turn, joints)))
    # No face is where no head is, nor in a picture that is blurred.
    away = joints + np.float32([0, 0.4 * height, 0])
    assert recogniser.describe(photo, away) is None
    assert recogniser.describe(ndimage.gaussian_filter(photo, (9, 9, 0)), joints) is None
