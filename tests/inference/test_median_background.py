import numpy as np
import pytest
from textures import textured

from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.data.synthetic.scene import draw_scene
from tf_unseen_pose.imaging.video_writer import VideoWriter
from tf_unseen_pose.inference import median_background as module
from tf_unseen_pose.inference.median_background import median_background
from tf_unseen_pose.pose.estimation import Detection

SCENE = draw_scene(np.random.default_rng(8), 180, 260)


class Knowing:
    """Finds in the frames of a video what was drawn into them."""

    def __init__(self, masks):
        self.masks = iter(masks)

    def detect(self, image):
        mask = next(self.masks)
        return None if mask is None else Detection(np.zeros((14, 4), np.float32), mask)


@pytest.fixture
def film(monkeypatch):
    """Has a video consist of frames, as nothing that compresses could give them back."""

    def show(frames):
        monkeypatch.setattr(module, "_spread", lambda _: iter(frames))

    return show


def walking(scene, places):
    """A drawn person before a scene, cut out once and set down at columns; frames and masks."""
    person = next(synthetic_clip(5, 1, 170, 110))
    for x in places:
        frame, mask = scene.copy(), np.zeros(scene.shape[:2], np.uint8)
        mask[5:175, x : x + 110] = person.mask
        alpha = person.mask[..., None] / 255
        part = frame[5:175, x : x + 110]
        part[:] = np.rint(part + alpha * (person.image.astype(float) - part))
        yield frame, mask


def test_the_median_is_that_of_the_free_pixels(monkeypatch):
    """Against a loop over pixels, in strips of two of five rows; a frame that is not asked for has no say."""
    monkeypatch.setattr(module, "_STRIP", 2 * 6 * 7 * 4)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (8, 5, 7, 4), np.uint8)
    frames[..., 3] = 255 * (rng.random((8, 5, 7)) < 0.5)
    frames[:, 1, 2, 3] = 0
    frames[..., :3][frames[..., 3] == 0] = 255
    chosen = np.array([0, 1, 3, 4, 6, 7])
    found = module._median(frames, chosen)
    for y, x in np.ndindex(5, 7):
        free = [frame[y, x, :3] for frame in frames[chosen] if frame[y, x, 3]]
        assert (found[y, x, 3] == 255) == bool(free)
        if free:
            np.testing.assert_array_equal(found[y, x, :3], np.floor(np.median(free, axis=0) + 0.5))


def test_who_walks_leaves_the_scene(film):
    frames, masks = zip(*walking(SCENE, range(0, 151, 15)), strict=True)
    film(frames)
    found = median_background("a video", Knowing(masks), progress=False)
    np.testing.assert_array_equal(found[..., :3], SCENE)
    assert (found[..., 3] == 255).all()


def test_what_is_never_seen_is_unknown_and_a_lost_person_is_not_the_scene(film):
    """They stand at one place for half of the time, where the estimator once loses them."""
    frames, masks = zip(*walking(SCENE, [20] * 5 + [24, 28, 32, 36]), strict=True)
    film(frames)
    found = median_background("a video", Knowing([*masks[:4], None, *masks[5:]]), progress=False)
    always = np.min(masks, axis=0) > 200
    assert always.sum() > 500 and not found[always, 3].any()
    known = found[..., 3] == 255
    assert known.mean() > 0.8
    np.testing.assert_array_equal(found[known, :3], SCENE[known])


def test_a_video_of_nobody_is_the_scene(film):
    film([SCENE] * 3)
    np.testing.assert_array_equal(median_background("a video", Knowing([None] * 3), progress=False)[..., :3], SCENE)


def test_a_shaken_camera_is_held_and_one_that_pans_refused(film, refuses):
    wide = textured(220, 700)
    for steps, still in (((0, 3, -2, 1, 4, -3), True), ((0, 60, 120, 180, 240, 300), False)):
        views = [wide[20 + (i % 2) : 200 + (i % 2), 40 + step : 300 + step] for i, step in enumerate(steps)]
        drawn = [next(walking(view, [30 * i])) for i, view in enumerate(views)]
        frames, masks = zip(*drawn, strict=True)
        film(frames)
        if still:
            found = median_background("a video", Knowing(masks), progress=False)
            inner = np.s_[10:-10, 10:-10]
            assert (found[..., 3][inner] == 255).all()
            assert np.abs(found[..., :3][inner].astype(int) - views[0][inner]).mean() < 2
        else:
            refuses(lambda seen=masks: median_background("a.mp4", Knowing(seen), progress=False), "a.mp4", "1 of 6")


def test_frames_are_spread_over_the_video(tmp_path):
    with VideoWriter(tmp_path / "grey.mp4", 25) as writer:
        for i in range(130):
            writer.write(np.full((64, 80, 3), i, np.uint8))
    levels = [frame.mean() for frame in module._spread(tmp_path / "grey.mp4")]
    np.testing.assert_allclose(levels, range(0, 130, 3), atol=3)
