import numpy as np

from tf_unseen_pose.imaging.drawing import contact_sheet, draw_pose
from tf_unseen_pose.known_skeletons import BODY, PERSON


def test_panels_stand_row_by_row_with_their_labels():
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    panels = [(f"panel {i}", np.full((40, 60, 3), colour, np.uint8)) for i, colour in enumerate(colours)]
    sheet = contact_sheet(panels, columns=2)
    for colour, (row, column) in zip(colours, ((0, 0), (0, 1), (1, 0)), strict=True):
        y, x = 4 + 18 + row * 62 + 20, 4 + column * 64 + 30
        assert tuple(sheet[y, x]) == colour
    assert (sheet[4:20, 4:64] > 200).any()  # a label is written
    assert contact_sheet(panels, columns=3, side=20).shape == (4 + 20 + 18 + 4, 4 + 3 * 34, 3)


def test_right_is_drawn_warm_left_cold_and_absent_joints_not_at_all(joints):
    pose = joints(200, 200)[0]
    picture = draw_pose(np.zeros((200, 200, 3), np.uint8), pose, PERSON).astype(int)

    def between(*names):
        x, y = pose[PERSON.joint_index(*names), :2].mean(0)
        return picture[round(float(y)), round(float(x))]

    deep = np.concatenate([pose, -pose[:, :1]], axis=1)
    np.testing.assert_array_equal(draw_pose(np.zeros((200, 200, 3), np.uint8), deep, PERSON), picture)
    right, left = between("right_knee", "right_ankle"), between("left_knee", "left_ankle")
    assert right[0] > right[2] + 50 and left[2] > left[0] + 50
    pose[PERSON.joints.index("left_ankle"), 2] = 0
    picture = draw_pose(np.zeros((200, 200, 3), np.uint8), pose, PERSON).astype(int)
    assert not between("left_knee", "left_ankle").any()


def test_feet_are_joined_to_their_ankles_and_a_face_is_dots(joints):
    pose = np.pad(joints(200, 200)[0], [(0, 9), (0, 0)])
    names = ("nose", "right_hand", "left_heel", "left_toe")
    nose, hand, heel, toe = BODY.joint_index(*names)
    (ankle, wrist), black = BODY.joint_index("left_ankle", "right_wrist"), np.zeros((200, 200, 3), np.uint8)
    pose[[nose, hand, heel, toe]] = [[111, 30, 1], [40, 120, 1], [125, 190, 1], [160, 195, 1]]
    picture = draw_pose(black, pose, BODY).astype(int)

    def at(point):
        x, y = np.rint(point[:2]).astype(int)
        return picture[y - 1 : y + 2, x - 1 : x + 2].max(axis=(0, 1))

    assert at(pose[nose]).min() > 200
    warm = at((pose[wrist] + pose[hand]) / 2)
    assert warm[0] > warm[2] + 50
    for ends in ((ankle, heel), (heel, toe), (ankle, toe)):
        cold = at(pose[list(ends)].mean(axis=0))
        assert cold[2] > cold[0] + 50, ends
    pose[ankle, 2] = 0
    picture = draw_pose(black, pose, BODY).astype(int)
    assert not at((pose[ankle] + pose[toe]) / 2).any() and at((pose[heel] + pose[toe]) / 2).any()
