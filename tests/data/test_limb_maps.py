import numpy as np
from scipy.ndimage import map_coordinates

from tf_unseen_pose.data import limb_maps
from tf_unseen_pose.data.clips import encode_picture
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON


def names(skeleton):
    return ["nobody", *(limb.name for limb in skeleton.limbs)]


def test_labels_are_converted_by_the_limbs_names(decode):
    labels = np.arange(15, dtype=np.uint8).reshape(3, 5)
    found = decode(limb_maps.converted(encode_picture(labels, "PNG"), BODY, PERSON))
    expected = [name.replace("hand", "forearm").replace("foot", "calf") for name in names(BODY)]
    assert [names(PERSON)[label] for label in found.ravel()] == expected
    assert limb_maps.converted(encode_picture(labels, "PNG"), PERSON, BODY) is None


def test_left_becomes_right():
    for skeleton in (PERSON, BODY, GOLF):
        table = limb_maps.mirroring(skeleton)
        swapped = {"left": "right", "right": "left"}
        for label, name in enumerate(names(skeleton)):
            side, _, limb = name.partition("_")
            assert names(skeleton)[table[label]] == (f"{swapped[side]}_{limb}" if limb else name)


def test_a_map_is_cut_out_at_the_nearest_pixel():
    labels = np.random.default_rng(2).integers(0, 15, (31, 44)).astype(np.uint8)
    matrix = np.array([[0.71, -0.33, 9.1], [0.29, 0.83, -4.3]])
    found = limb_maps.cut_out(labels, matrix, 37, 41)
    x, y = np.einsum("ij,jhw->ihw", matrix[:, :2], np.mgrid[:37, :41][::-1]) + matrix[:, 2, None, None]
    expected = map_coordinates(labels, [y, x], order=0, mode="nearest")
    # Within OpenCV's precision of half of a pixel either will do.
    between = np.minimum(np.abs(x % 1 - 0.5), np.abs(y % 1 - 0.5)) < 0.01
    assert between.mean() < 0.1 and (found == expected)[~between].all()
