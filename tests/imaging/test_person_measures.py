import numpy as np
import pytest

from tf_unseen_pose.imaging.person_measures import person_box, person_scale
from tf_unseen_pose.known_skeletons import PERSON


def test_person_box_spans_the_visible_joints(standing):
    standing[PERSON.joint_index("left_wrist"), 2] = 0
    np.testing.assert_allclose(person_box(standing), [65, 40, 147 - 65, 207 - 40])


def test_person_scale_is_the_authors_measure(standing):
    upper_body = (125 + 127) / 2 - 40
    calf = (np.hypot(84 - 79, 203 - 163) + np.hypot(127 - 121, 207 - 166)) / 2
    assert person_scale(standing, PERSON) == pytest.approx(max(2.5 * upper_body, 5 * calf) / 200)
    # Head down, the calves decide.
    standing[PERSON.joint_index("head"), 1] = 150
    assert person_scale(standing, PERSON) == pytest.approx(5 * calf / 200)


def test_person_scale_of_the_authors_sample(shared):
    from tf_unseen_pose.data.posewarp_format import posewarp_clips

    for frame in posewarp_clips(shared / "data" / "posewarp_sample" / "train")[0].frames():
        x = frame.joints
        calf = (np.linalg.norm(x[9] - x[10]) + np.linalg.norm(x[12] - x[13])) / 2
        expected = max(2.5 * ((x[8, 1] + x[11, 1]) / 2 - x[0, 1]), 5 * calf) / 200
        assert person_scale(x, PERSON) == pytest.approx(expected, rel=1e-5)


def test_person_scale_uses_what_is_visible(standing):
    standing[PERSON.joint_index("left_hip", "right_ankle"), 2] = 0
    assert person_scale(standing, PERSON) == pytest.approx(2.5 * (125 - 40) / 200)
    standing[PERSON.joint_index("head"), 2] = 0
    assert person_scale(standing, PERSON) == pytest.approx(5 * np.hypot(6, 41) / 200)


def test_person_scale_falls_back_to_the_box(standing):
    standing[:, 2] = 0
    standing[PERSON.joint_index("head", "left_wrist"), 2] = 1
    assert person_scale(standing, PERSON) == pytest.approx(1.2 * 62 / 200)


def test_too_little_to_measure_is_refused(standing, refuses):
    standing[1:, 2] = 0
    refuses(lambda: person_box(standing), "two joints")
    standing[:, :2], standing[:, 2] = 5, 1
    refuses(lambda: person_scale(standing, PERSON), "one point")
