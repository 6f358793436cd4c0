import numpy as np
import pytest
from drawn_people import draw, finder, person

from tf_unseen_pose.pose.search import about, everybody, where_meant

RED, GREEN = (200, 10, 10), (10, 180, 20)


@pytest.mark.parametrize("size, box", [((600, 400), (431, 260, 470, 359)), ((2900, 500), (1000, 200, 1030, 329))])
def test_small_people_are_found_in_parts(size, box):
    """In pixels of the whole picture, also where it was made smaller for the search."""
    image, find = draw(size, (box, RED)), finder([RED], least=0.35)
    assert not find(image)
    (found,) = everybody(image, find)
    expected, tolerance = person(box, size), 2.5 * max(1, size[0] / 2560)
    np.testing.assert_allclose(found.joints[:, :2], expected.joints[:, :2], atol=tolerance)
    # Depth has the scale of x.
    middle = np.ptp(found.joints[:, 3]) / np.ptp(expected.joints[:, 3])
    assert middle == pytest.approx(1, abs=0.06)
    assert found.mask.shape == image.shape[:2] and np.mean((found.mask >= 128) != (expected.mask >= 128)) < 0.002


def test_everybody_is_found_once():
    boxes = (40, 60, 160, 380), (300, 250, 340, 330)
    image = draw((600, 400), *zip(boxes, (GREEN, RED), strict=True))
    found = everybody(image, finder([RED, GREEN], least=0.35))
    assert [tuple(np.round(each.box)) for each in found] == list(boxes)
    assert everybody(image * 0, finder([RED, GREEN])) == []


def test_who_is_named_by_a_place_is_looked_for_there():
    box = 402, 203, 409, 219
    image, find = draw((600, 400), (box, RED)), finder([RED], least=0.2)
    assert everybody(image, find) == []
    for choice in ((405.0, 210.0), (395.0, 195.0, 415.0, 225.0)):
        (found,) = where_meant(image, find, choice)
        np.testing.assert_allclose(found.box, box, atol=1)
    assert where_meant(image, find, 1) == [] and where_meant(image, find, (50.0, 50.0)) == []
    assert len(about(image, find, np.array(box), 2)) == 1
