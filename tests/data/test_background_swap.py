"""Both frames of a pair change alike, the person's pixels stay the person's, and nothing changes unless asked for."""

import colorsys
from dataclasses import replace

import numpy as np
import pytest

from tf_unseen_pose.config import DataConfig, load_config
from tf_unseen_pose.data.background_swap import Backgrounds, Colours, Recomposition, covering, recoloured, steepened
from tf_unseen_pose.data.frame_cache import DecodedFrame, DecodedFrames
from tf_unseen_pose.data.pairs import expanded, pair_batches


class Painted:
    """Stands for `Backgrounds`: one picture, whatever is asked for."""

    def __init__(self, image):
        self.picture = lambda number: image

    def __len__(self):
        return 1

    def is_true(self, number):
        return False


@pytest.fixture
def frames():
    rng = np.random.default_rng(3)
    images = [rng.integers(0, 256, (24, 30, 3), np.uint8) for _ in range(2)]
    masks = [np.zeros((24, 30), np.uint8) for _ in range(2)]
    masks[0][4:20, 3:12], masks[1][6:22, 15:28] = 255, 255
    return images, masks


def test_the_person_stands_before_the_new_background_in_both_frames(frames):
    images, masks = frames
    behind = np.random.default_rng(4).integers(0, 256, (24, 30, 3), np.uint8)
    change = Recomposition(swapped=True, background=0.7)
    found, cut, scene = change.pictures(images, masks, Painted(behind))
    assert scene is None
    for image, mask, original, person in zip(found, cut, images, masks, strict=True):
        np.testing.assert_array_equal(image, np.where(person[..., None] > 0, original, behind))
        np.testing.assert_array_equal(mask, person)


def test_nothing_changes_unless_asked_for(frames):
    images, masks = frames
    drawn = Recomposition.draw(np.random.default_rng(0), DataConfig(), 14)
    found, cut, scene = drawn.pictures(images, masks, None)
    assert scene is None and all(a is b for a, b in zip([*found, *cut], [*images, *masks], strict=True))
    joints = np.ones((14, 3), np.float32)
    assert drawn.joints(joints, 0, 64) is joints


def test_colours_turn_as_colorsys_turns_them_inside_the_mask_alone(frames):
    images, masks = frames
    colours = Colours(hue=100, saturation=0.6, value=0.8)
    found = recoloured(images[0], masks[0], colours)
    np.testing.assert_array_equal(found[masks[0] == 0], images[0][masks[0] == 0])
    for row, column in ((5, 4), (12, 8), (19, 11)):
        hue, saturation, value = colorsys.rgb_to_hsv(*images[0][row, column] / 255)
        expected = colorsys.hsv_to_rgb((hue + 100 / 360) % 1, 0.6 * saturation, 0.8 * value)
        np.testing.assert_allclose(found[row, column], 255 * np.array(expected), atol=1)
    # The same change in both frames; that of the room is for another room.
    pictures, *_ = Recomposition(person=colours, room=Colours(value=0.1)).pictures(images, masks, None)
    np.testing.assert_array_equal(pictures[1], recoloured(images[1], masks[1], colours))


def test_a_new_background_has_colours_of_its_own(frames):
    images, masks = frames
    behind = np.random.default_rng(4).integers(0, 256, (24, 30, 3), np.uint8)
    colours = Colours(hue=-70, saturation=0.5, value=0.9)
    found, *_ = Recomposition(swapped=True, room=colours).pictures(images, masks, Painted(behind))
    for image, original, person in zip(found, images, masks, strict=True):
        np.testing.assert_array_equal(image[person > 0], original[person > 0])
        hue, saturation, value = colorsys.rgb_to_hsv(*behind[0, 0] / 255)
        expected = colorsys.hsv_to_rgb((hue - 70 / 360) % 1, 0.5 * saturation, 0.9 * value)
        np.testing.assert_allclose(image[0, 0], 255 * np.array(expected), atol=1)


def test_soft_edges_get_steeper_in_place():
    mask = np.uint8([0, 50, 100, 127, 128, 160, 200, 255])
    found = steepened(mask)
    assert (np.diff(found.astype(int)) >= 0).all() and found[0] == 0 and found[-1] == 255
    assert found[1] == 0 and found[6] == 255 and abs(int(found[3]) - 127) <= 1 and 180 < found[5] < 255


