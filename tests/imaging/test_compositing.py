"""The engine of hosts against the graph's formulas, on odd sizes, at borders, and where nothing may change."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from tf_unseen_pose.export import photo_compositing
from tf_unseen_pose.geometry.tears import TEAR
from tf_unseen_pose.imaging import compositing, tears
from tf_unseen_pose.imaging.compositing import Compositor
from tf_unseen_pose.imaging.placement import Placement, on_whole_pixels
from tf_unseen_pose.model import compositing as formulas

SIDE, CELLS, STEEPNESS = 64, 32, 20.0


def smooth(rng, channels, low, high):
    """A map as networks make them: nothing in it changes within a few cells."""
    coarse = tf.constant(rng.uniform(low, high, (1, CELLS // 4, CELLS // 4, channels)), tf.float32)
    return tf.image.resize(coarse, [CELLS, CELLS]).numpy()[0]


@pytest.fixture
def decided():
    """A matte, a hole and decisions, float32 [h, w, C]."""
    rng = np.random.default_rng(2)
    matte = np.concatenate([smooth(rng, 3, -0.7, 0.7), smooth(rng, 1, 0, 1)], axis=-1)
    used = np.clip(smooth(rng, 1, -1, 1.5), 0, 1)
    hole = np.concatenate([used * smooth(rng, 3, -1, 1), used], axis=-1)
    ranges = {
        "displacement": (2, -9, 9), "gain": (1, 0.5, 1), "offset": (3, -0.3, 0.3), "alpha": (1, -2, 1),
        "coverage": (1, -0.5, 1), "stillness": (1, -1, 1.2),
    }  # fmt: skip
    maps = {name: smooth(rng, *values) for name, values in ranges.items()}
    # A limb ends at a slanted line.
    y, x = np.mgrid[:CELLS, :CELLS]
    maps["displacement"][2 * x + y > 50] += (-20, -12)
    for name in ("coverage", "stillness"):
        maps[name] = np.clip(maps[name], 0, 1)
    return matte, hole, maps


def photo_of(height, width):
    """A photo as fine as its pixels allow: engines that sample it otherwise differ by 50 dB, equal ones by 59."""
    coarse = np.random.default_rng(3).integers(40, 216, (height // 2, width // 2, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def psnr(one, other):
    return 10 * np.log10(255**2 / ((one.astype(float) - other) ** 2).mean())


def by_formulas(photo, place, matte, hole, maps):
    """`model.compositing.compose` of the canvas's pixels, those beyond the photo being its border's; without a fade."""
    width, height = place.size
    columns = np.clip(np.arange(width) + place.corner[0], 0, photo.shape[1] - 1)
    rows = np.clip(np.arange(height) + place.corner[1], 0, photo.shape[0] - 1)
    canvas = photo[rows][:, columns].astype(np.float32)[None] / 127.5 - 1
    decisions = formulas.Decisions(**{name: tf.constant(value[None]) for name, value in maps.items()})
    made = formulas.compose(tf.constant(canvas), matte[None], hole[None], decisions, SIDE, STEEPNESS)["image"][0]
    picture = np.clip(np.round((made.numpy() + 1) * 127.5), 0, 255).astype(np.uint8)
    inside = np.zeros(photo.shape[:2], bool)
    place.covered(inside)[:] = True
    result, (left, top) = photo.copy(), place.corner
    y, x = np.nonzero(inside)
    result[y, x] = picture[y - top, x - left]
    return result


def engines(photo, place, matte, hole, maps, steepness=STEEPNESS):
    """What hosts and servers make of it."""
    decisions = np.concatenate([maps[name] for name in formulas.Decisions._fields], axis=-1)
    host = Compositor(photo, place, matte, hole, steepness)(decisions)
    matrix = np.float32([[place.scale, 0, 0], [0, place.scale, 0]])
    matrix[:, 2] = np.array(place.corner) + (place.scale - 1) / 2
    sitting = photo_compositing.sitting(tf.constant(photo), tf.constant(matrix), (SIDE, SIDE), matte, hole)
    server = photo_compositing.pasted(sitting, photo_compositing.composed(sitting, tf.constant(decisions), steepness))
    return host, server.numpy()


@pytest.mark.parametrize(
    ("size", "crop"),
    [((321, 277), (3.9, 20, 31)), ((203, 151), (4.3, -40, -25)), ((97, 60), (0.8, 3, 20))],
    ids=["within", "beyond three borders", "coarser than the canvas"],
)
def test_engines_agree(decided, size, crop):
    matte, hole, maps = decided
    photo, (step, x, y) = photo_of(*size), crop
    place = Placement.of(photo, on_whole_pixels(np.array([[step, 0, x], [0, step, y]]), SIDE, SIDE), SIDE, SIDE)
    expected = by_formulas(photo, place, matte, hole, maps)
    host, server = engines(photo, place, matte, hole, maps)
    # Where the canvas fades into the photo, engines are compared with one another.
    whole = np.zeros(size, bool)
    rows, columns = place.fade(1, size[0]), place.fade(0, size[1])
    place.covered(whole)[:] = np.minimum(rows[:, None], columns) == 1
    assert whole.mean() > 0.2 and psnr(expected[whole], photo[whole]) < 25
    for made in (host, server):
        assert psnr(made[whole], expected[whole]) > 55
    assert psnr(host, server) > 55
    outside = np.ones(size, bool)
    place.covered(outside)[:] = False
    np.testing.assert_array_equal(host[outside], photo[outside])


def test_what_has_no_hole_and_no_person_or_does_not_move_stays_bit_for_bit(decided):
    matte, hole, maps = decided
    photo = photo_of(150, 170)
    place = Placement.of(photo, on_whole_pixels(np.array([[2.2, 0, 9], [0, 2.2, 4]]), SIDE, SIDE), SIDE, SIDE)
    nobody = {**maps, "alpha": np.full_like(maps["alpha"], -9)}
    for made in engines(photo, place, matte, 0 * hole, nobody):
        np.testing.assert_array_equal(made, photo)
    still = {**maps, "stillness": np.ones_like(maps["stillness"])}
    for made in engines(photo, place, matte, hole, still):
        np.testing.assert_array_equal(made, photo)
    # The left half of the map alone says that somebody is there.
    half = {**nobody, "alpha": np.where(np.arange(CELLS)[None, :, None] < CELLS // 2, 9, nobody["alpha"])}
    for made in engines(photo, place, matte, 0 * hole, half):
        changed = (made != photo).any(axis=(0, 2))
        assert changed[20:60].any()
        middle = place.corner[0] + place.size[0] * (CELLS // 2 + 1) // CELLS
        assert not changed[middle:].any()


@pytest.mark.parametrize("plated", (False, True))
def test_a_sharp_hole_shows_pieces_as_much_as_it_showed_paint(decided, plated):
    matte, hole, maps = decided
    photo = photo_of(150, 170)
    place = Placement.of(photo, on_whole_pixels(np.array([[2.2, 0, 9], [0, 2.2, 4]]), SIDE, SIDE), SIDE, SIDE)
    maps |= {"alpha": np.full_like(maps["alpha"], -9), "stillness": np.zeros_like(maps["stillness"])}
    decisions = np.concatenate([maps[name] for name in formulas.Decisions._fields], axis=-1)
    plate = np.dstack([photo[:, ::-1], np.where(np.arange(150)[:, None] < 75, np.full((150, 170), 255), 0)])
    plate = np.uint8(plate) if plated else None
    painted, sharp = (
        Compositor(photo, place, matte, hole, STEEPNESS, plate, sharp_hole=sharp)(decisions).astype(float)
        for sharp in (False, True)
    )
    used = cv2.resize(hole[..., 3], place.size, interpolation=cv2.INTER_LINEAR)
    difference = np.abs(place.covered(sharp) - place.covered(painted)).max(axis=2)
    assert difference[used > 0.9].max() > 20
    # Two pictures in 0..255 differ by at most as much as either shows; maps are enlarged by others here.
    assert (difference <= 255 * used + 12).all()
    if plated:
        assert difference[:50].max() <= 1


def test_nothing_between_two_limbs_places_is_shown(decided):
    matte, hole, maps = decided
    x = np.arange(CELLS)[None, :, None] * np.ones((CELLS, 1, 1))
    # Both halves come from the photo's ends; between them it is red.
    displacement = np.concatenate([np.where(x < CELLS // 2 - 3, -x, CELLS - 1 - x) * SIDE / CELLS, 0 * x], axis=-1)
    opaque = {"alpha": 9 + 0 * x, "gain": 1 + 0 * x, "offset": np.zeros((CELLS, CELLS, 3)), "coverage": 1 + 0 * x}
    maps = {**maps, **opaque, "displacement": displacement, "stillness": 0 * x}
    maps = {name: values.astype(np.float32) for name, values in maps.items()}
    photo = np.zeros((190, 190, 3), np.uint8)
    photo[:, 25:165, 0] = 255
    place = Placement.of(photo, np.array([[3.0, 0, 0], [0, 3.0, 0]]), SIDE, SIDE)
    for made in engines(photo, place, matte * 0 + np.float32([0, 0, 0, 1]), 0 * hole, maps):
        np.testing.assert_array_equal(made, np.zeros_like(photo))


@pytest.mark.parametrize("steepness", [STEEPNESS, 1.0], ids=["steep", "painted"])
def test_a_steep_outline_is_averaged_over_neighbouring_pixels(steepness):
    """A white person to the left of a slanted line, before a black scene; the picture is 255 times alpha."""
    x, y = np.meshgrid(np.arange(CELLS), np.arange(CELLS))
    maps = {name: np.zeros((CELLS, CELLS, count), np.float32) for name, count in formulas.CHANNELS.items()}
    maps["offset"] += 1
    maps["coverage"] += 1
    maps["alpha"] += np.float32(9.0 * (16.3 - x - 0.9 * (y - 16)))[..., None]
    nothing = np.zeros((CELLS, CELLS, 4), np.float32)
    photo = np.zeros((3 * SIDE, 3 * SIDE, 3), np.uint8)
    place = Placement.of(photo, np.array([[3.0, 0, 1], [0, 3.0, 1]]), SIDE, SIDE)
    column, row = np.meshgrid(*[(np.arange(3 * SIDE) + 0.5) * CELLS / (3 * SIDE) - 0.5] * 2)
    # A mask of 1 everywhere adds its own logit.
    logit = 9 * (16.3 - column - 0.9 * (row - 16)) + np.log(1.01 / 0.01)
    alpha = 1 / (1 + np.exp(-steepness * logit.clip(-30, 30)))
    if steepness > 1:
        alpha = scipy.ndimage.convolve(alpha, np.outer([1, 2, 1], [1, 2, 1]) / 16)
    expected, inner = 255 * alpha[8:-8, 8:-8], np.s_[8:-8, 8:-8, 1]
    assert ((expected > 10) & (expected < 245)).any(axis=1).all()
    for made in engines(photo, place, nothing + np.float32([0, 0, 0, 1]), nothing, maps, steepness):
        np.testing.assert_allclose(made[inner], expected, atol=2)


def test_constants_are_the_graphs():
    assert tears.TEAR == TEAR
    assert compositing.MASK_FLOOR == formulas.MASK_FLOOR


@pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 96)])
def test_a_canvas_on_whole_pixels_is_the_nearest(height, width):
    given = np.array([[3.137, 0, -12.3], [0, 3.137, 41.8]])
    found = on_whole_pixels(given, height, width)
    size, corner = found[0, 0] * np.array([width, height]), found[:, 2] - (found[0, 0] - 1) / 2
    np.testing.assert_allclose([size, corner], np.round([size, corner]), atol=1e-9)
    # Its middle is moved by no more than half a pixel, its scale by half a pixel of the common divisor.
    middles = [matrix[0, 0] * (np.array([width, height]) - 1) / 2 + matrix[:, 2] for matrix in (given, found)]
    assert np.abs(middles[0] - middles[1]).max() <= 0.5
    assert abs(found[0, 0] - given[0, 0]) <= 0.5 / np.gcd(height, width)
