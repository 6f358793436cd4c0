from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation import photo_metrics as module
from tf_unseen_pose.evaluation.example_pictures import PhotoPair
from tf_unseen_pose.evaluation.photo_metrics import PhotoComparison, PhotoJudge, PhotoMeasuring, open_judge
from tf_unseen_pose.known_skeletons import BODY, PERSON


@pytest.fixture
def photos(picture):
    """Two photographs of 60 x 44 pixels, whose people overlap."""
    rng = np.random.default_rng(3)
    joints = [np.column_stack([rng.uniform(4, 40, 14), rng.uniform(4, 56, 14), np.ones(14)]) for _ in range(2)]
    masks = np.zeros((2, 60, 44), np.float32)
    masks[0, 8:30, 5:25], masks[1, 20:50, 15:40] = 1, 1
    # Soft where the two touch.
    masks[0, 29], masks[1, 20] = 0.75, 0.25
    return PhotoPair(picture(1, 60, 44), picture(2, 60, 44), *np.float32(joints), *masks)


def test_the_gradient_is_sobels(picture):
    grey = np.asarray(Image.fromarray(picture(4)).convert("L"), np.float64)
    expected = np.hypot(ndimage.sobel(grey, 0, mode="mirror"), ndimage.sobel(grey, 1, mode="mirror"))
    # The two turn colours to grey with roundings of their own.
    np.testing.assert_allclose(module.gradient(picture(4)), expected, atol=6)


