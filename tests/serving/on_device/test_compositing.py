"""The page's two ways of drawing what a model decides, in Chromium, against OpenCV and NumPy."""

import base64

import cv2
import numpy as np
import pytest

from benchmarks.browser import served
from tf_unseen_pose.imaging.compositing import Compositor
from tf_unseen_pose.imaging.placement import Placement, on_whole_pixels

SIDE = 256
# Of a canvas within the photo, and of one that leaves it: step, x, y.
INSIDE, LEAVING = (0.61, 31.4, 17.8), (1.37, -120.3, -33.6)

_DRAWN = """async ([engine, { photo, plate, crop, maps, steepness }]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const files = ['geometry/placement', 'compositing/changes', 'compositing/sitting',
    `compositing/${engine.toLowerCase()}`];
  const [{ Placement, onWholePixels }, { changedBoxes }, { sittingOf }, engines] = await Promise.all(
    files.map((file) => import(`/${file}.js`)));
  const { width, height } = photo, data = new Uint8ClampedArray(bytes(photo.data).buffer);
  const canvas = Object.assign(document.createElement('canvas'), { width, height }), context = canvas.getContext('2d');
  context.putImageData(new ImageData(data, width, height), 0, 0);
  const map = ({ data, shape }) => ({ data: new Float32Array(bytes(data).buffer), shape });
  const [matte, hole, ...decisions] = maps.map(map);
  const place = new Placement(photo, onWholePixels(crop));
  const behind = plate && new Uint8ClampedArray(bytes(plate).buffer);
  const sitting = sittingOf({ data, width, height }, place, { matte, hole, steepness }, behind);
  const drawing = new engines[engine](document.createElement('canvas'));
  drawing.prepare(sitting);
  return decisions.map((decided) => {
    context.putImageData(new ImageData(data, width, height), 0, 0);
    drawing.draw(context, decided, changedBoxes(sitting, decided));
    let text = '';
    for (const value of context.getImageData(0, 0, width, height).data) text += String.fromCharCode(value);
    return btoa(text);
  });
}"""


@pytest.fixture(scope="module")
def modules(browser, page_sources):
    """A page that can import the page's modules."""
    with served(page_sources, {}) as address:
        tab = browser.new_page()
        tab.goto(address)
        yield tab
        tab.close()


def _smooth(rng, cells, channels, low, high):
    coarse = rng.uniform(low, high, (9, 9, channels)).astype(np.float32)
    return cv2.resize(coarse, (cells, cells)).reshape(cells, cells, channels)


def _decisions(rng):
    """What moves the right half of the canvas, mostly; a limb ends at a slanted line there."""
    ranges = (-20, 25, 1), (-9, 14, 1), (0.5, 1.3, 1), (-0.4, 0.3, 3), (-2, 3, 1), (0, 1, 1), (-3, 1, 1)
    *maps, stillness = (_smooth(rng, 128, channels, low, high) for low, high, channels in ranges)
    stillness[:, :40] = 1
    y, x = np.mgrid[:128, :128]
    maps[0][2 * x + y > 230] += 31
    return np.concatenate([*maps, stillness.clip(0, 1)], axis=-1)


@pytest.mark.parametrize(
    ("plated", "steepness"), [(False, 20.0), (True, 20.0), (False, 1.0)], ids=["painted", "plate", "soft"]
)
@pytest.mark.parametrize("crop", [INSIDE, LEAVING], ids=["inside", "leaving"])
@pytest.mark.parametrize("engine", ["Graphics", "Processor"])
def test_pictures_are_those_of_the_package(modules, psnr, engine, crop, plated, steepness):
    rng = np.random.default_rng(7)
    photo, plate = (cv2.resize(rng.integers(0, 256, (60, 48, 3), np.uint8), (233, 301)) for _ in range(2))
    # It ends within the hole.
    plate = np.dstack([plate, np.full_like(plate[..., 0], 255)]) if plated else None
    if plated:
        plate[140:, 120:, 3] = 0
    matte = _smooth(rng, 128, 4, -0.5, 0.9)
    used = (_smooth(rng, 128, 1, -1, 1.5)).clip(0, 1)
    hole = np.concatenate([used * _smooth(rng, 128, 3, -0.9, 0.8), used], axis=-1)
    poses = [_decisions(rng) for _ in range(2)]
    step, x, y = crop
    place = Placement.of(photo, on_whole_pixels(np.array([[step, 0, x], [0, step, y]]), SIDE, SIDE), SIDE, SIDE)
    compositor = Compositor(photo, place, matte, hole, steepness, plate)
    pictures = _drawn(modules, engine, photo, plate, crop, [matte, hole, *poses], steepness)
    for picture, pose in zip(pictures, poses, strict=True):
        expected = compositor(pose)
        assert psnr(expected, photo) < 25
        assert psnr(place.covered(picture), place.covered(expected)) > 50
        outside = np.ones(photo.shape[:2], bool)
        outside[place.rows, place.columns] = False
        assert np.array_equal(picture[outside], photo[outside])


def _drawn(tab, engine, photo, plate, crop, maps, steepness):
    text = lambda values: base64.b64encode(values.tobytes()).decode()  # noqa: E731
    given = {
        "photo": {"data": text(np.dstack([photo, np.full_like(photo[..., :1], 255)])), **_size(photo)},
        "plate": None if plate is None else text(plate),
        "crop": dict(zip(("step", "x", "y"), crop, strict=True)),
        "maps": [{"data": text(np.float32(values)), "shape": [1, *values.shape]} for values in maps],
        "steepness": steepness,
    }
    answers = tab.evaluate(_DRAWN, [engine, given])
    drawn = [np.frombuffer(base64.b64decode(answer), np.uint8) for answer in answers]
    return [pixels.reshape(*photo.shape[:2], 4)[..., :3] for pixels in drawn]


def _size(photo):
    return {"width": photo.shape[1], "height": photo.shape[0]}
