"""Plates are drawn scenes, photos the same with somebody before them: where the person stood the scene must show."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.data.synthetic.scene import draw_scene
from tf_unseen_pose.imaging.background_plate import placed
from tf_unseen_pose.imaging.compositing import Compositor
from tf_unseen_pose.imaging.placement import Placement

HEIGHT, WIDTH = 330, 420


def scene(seed, height=HEIGHT, width=WIDTH):
    return draw_scene(np.random.default_rng([seed, 17]), height, width)


def with_person(background, seed=3):
    """The scene with a drawn person, and the person's mask."""
    frame = next(synthetic_clip(seed, 1, *background.shape[:2]))
    alpha = frame.mask[..., None] / 255
    return np.uint8(np.rint(background + alpha * (frame.image.astype(float) - background))), frame.mask


def taken(picture, photo_of_plate, height, width, gains=(1, 1, 1)):
    """What a camera sees whose pixel p shows the picture at a transform [3, 3] of p, in another light."""
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(picture, photo_of_plate, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.uint8(np.rint(np.clip(seen * np.array(gains), 0, 255)))


def shift_between(first, second):
    """By how much the second picture must be moved, x and y in pixels, by least squares over its brightness' slopes."""
    first, second = (ndimage.gaussian_filter(part.mean(axis=2), 2) for part in (first, second))
    down, right = np.gradient(first)
    slopes = np.stack([right.ravel(), down.ravel(), first.ravel(), np.ones(first.size)], axis=1)
    return np.linalg.lstsq(slopes, (second - first).ravel(), rcond=None)[0][:2]


def test_a_plate_of_the_very_view_is_taken_as_it_is():
    background = scene(0)
    plate = placed(background, *with_person(background))
    np.testing.assert_array_equal(plate, np.dstack([background, np.full((HEIGHT, WIDTH), 255, np.uint8)]))


LARGER = np.array([[0.66, 0.012, 6.4], [-0.012, 0.66, -3.7], [0, 0, 1]])
SMALLER = np.array([[2.5, 0, 3.1], [0, 2.5, -4.4], [0, 0, 1]])
TURNED = np.array([[1, 0.005, 9], [0.004, 1, -5], [6e-5, 1e-5, 1]])
PART = np.array([[1, 0, 45.5], [0, 1, 12.25], [0, 0, 1]])


@pytest.mark.parametrize(
    ("view", "height", "width"),
    [(LARGER, 500, 636), (SMALLER, 132, 168), (TURNED, 330, 420), (PART, 310, 330)],
    ids=["larger", "smaller", "turned", "part"],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_plate_from_beside_in_another_light_lies_within_half_a_pixel(view, height, width, seed):
    background = scene(seed)
    photo, mask = with_person(background)
    plate = placed(taken(background, view, height, width, (0.7, 0.8, 0.75)), photo, mask)
    known = plate[..., 3] == 255
    assert known[mask > 0].mean() > 0.95
    for part in (np.s_[40:180, 60:200], np.s_[160:300, 220:360]):
        assert np.hypot(*shift_between(background[part], plate[part][..., :3])) < 0.5
    difference = plate[known][:, :3].astype(float) - background[known]
    np.testing.assert_allclose(difference.mean(axis=0), 0, atol=1)


def test_what_the_plate_does_not_show_is_unknown():
    background = scene(0)
    photo, mask = with_person(background)
    part = placed(background[:, :250], photo, mask)
    assert (part[:, :245, 3] == 255).all() and not part[:, 255:, 3].any()
    holed = np.dstack([background, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    holed[100:180, 90:150] = 0
    np.testing.assert_array_equal(placed(holed, photo, mask)[..., 3], holed[..., 3])


def test_other_scenes_and_other_arrays_are_refused(refuses):
    photo, mask = with_person(scene(0))
    for other in (scene(1), scene(2), scene(2)[:200], np.full((90, 80, 3), 99, np.uint8)):
        refuses(lambda plate=other: placed(plate, photo, mask), "background", "photo", "leave it out")
    for other in (scene(0)[..., 0], scene(0) / 255, scene(0)[:0]):
        refuses(lambda plate=other: placed(plate, photo, mask), "background", "uint8")


def test_the_hole_shows_the_plate_where_it_is_known_and_paint_elsewhere():
    """A canvas of 8 x 12 at twice its size, off the photo's left edge; the hole's weight is 0, 1/4 or 1."""
    rng = np.random.default_rng(0)
    photo, plate = rng.integers(0, 256, (20, 26, 3), np.uint8), rng.integers(0, 256, (20, 26, 4), np.uint8)
    plate[..., 3] = 0
    plate[:16, :, 3] = 255
    used = np.ones((8, 12, 1), np.float32)
    used[:4, :8], used[:4, 8:] = 0, 0.25
    hole = np.concatenate([used * np.float32([0.5, -0.25, 0]), used], axis=2)
    place = Placement.of(photo, np.array([[2, 0, -3.5], [0, 2, 2.5]]), 8, 12)
    nobody = np.zeros((8, 12, 9), np.float32)
    nobody[..., 6] = -50
    result = Compositor(photo, place, np.zeros((8, 12, 4), np.float32), hole, 1.0, plate)(nobody)
    # Rows 2 to 17 and columns up to 19, at whose outermost the canvas fades; away from where the weight changes.
    np.testing.assert_array_equal(result[3:5, :6], photo[3:5, :6])
    mixed = 0.75 * photo[3:5, 14:19] + 0.25 * plate[3:5, 14:19, :3]
    np.testing.assert_allclose(result[3:5, 14:19], mixed, atol=0.51)
    np.testing.assert_array_equal(result[11, :19], plate[11, :19, :3])
    paint = np.float32([191, 96, 128])
    np.testing.assert_array_equal(result[16, :19], np.broadcast_to(paint, (19, 3)))
    # Between the two, a little before the plate ends.
    shares = (result[12:16, :19] - paint).sum(axis=(1, 2)) / (plate[12:16, :19, :3] - paint).sum(axis=(1, 2))
    assert (np.diff(shares) < 0).all() and 0 < shares[-1] < shares[0] < 1
    np.testing.assert_array_equal(result[:, 20:], photo[:, 20:])
