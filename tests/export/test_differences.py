import numpy as np

from tf_unseen_pose.export.differences import largest


def test_a_hundredth_of_a_holes_colours_alone_may_differ():
    differences = np.zeros((1, 20, 20, 4))
    differences[0, 3, 5:8, :3] = 0.5
    assert largest("hole", differences) < largest("image", differences) == 0.5
    differences[0, 4, 5:6, :3] = 0.25
    assert largest("hole", differences) == 0.25
    differences[0, 9, 9, 3] = 0.75
    assert largest("hole", differences) == 0.75
    assert np.isnan(largest("hole", np.full((1, 4, 4, 4), np.nan)))
