import numpy as np

from tf_unseen_pose.imaging.inpainting import grown, inpainted


def test_a_mask_grows_by_its_radius_in_every_direction():
    mask = np.zeros((15, 17), np.float32)
    mask[6, 8] = 0.7
    found = grown(mask, 3)
    y, x = np.nonzero(found)
    assert (y.min(), y.max(), x.min(), x.max()) == (3, 9, 5, 11) and found.max() == np.float32(0.7)
    assert found[3, 5] == 0  # a disc, not a square
    np.testing.assert_array_equal(grown(mask, 0), mask)


def test_a_ramp_goes_on_where_the_person_stood():
    ramp = np.tile(np.linspace(20, 200, 60, dtype=np.uint8)[:, None, None], (1, 50, 3))
    image, mask = ramp.copy(), np.zeros((60, 50), np.float32)
    image[20:30, 15:32], mask[20:30, 15:32] = 255, 1
    found = inpainted(image, mask).astype(int)
    # Nothing of the person is left, the hole reaches a pixel further than the mask, and all else is as it was.
    assert np.abs(found - ramp).max() < 18
    far = np.ones((60, 50), bool)
    far[19:31, 14:33] = False
    np.testing.assert_array_equal(found[far], image[far])
