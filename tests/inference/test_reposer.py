"""A drawn person before a drawn scene: where they stood, the scene is known."""

import numpy as np
import pytest
from scipy import ndimage

from tf_unseen_pose import Reposer
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.data.synthetic.scene import draw_scene
from tf_unseen_pose.known_skeletons import PERSON


@pytest.fixture(scope="module")
def reposer():
    return Reposer.load("lite")


@pytest.fixture(scope="module")
def drawn():
    """The scene, the photo, its joints, those of a target beside, and where only the old person stood: bool [H, W]."""
    scene, person = draw_scene(np.random.default_rng(6), 300, 400), next(synthetic_clip(6, 1, 300, 400, "walk"))
    alpha = person.mask[..., None] / 255
    photo = np.uint8(np.rint(scene + alpha * (person.image.astype(float) - scene)))
    step = 45 if person.joints[:, 0].mean() < 200 else -45
    new = ndimage.binary_dilation(np.roll(person.mask > 0, step, axis=1), iterations=12)
    left = (person.mask > 0) & ~new
    # The pose has no feet, and the mask may miss them.
    left[int(person.joints[PERSON.joint_index("left_knee", "right_knee"), 1].min()) :] = False
    return scene, photo, person.joints, person.joints + np.float32([step, 0, 0]), left


def rms_difference(first, second, where):
    return np.sqrt(np.mean((first[where].astype(float) - second[where]) ** 2))


def test_the_hole_is_the_plates(reposer, drawn):
    scene, photo, source, target, left = drawn
    assert left.sum() > 2000
    painted = reposer.synthesize(photo, target, source)
    filled = reposer.synthesize(photo, target, source, background=scene)
    assert rms_difference(painted, scene, left) > 8 and rms_difference(filled, scene, left) < 2.5
    # Another size and another light.
    dark = np.uint8(0.7 * np.kron(scene, np.ones((2, 2, 1))))
    assert rms_difference(reposer.synthesize(photo, target, source, background=dark), scene, left) < 4.5


def test_all_ways_of_re_posing_take_a_plate(reposer, drawn):
    scene, photo, source, target, _ = drawn
    (frame,) = reposer.animate(photo, target[None], source, background=scene)
    np.testing.assert_array_equal(reposer.live(photo, target[None], source, scene)(target), frame)
    (painted,) = reposer.animate(photo, target[None], source)
    assert np.abs(frame.astype(int) - painted).max() > 10


def test_all_that_shows_the_person_is_repainted(reposer, drawn):
    _, photo, source, target, _ = drawn
    size = {}
    for name, extent in (("joints", None), ("within", (150, 100, 180, 200)), ("beyond", (2, 100, 180, 297))):
        extent = extent and np.float32(extent)
        crop = reposer.synthesize(photo, target, source, crop=True, extent=extent)
        (frame,) = reposer.animate(photo, target[None], source, crop=True, extent=extent)
        np.testing.assert_array_equal(crop, frame)
        size[name] = crop.shape
    assert size["within"] == size["joints"] and min(np.array(size["beyond"][:2]) - size["joints"][:2]) > 0
    assert size["beyond"][0] >= 297 - 100


def test_a_plate_of_another_scene_is_refused(reposer, drawn, refuses):
    _, photo, source, target, _ = drawn
    other = draw_scene(np.random.default_rng(5), 300, 400)
    refuses(lambda: reposer.synthesize(photo, target, source, background=other), "background", "leave it out")
