import numpy as np

from tf_unseen_pose.export.differences import largest


def test_a_hundredth_of_the_hole_alone_may_differ():
    differences = np.zeros((1, 20, 20, 1))
    differences[0, 3, 5:8] = 0.5
    assert largest("hole", differences) == 0 and largest("image", differences) == 0.5
    differences[0, 4, 5:9] = 0.25
    assert largest("hole", differences) == 0.25
    assert np.isnan(largest("hole", np.full((1, 4, 4, 1), np.nan)))
