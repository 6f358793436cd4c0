"""Registration: known shakes are found to a fraction of a pixel, still cameras stay still, strangers are refused."""

import itertools
import json

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from textures import textured

from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.imaging import registration
from tf_unseen_pose.imaging.registration import Registration, mask_from_joints
from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.pose.joint_formats import blazepose_to_body
from tf_unseen_pose.skeleton import Limb, Skeleton

MARGIN = 26
STILL = np.eye(2, 3)


def similarity(degrees, scale, shift, centre):
    """[2, 3]: rotation and scaling about a centre, then a shift."""
    angle = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([linear, centre + np.asarray(shift) - linear @ centre])


def view(picture, transform, height, width):
    """What a camera sees whose pixel p shows the picture at MARGIN + transform(p): cubic splines, [H, W(, 3)]."""
    y, x = np.mgrid[:height, :width]
    u, v = np.einsum("ij,jhw->ihw", transform[:, :2], np.stack([x, y])) + transform[:, 2, None, None] + MARGIN
    planes = np.atleast_3d(picture).astype(float)
    seen = [ndimage.map_coordinates(plane, [v, u], order=3) for plane in np.moveaxis(planes, 2, 0)]
    return np.clip(np.rint(np.stack(seen, -1).reshape(height, width, *picture.shape[2:])), 0, 255).astype(np.uint8)


