import dataclasses

import numpy as np
from matplotlib.figure import Figure

from tf_unseen_pose.data import pose_plots
from tf_unseen_pose.data.clip_poses import ClipPoses
from tf_unseen_pose.known_skeletons import PERSON


def test_plots_show_the_poses(standing, make_clip, make_dataset):
    def raised(frame):
        joints = standing.copy()
        joints[6, 2] = frame.number > 0
        return dataclasses.replace(frame, joints=joints)

    clip = make_clip("raised", 3)
    dataset = make_dataset([dataclasses.replace(clip, frames=lambda: map(raised, clip.frames()))])
    clips = [ClipPoses.read(dataset, 0, 3)]

    def drawn(draw):
        figure = Figure()
        draw(figure, clips, PERSON)
        return figure.axes

    upper_arm, thigh = drawn(pose_plots._draw_angles)
    # Shoulder to elbow and hip to knee: right, then left, which is absent from one frame of three.
    for axes, vectors in ((upper_arm, [(-10, 27), (22, -17)]), (thigh, [(-4, 38), (3, 39)])):
        bars = [bar for bar in axes.patches if bar.get_height() > 0]
        assert [bar.get_height() for bar in bars] == [3, 2 if axes is upper_arm else 3]
        for bar, (x, y) in zip(bars, vectors, strict=True):
            assert bar.get_x() <= np.arctan2(x, y) <= bar.get_x() + bar.get_width()
    (joints,) = drawn(pose_plots._draw_joints)
    right, left, neither = (np.ma.compressed(dots.get_offsets()[:, 0]).size for dots in joints.collections)
    assert (right, left, neither) == (6 * 3, 5 * 3 + 2, 2 * 3)
    head = joints.collections[2].get_offsets()[0]
    np.testing.assert_allclose(head, (np.array([101, 40]) - [103, 126]) / (2.5 * 86), atol=1e-6)
    (seen,) = drawn(pose_plots._draw_visibility)
    np.testing.assert_allclose([bar.get_width() for bar in seen.patches], [100] * 6 + [200 / 3] + [100] * 7)
    for draw, value in ((pose_plots._draw_sizes, 2.5 * 86), (pose_plots._draw_shares, 100 * 2.5 * 86 / 240)):
        (axes,) = drawn(draw)
        (bar,) = [bar for bar in axes.patches if bar.get_height() > 0]
        assert bar.get_height() == 3 and bar.get_x() <= value * 1.0001 and value <= bar.get_x() + bar.get_width() + 1e-3