def test_blur_costs_sharpness_where_it_counts(photos):
    target, mask = photos.target, photos.target_mask
    assert module.sharpness(target, target, mask) == 1
    halved = (target // 2).astype(np.uint8)
    assert module.sharpness(halved, target, mask) == pytest.approx(0.5, abs=0.03)
    soft = ndimage.gaussian_filter(target, (3, 3, 0))
    elsewhere = np.where(ndimage.maximum_filter(mask, 3)[..., None] > 0, target, soft)
    assert module.sharpness(soft, target, mask) < 0.8 and module.sharpness(elsewhere, target, mask) == pytest.approx(1)
    assert np.isnan(module.sharpness(target, np.zeros_like(target), mask))
    assert np.isnan(module.sharpness(target, target, 0 * mask))


def test_the_hole_is_where_the_source_alone_stood(photos):
    total = weight = 0.0
    for y in range(60):
        for x in range(44):
            part = max(float(photos.source_mask[y, x]) - float(photos.target_mask[y, x]), 0.0)
            gap = np.abs(photos.source[y, x].astype(float) - photos.target[y, x]).mean() / 255
            total, weight = total + part * gap, weight + part
    arguments = photos.source_mask, photos.target_mask
    assert module.hole_error(photos.source, photos.target, *arguments) == pytest.approx(total / weight, rel=1e-5)
    assert module.hole_error(photos.target, photos.target, *arguments) == 0
    assert np.isnan(module.hole_error(photos.source, photos.target, photos.target_mask, photos.target_mask))


def test_the_scene_says_what_is_behind_where_it_is_known(photos, picture):
    known = replace(photos, scene=picture(7, 60, 44))
    results = {"target": photos.target, "scene": known.scene}
    found = {
        (name, given.scene is None): PhotoComparison(PhotoMeasuring(PERSON, None, None), given).measure(result)
        for name, result in results.items()
        for given in (photos, known)
    }
    errors = {key: values["hole_error"] for key, values in found.items()}
    assert errors["target", True] == errors["scene", False] == 0
    assert errors["target", False] == errors["scene", True] > 0.1


def test_its_own_pose_should_leave_a_photo_as_it_is(photos):
    mask = photos.source_mask
    assert module.own_pose(photos.source, photos.source, mask) == {"own_psnr": 100, "own_change": 0}
    changed = photos.source.copy()
    changed[8:12, 5:15] ^= 16
    changed[55, 40] ^= 64
    found = module.own_pose(changed, photos.source, mask)
    inside = 40 * 16**2 / 255**2 / mask.sum()
    assert found["own_psnr"] == pytest.approx(-10 * np.log10(inside), rel=1e-5)
    assert found["own_change"] == pytest.approx(64 / (1 - mask).sum(), rel=1e-5)


class Detector:
    """Finds the pose it is told for pictures of 60 x 44 pixels, and half of it in pictures that are dark, or small."""

    def __init__(self, joints, least_width=0):
        self._joints, self._least_width = joints, least_width

    def detect(self, image):
        found, size = self._joints.copy(), image.shape[1::-1]
        found[:, :2] = (found[:, :2] + 0.5) * size / (44, 60) - 0.5
        found[: 0 if image.mean() > 60 and size[0] >= self._least_width else 8, 0] += 1000
        return SimpleNamespace(joints=found)


def test_a_pose_of_which_less_than_half_is_found_failed(photos):
    comparison = PhotoComparison(PhotoMeasuring(PERSON, Detector(photos.target_joints), None), photos)
    assert comparison.pose(photos.target) == {"photo_pckh": 1, "failed": 0}
    assert comparison.pose(photos.target // 8) == {"photo_pckh": pytest.approx(6 / 14), "failed": 1}
    assert PhotoComparison(PhotoMeasuring(PERSON, None, None), photos).pose(photos.target) == {}


def test_a_pose_is_looked_for_in_five_sizes(photos):
    """What a detector finds in a single size is partly chance."""
    # In a corner and of a short head, a joint in the pixels of another size is wrong.
    neck, head, ankle = PERSON.joint_index("neck", "head", "left_ankle")
    photos.target_joints[head, :2] = photos.target_joints[neck, :2] + 1
    photos.target_joints[ankle, :2] = 42, 58
    detector = Detector(photos.target_joints, least_width=44)
    found = PhotoComparison(PhotoMeasuring(PERSON, detector, None), photos).pose(photos.target)
    assert found == {"photo_pckh": pytest.approx((2 * 6 / 14 + 3) / 5), "failed": pytest.approx(2 / 5)}


def test_hands_and_toes_are_judged_on_their_own(photos):
    more = np.random.default_rng(5).uniform(4, 40, (9, 3)).astype(np.float32)
    more[:, 2] = 1
    whole = replace(photos, target_joints=np.concatenate([photos.target_joints, more]))
    found = whole.target_joints.copy()
    found[BODY.joint_index("left_hand", "right_heel"), 0] += 1000
    found[BODY.joints.index("right_toe"), 2] = 0
    whole.target_joints[BODY.joints.index("left_toe"), 1] = 60  # below the photo
    comparison = PhotoComparison(PhotoMeasuring(BODY, Detector(found), None), whole)
    assert comparison.pose(photos.target) == {"photo_pckh": 1, "failed": 0, "hands_pckh": 0.5, "toes_pckh": 0}
    # Of those that are seen, in a photo where nobody is found none is right.
    nobody = SimpleNamespace(detect=lambda image: None)
    whole.target_joints[BODY.joint_index("left_hand", "right_hand"), 2] = 0
    values = PhotoComparison(PhotoMeasuring(BODY, nobody, None), whole).pose(photos.target)
    assert values["toes_pckh"] == 0 and np.isnan(values["hands_pckh"])


class Recogniser:
    """Describes a face by what is said of a picture's mean."""

    def __init__(self, faces):
        self._faces = faces

    def describe(self, picture, joints):
        face = self._faces.get((round(float(picture.mean()), 3), joints[0, 0]))
        return None if face is None else np.full(4, face)


def test_faces_are_judged_where_both_photographs_have_one(photos):
    def face(result, known):
        key = {"source": (photos.source, photos.source_joints), "target": (photos.target, photos.target_joints)}
        key["result"] = result, photos.target_joints
        faces = {(round(float(key[name][0].mean()), 3), key[name][1][0, 0]): of for name, of in known.items()}
        return PhotoComparison(PhotoMeasuring(PERSON, None, Recogniser(faces)), photos).face(result)

    result = photos.target // 2
    # Four equal differences of d are 2 d apart: 0.58 and 0.62.
    assert face(result, {"source": 0.8, "target": 1, "result": 1.29}) == {"face_found": 1, "same_face": 1}
    assert face(result, {"source": 0.8, "target": 1, "result": 1.31}) == {"face_found": 1, "same_face": 0}
    assert face(result, {"source": 0.8, "target": 1}) == {"face_found": 0, "same_face": 0}
    assert face(result, {"target": 1, "result": 1}) == face(result, {"source": 1, "result": 1}) == {}
    # The recogniser takes the photographs for two persons.
    assert face(result, {"source": 0.69, "target": 1, "result": 1}) == {"face_found": 1}
    assert face(result, {"source": 0.69, "target": 1}) == {"face_found": 0}


def test_a_judge_asks_for_both_poses(photos):
    asked = []

    def repose(photo, target, source):
        asked.append((target, source))
        return photos.target if target is photos.target_joints else photo

    judge = PhotoJudge({"perfect": repose}, PhotoMeasuring(PERSON, Detector(photos.target_joints), None), "truth")
    found = judge(photos)
    assert found["truth"] == {"photo_pckh": 1, "failed": 0}
    assert found["perfect"] == {
        "sharpness": 1, "hole_error": 0, "photo_pckh": 1, "failed": 0, "own_psnr": 100, "own_change": 0
    }  # fmt: skip
    assert [target is of for (target, _), of in zip(asked, (photos.target_joints, photos.source_joints), strict=True)]

    def refuse(*_):
        raise UserError("outside")

    judge = PhotoJudge({"perfect": repose, "strict": refuse}, PhotoMeasuring(PERSON, None, None), "truth")
    assert judge(photos) == {} and judge.unplaced == 1


def test_what_faces_take_is_said_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(module, "missing_packages", lambda: ["dlib-bin"])
    assert "install dlib-bin (pip install -r requirements-faces.txt)" in open_judge({}, PERSON, None, "t").without_faces