def distance(first, second, height, width):
    """The most by which two transforms differ on a grid of points of the picture, in pixels."""
    y, x = np.mgrid[: height : height // 8, : width : width // 8]
    points = np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    return np.linalg.norm((first - second) @ points, axis=0).max()


def wall(seed, height=240, width=320, level=150):
    """A plain wall, seen by a noisy camera."""
    noise = np.random.default_rng(seed).normal(0, 3, (height, width, 3))
    return np.clip(level + noise, 0, 255).astype(np.uint8)


def nobody(height=240, width=320):
    return np.zeros((height, width), np.uint8)


@pytest.mark.parametrize("seed,height,width", [(1, 240, 320), (4, 240, 320), (2, 320, 200), (3, 480, 640)])
def test_a_shaken_camera_is_found_to_a_fraction_of_a_pixel(seed, height, width):
    rng = np.random.default_rng(seed)
    still = list(synthetic_clip(seed, 4, height + 2 * MARGIN, width + 2 * MARGIN))
    reference = Registration(*(view(part, STILL, height, width) for part in (still[0].image, still[0].mask)))
    for frame in still[1:]:
        centre = np.array([width - 1, height - 1]) / 2
        shake = similarity(rng.uniform(-1, 1), 1 + rng.uniform(-0.01, 0.01), rng.uniform(-8, 8, 2), centre)
        brightness = rng.uniform(0.96, 1.04)
        image = np.clip(view(frame.image, shake, height, width) * brightness, 0, 255).astype(np.uint8)
        found = reference.align(image, view(frame.mask, shake, height, width))
        assert distance(found, shake, height, width) < 0.2


def test_a_wall_of_bricks_is_not_taken_for_itself_one_brick_further():
    """Shifts of up to 8 % of the width; the scenes with bricks and tiles are among these."""
    rng = np.random.default_rng(0)
    for seed in range(200, 206):
        first, second = synthetic_clip(seed, 2, 240 + 2 * MARGIN, 320 + 2 * MARGIN)
        shake = similarity(
            rng.uniform(-1, 1), 1, rng.choice([-1, 1], 2) * rng.uniform(20, 26, 2) * [1, 0.5], [160, 120]
        )
        reference = Registration(*(view(part, STILL, 240, 320) for part in (first.image, first.mask)))
        found = reference.align(view(second.image, shake, 240, 320), view(second.mask, shake, 240, 320))
        assert distance(found, shake, 240, 320) < 0.3


def test_large_pictures_are_registered_in_their_own_pixels():
    height, width = 720, 1000
    picture = ndimage.zoom(textured(280, 360), (height / 270, width / 345, 1), order=1)
    shake = similarity(0.7, 1.006, (-7.3, 4.6), np.array([width - 1, height - 1]) / 2)
    reference = Registration(view(picture, STILL, height, width), nobody(height, width))
    found = reference.align(view(picture, shake, height, width), nobody(height, width))
    assert distance(found, shake, height, width) < 0.2


def person_before(background, left):
    """A textured person, 150 x 130 pixels, and the mask."""
    image, mask = background.copy(), nobody(*background.shape[:2])
    image[50:200, left : left + 130] = np.where(textured(150, 130, 9) > 128, 255, 0)
    mask[50:200, left : left + 130] = 255
    return image, mask


def test_a_person_who_moves_before_a_still_background_moves_nothing():
    background = np.uint8(textured(240, 320, 1) // 8 + 100)
    first, second = person_before(background, 40), person_before(background, 63)
    found = Registration(*first).align(*second)
    assert distance(found, STILL, 240, 320) < 0.05
    # Without the masks the person's corners are the majority, and would be followed.
    misled = Registration(first[0], nobody()).align(second[0], nobody())
    assert misled is None or distance(misled, STILL, 240, 320) > 5


def test_a_still_camera_before_a_plain_wall_is_still():
    image, mask = wall(1), nobody()
    assert np.array_equal(Registration(image, mask).align(wall(2), mask), STILL)
    brighter = np.clip(wall(3) * 1.05, 0, 255).astype(np.uint8)
    assert np.array_equal(Registration(image, mask).align(brighter, mask), STILL)
    shadow = wall(4)
    shadow[180:200, 40:160] -= 12
    assert np.array_equal(Registration(image, mask).align(shadow, mask), STILL)
    black = np.zeros((240, 320, 3), np.uint8)
    assert np.array_equal(Registration(black, mask).align(black, mask), STILL)


def with_door(image, left):
    image[60:, left : left + 90] = 90
    return image


def test_a_plain_wall_that_moved_is_refused():
    """The door's two corners are too few to tell how it moved, but it did."""
    reference = Registration(with_door(wall(1), 100), nobody())
    assert reference.align(with_door(wall(2), 110), nobody()) is None
    assert np.array_equal(reference.align(with_door(wall(3), 100), nobody()), STILL)
    assert reference.align(wall(4, level=220), nobody()) is None


def test_another_scene_is_refused():
    scenes = [next(synthetic_clip(seed, 1, 240, 320)) for seed in range(4)]
    for first, second in itertools.permutations(scenes, 2):
        assert Registration(first.image, first.mask).align(second.image, second.mask) is None


@pytest.mark.parametrize(
    "shake",
    [(0, 1, (60, 0)), (0, 1, (5, -34)), (6, 1, (0, 0)), (0, 1.13, (0, 0))],
    ids=["60px", "34px", "turn", "zoom"],
)
def test_a_camera_that_moved_too_far_is_refused(shake):
    picture = textured(400, 480)
    offset = similarity(0, 1, (54, 54), np.zeros(2))
    degrees, scale, shift = shake
    moved = similarity(degrees, scale, np.add(shift, 54), np.array([159.5, 119.5]))
    reference = Registration(view(picture, offset, 240, 320), nobody())
    assert reference.align(view(picture, moved, 240, 320), nobody()) is None


def test_no_background_or_another_size_is_refused():
    picture = textured(240, 320)
    everything = np.full((240, 320), 255, np.uint8)
    assert Registration(picture, nobody()).align(picture, everything) is None
    assert Registration(picture, everything).align(picture, nobody()) is None
    assert Registration(picture, nobody()).align(picture[:200], nobody(200)) is None


def test_apply_moves_picture_mask_and_joints_alike():
    """A dot of the picture and one of the mask end where the joints that mark them do."""
    y, x = np.mgrid[:100, :140]
    joints = np.float32([[52.25, 30.5, 0.7], [95, 61.75, 1]])
    image_dot, mask_dot = (np.exp(-((x - u) ** 2 + (y - v) ** 2) / 32) for u, v, _ in joints)
    image = np.repeat(np.uint8(np.rint(200 * image_dot))[..., None], 3, axis=2)
    transform = similarity(3, 1.04, (6.4, -3.7), np.array([20, 70]))
    image, mask, moved = registration.apply(transform, image, np.uint8(np.rint(200 * mask_dot)), joints)
    for picture, joint in ((image[..., 1], moved[0]), (mask, moved[1])):
        assert np.allclose(ndimage.center_of_mass(picture.astype(float))[::-1], joint[:2], atol=0.05)
    assert moved.dtype == np.float32 and np.array_equal(moved[:, 2], joints[:, 2])
    assert np.allclose(moved[:, :2], joints[:, :2] @ transform[:, :2].T + transform[:, 2], atol=1e-4)


def test_apply_repeats_the_pictures_border_but_not_the_masks():
    image, mask = np.full((20, 30, 3), (10, 20, 30), np.uint8), np.full((20, 30), 255, np.uint8)
    shift = np.array([[1, 0, 4], [0, 1, -3]], float)
    moved, moved_mask, _ = registration.apply(shift, image, mask, np.ones((14, 3), np.float32))
    assert np.array_equal(moved, image)
    assert not moved_mask[:, :4].any() and not moved_mask[17:].any() and moved_mask[:17, 4:].all()


def test_a_drawn_mask_covers_the_person_and_not_much_more():
    for seed in range(6):
        frame = next(synthetic_clip(seed, 1, 240, 320))
        person, drawn = frame.mask > 128, mask_from_joints(frame.joints, PERSON, 240, 320) > 0
        assert (drawn & person).sum() > 0.95 * person.sum()
        assert drawn.sum() < 2.5 * person.sum()


def test_a_drawn_mask_grows_with_the_person_and_leaves_absent_limbs_out(standing):
    small = mask_from_joints(standing, PERSON, 240, 200)
    assert small.shape == (240, 200) and set(np.unique(small)) == {0, 255}
    large = mask_from_joints(standing * np.float32([2, 2, 1]), PERSON, 480, 400)
    assert (large > 0).sum() == pytest.approx(4 * (small > 0).sum(), rel=0.05)
    x, y, _ = standing[PERSON.joints.index("left_wrist")].astype(int)
    handless = standing.copy()
    handless[PERSON.joints.index("left_wrist"), 2] = 0
    assert small[y, x] == 255 and mask_from_joints(handless, PERSON, 240, 200)[y, x] == 0


def test_a_drawn_mask_covers_hands_and_feet(shared):
    """Of rendered people, the label of every pixel is known."""
    index = json.loads((shared / "data/avatar_poses/index.json").read_text())
    labels = [1 + label for label, limb in enumerate(index["limb_names"]) if limb.endswith(("hand", "foot"))]
    covered = []
    for clip in index["clips"][::30]:
        frame = clip["frames"][-1]
        shown = np.isin(np.asarray(Image.open(shared / "data/avatar_poses" / frame["limbs"])), labels)
        joints = blazepose_to_body(np.float32(frame["landmarks"]))
        drawn = mask_from_joints(joints, BODY, *shown.shape) > 0
        few = mask_from_joints(joints[:14], PERSON, *shown.shape) > 0
        covered.append([drawn[shown].mean(), few[shown].mean()])
        assert not (few & ~drawn).any()
    # One of them bows to the camera, so that limbs are drawn too thin.
    assert np.median(covered, axis=0)[0] > 0.99 and (np.diff(covered) < 0).all()


def test_a_mask_is_drawn_for_any_skeleton_and_for_limbs_without_length():
    names = (*PERSON.joints, "tail")
    cat = Skeleton("cat", names, (*PERSON.limbs, Limb("tail", ("left_hip", "tail"))), "torso")
    joints = np.full((15, 3), [100, 100, 1], np.float32)
    joints[-1, 0] = 180
    mask = mask_from_joints(joints, cat, 200, 300)
    assert mask[100, 140] and mask[100, 95] and not mask[100, 250]


def test_a_tripod(shared):
    """A video whose camera stands still; masks are drawn from its landmarks."""
    path = shared / "data" / "videos" / "pose_squats"
    landmarks = np.array(json.loads(path.with_suffix(".full.json").read_text()), np.float32)
    landmarks[..., 2] = 1  # depth in the file
    video, frames = cv2.VideoCapture(str(path.with_suffix(".mp4"))), []
    for joints in blazepose_to_body(landmarks)[:13]:
        image = cv2.cvtColor(video.read()[1], cv2.COLOR_BGR2RGB)
        frames.append((image, mask_from_joints(joints, BODY, *image.shape[:2])))
    height, width = frames[0][1].shape
    reference = Registration(*frames[0])
    for frame in frames[4::4]:
        assert distance(reference.align(*frame), STILL, height, width) < 0.3
