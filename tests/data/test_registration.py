"""Clips are aligned by their backgrounds: pictures, masks, joints and boxes alike; what cannot be is left out."""

import numpy as np
import pytest
from scipy import ndimage
from textures import textured

from tf_unseen_pose.data.clips import Clip, Frame, Rejected, encode_picture
from tf_unseen_pose.data.posewarp_format import posewarp_clips
from tf_unseen_pose.data.registration import registered
from tf_unseen_pose.imaging.registration import mask_from_joints
from tf_unseen_pose.known_skeletons import PERSON


def shifted_frame(picture, joints, number, shift, masked, **fields):
    """A window of a picture, moved by whole pixels; the person is a rectangle about the joints that moves with it."""
    x, y = np.add(shift, 30)
    image, mask = picture[y : y + 240, x : x + 320].copy(), np.zeros((240, 320), np.uint8)
    joints = joints - np.float32([*shift, 0])
    (left, top), (right, bottom) = joints[:, :2].min(0).astype(int) - 8, joints[:, :2].max(0).astype(int) + 8
    mask[top:bottom, left:right] = 255
    image[mask > 0] = 40 + 20 * number
    mask_png, limbs_png = (encode_picture(map, "PNG") if masked else None for map in (mask, mask // 64))
    return Frame(encode_picture(image, "JPEG"), joints, number, mask_png=mask_png, limbs_png=limbs_png, **fields)


@pytest.mark.parametrize("masked", [True, False])
def test_a_clip_is_aligned_to_its_first_frame(standing, decode, masked):
    scene, other = textured(300, 380), textured(300, 380, 5)
    box = np.float32([50, 30, 90, 180])
    frames = [
        shifted_frame(scene, standing, 2, (0, 0), masked),
        shifted_frame(scene, standing, 3, (0, 0), masked),
        shifted_frame(scene, standing, 5, (7, -4), masked, box=box - np.float32([7, -4, 0, 0])),
        shifted_frame(other, standing, 7, (0, 0), masked),
        Frame(encode_picture(scene[:240, :320], "JPEG"), standing * 0, 8),
        Rejected("no picture", 9),
    ]
    clip = Clip("clip", "stretch", 25.0, lambda: iter(frames), scene="hall")
    aligned = registered(clip)
    first, second, third, *rejected = aligned.frames()
    assert (aligned.name, aligned.action, aligned.fps, aligned.scene) == ("clip", "stretch", 25.0, "hall")
    assert first is frames[0] and second is frames[1]
    assert third.number == 5 and third.joints.dtype == np.float32
    assert np.allclose(third.joints, standing, atol=0.1)
    assert np.allclose(third.box, box, atol=0.1)
    # Beside the person, away from the border.
    background = np.s_[10:230, 200:310]
    difference = np.abs(decode(third.jpeg).astype(int) - decode(first.jpeg))[background]
    assert (
        difference.mean() < 4 < np.abs(decode(frames[2].jpeg).astype(int) - decode(first.jpeg))[background].mean() / 4
    )
    if masked:
        assert (np.abs(decode(third.mask_png).astype(int) - decode(first.mask_png)) > 128).mean() < 0.01
        labels = decode(third.limbs_png)
        assert set(np.unique(labels)) == {0, 3} and (labels != decode(first.limbs_png)).mean() < 0.01
    else:
        assert third.mask_png is third.limbs_png is None
    assert rejected == [
        Rejected("camera moved too far to register", 7),
        Rejected("fewer than 2 joints", 8),
        Rejected("no picture", 9),
    ]


def background_difference(first, second, decode):
    """Mean absolute difference [grey levels] outside both persons and away from the border."""
    pictures = [decode(frame.jpeg).astype(int) for frame in (first, second)]
    height, width = pictures[0].shape[:2]
    people = [mask_from_joints(frame.joints, PERSON, height, width) > 0 for frame in (first, second)]
    free = ~ndimage.binary_dilation(people[0] | people[1], iterations=20)[50:-50, 50:-50]
    return np.abs(pictures[0] - pictures[1]).mean(-1)[50:-50, 50:-50][free].mean()


def test_a_hand_held_tennis_clip(shared, decode):
    """The camera moves between frames 2 and 3; trees, clouds and spectators move all the time."""
    (clip,) = posewarp_clips(shared / "data" / "posewarp_sample" / "train")
    before = list(clip.frames())
    after = list(registered(clip).frames())
    assert len(after) == len(before) and all(isinstance(frame, Frame) for frame in after)
    pairs = [(i, j) for i in (0, 1) for j in (2, 4, 6)]
    old, new = (np.mean([background_difference(c[i], c[j], decode) for i, j in pairs]) for c in (before, after))
    assert new < 0.45 * old