@pytest.mark.parametrize(("rows", "columns"), [(40, 120), (90, 50)])
def test_a_background_covers_the_canvas_and_keeps_its_proportions(rows, columns):
    y, x = np.mgrid[:rows, :columns]
    picture = np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)
    scale = min(rows / 20, columns / 30)
    for place in ((0.0, 0.0), (1.0, 1.0), (0.3, 0.8)):
        found = covering(picture, (20, 30), Recomposition(place=place)).astype(float)
        assert found.shape == (20, 30, 3)
        np.testing.assert_allclose(np.diff(found[10, 2:-2, 0]).mean(), scale, rtol=0.06)
        np.testing.assert_allclose(np.diff(found[2:-2, 10, 1]).mean(), scale, rtol=0.06)
        start = place[0] * (columns - 30 * scale), place[1] * (rows - 20 * scale)
        np.testing.assert_allclose(found[0, 0, :2], np.array(start) + (scale - 1) / 2, atol=1.2)
    mirrored = covering(picture, (20, 30), Recomposition(place=place, mirrored=True))
    np.testing.assert_array_equal(mirrored[:, ::-1], found)


def test_draws_stay_in_their_ranges_and_always_take_as_many_numbers():
    config = DataConfig(background_swap=0.25, hue=20, saturation=(0.5, 0.8), value=(1.1, 1.3), joint_jitter=3)
    rng = np.random.default_rng(1)
    drawn = [Recomposition.draw(rng, config, 14) for _ in range(400)]
    assert np.mean([change.swapped for change in drawn]) == pytest.approx(0.25, abs=0.06)
    for colours in ([change.person for change in drawn], [change.room for change in drawn]):
        hues = [change.hue for change in colours]
        assert -20 <= min(hues) < -18 and 18 < max(hues) <= 20
        assert all(0.5 <= change.saturation <= 0.8 and 1.1 <= change.value <= 1.3 for change in colours)
    assert all(change.person != change.room for change in drawn)
    assert np.std([change.jitter for change in drawn]) == pytest.approx(3, rel=0.05)
    one, other = np.random.default_rng(2), np.random.default_rng(2)
    Recomposition.draw(one, config, 14)
    Recomposition.draw(other, DataConfig(), 14)
    assert one.random() == other.random()


def test_jitter_moves_the_two_poses_apart_and_leaves_visibility():
    change = Recomposition(jitter=np.random.default_rng(5).normal(size=(2, 14, 2)).astype(np.float32))
    joints = np.random.default_rng(6).uniform(0, 60, (14, 4)).astype(np.float32)
    for frame in range(2):
        moved = change.joints(joints, frame, 64)
        np.testing.assert_allclose(moved[:, :2], joints[:, :2] + change.jitter[frame] / 4, rtol=1e-6)
        np.testing.assert_array_equal(moved[:, 2:], joints[:, 2:])


def test_a_background_is_its_picture_without_the_person(make_dataset, make_clip):
    clips = [make_clip("a", 2), make_clip("b", 2), make_clip("c", 2, split="validation")]
    dataset = make_dataset(clips)
    frames = DecodedFrames(dataset)
    has_mask = [any(frame.has_mask for frame in clip.frames) for clip in dataset.clips]
    backgrounds = Backgrounds(dataset, frames)
    assert len(backgrounds) == sum(has_mask[:2])
    frame: DecodedFrame = frames.read(0, 0)
    found = backgrounds.picture(0)
    far = frame.mask == 0
    assert found.shape == frame.image.shape and (found[far] == frame.image[far]).mean() > 0.8
    inside = frame.mask == 255
    assert inside.any() and (found[inside] != frame.image[inside]).any(axis=-1).mean() > 0.9


def test_training_on_swapped_backgrounds(make_dataset, make_clip):
    dataset = make_dataset([make_clip("walk", 4), make_clip("jump", 4)])
    settings = ["train.batch_size=3", "data.joint_jitter=2", "data.hue=90"]
    plain, swapped = (load_config("tiny", [*settings, f"data.background_swap={part}"]) for part in (0, 1))
    one, other = (
        [{name: value.numpy() for name, value in expanded(batch, config).items()} for batch in stream]
        for config, stream in ((c, pair_batches(dataset, c, steps=2)) for c in (plain, swapped))
    )
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a["source_joints"], b["source_joints"])
        for image, mask in (("image", "source_mask"), ("target_image", "target_mask")):
            inside = b[mask][..., 0] == 1
            np.testing.assert_array_equal(a[image][inside], b[image][inside])
        # Where neither frame has the person, both show the same background.
        free = (b["source_mask"] + b["target_mask"])[..., 0] == 0
        assert free.mean() > 0.2
        np.testing.assert_array_equal(b["image"][free], b["target_image"][free])


def test_data_without_masks_are_refused(make_dataset, make_clip, refuses):
    clip = make_clip("bare", 3)
    bare = replace(clip, frames=lambda: [replace(frame, mask_png=None) for frame in clip.frames()])
    dataset = make_dataset([bare])
    refuses(lambda: pair_batches(dataset, load_config("tiny", ["data.background_swap=0.5"])), "person masks")
