"""Who is drawn in the same clothes is found alike, who is not is not; pairs across clips keep to their poses."""

from dataclasses import replace

import numpy as np
import pytest

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.clips import Clip, Frame, encode_picture
from tf_unseen_pose.data.frame_cache import DecodedFrame, DecodedFrames
from tf_unseen_pose.data.lookalikes import _colours, distance, limb_colours, lookalikes
from tf_unseen_pose.data.pairs import expanded, pair_batches
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.known_skeletons import BODY, PERSON, convert_joints


@pytest.fixture
def dressed(standing):
    """Makes clips of a person whose limbs have given colours; everyone leans to another side in every clip."""

    def make(name, colours, scene="gym", count=2, mask=True, shift=0):
        def frames():
            for number in range(count):
                joints = standing + np.float32([shift + 3 * number, 2 * number, 0])
                image, person = np.full((240, 200, 3), 90, np.uint8), np.zeros((240, 200), np.uint8)
                for limb, colour in zip(PERSON.limbs, colours, strict=True):
                    ends = joints[PERSON.joint_index(*limb.joints), :2].reshape(2, -1, 2).mean(axis=1)
                    for part in np.linspace(0, 1, 60):
                        x, y = np.rint(ends[0] + part * (ends[1] - ends[0])).astype(int)
                        image[y - 4 : y + 5, x - 4 : x + 5], person[y - 4 : y + 5, x - 4 : x + 5] = colour, 255
                yield Frame(encode_picture(image, "JPEG"), joints, number,
                            mask_png=encode_picture(person, "PNG") if mask else None)  # fmt: skip

        return Clip(name, name, 0.0, frames, scene, person=scene)

    return make


@pytest.fixture
def outfits():
    rng = np.random.default_rng(8)
    return [[tuple(int(v) for v in rng.integers(40, 220, 3)) for _ in PERSON.limbs] for _ in range(2)]


def test_a_limbs_colour_is_that_of_its_pixels():
    (frame,) = list(synthetic_clip(5, 2, 160, 160, "wave"))[:1]
    image = np.zeros((160, 160, 3), np.uint8)
    image[..., 0] = 200
    found = limb_colours(DecodedFrame(image, frame.mask, frame.joints, None), PERSON)
    seen = np.isfinite(found).all(axis=-1)
    assert seen.sum() >= 8
    # The formulae of sRGB and of CIE Lab with the white point D65.
    x, y, z = ((200 / 255 + 0.055) / 1.055) ** 2.4 * np.array([0.4124, 0.2126, 0.0193]) / [0.9505, 1, 1.089]
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    expected = [(116 * fy - 16) / 2, 500 * (fx - fy), 200 * (fy - fz)]
    np.testing.assert_allclose(found[seen], np.tile(expected, (seen.sum(), 1)), atol=0.2)
    joints = frame.joints.copy()
    joints[PERSON.joint_index("head"), 2] = 0
    hidden = limb_colours(DecodedFrame(image, frame.mask, joints, None), PERSON)
    assert np.isnan(hidden[0]).all() and np.isfinite(hidden[-1]).all()
    assert np.isnan(limb_colours(DecodedFrame(image, np.zeros_like(frame.mask), joints, None), PERSON)).all()


def test_distance_is_the_mean_of_the_limbs_seen_in_both():
    one, other = np.zeros((10, 3), np.float32), np.zeros((10, 3), np.float32)
    other[:, 1] = np.arange(10)
    one[3], other[7] = np.nan, np.nan
    assert distance(one, other) == pytest.approx((45 - 3 - 7) / 8)
    one[:6] = np.nan
    assert distance(one, other) == np.inf


def test_the_same_clothes_in_the_same_scene_are_alike(make_dataset, dressed, outfits):
    first, second = outfits
    clips = [
        dressed("a", first), dressed("b", second), dressed("c", first, shift=9), dressed("d", first, scene="park"),
        dressed("e", second), dressed("f", first, mask=False), dressed("g", first, scene=""),
        dressed("h", first, scene=""),
    ]  # fmt: skip
    dataset = make_dataset(clips)
    found = lookalikes(dataset, DecodedFrames(dataset), list(range(8)))
    assert found == {0: [2], 2: [0], 1: [4], 4: [1]}
    assert lookalikes(dataset, DecodedFrames(dataset), [0, 1, 3]) == {}


def test_pairs_across_clips_show_each_frame_in_its_own_crop(make_dataset, dressed, outfits, refuses):
    clips = [dressed("a", outfits[0]), dressed("b", outfits[0], shift=30)]
    dataset = make_dataset(clips)
    settings = ["train.batch_size=4", "data.flip=false", "data.rotation=0", "data.shift=0", "data.scale=[1, 1]"]
    config = load_config("tiny", [*settings, "data.across=1", "data.brightness=[1, 1]"])
    (batch,) = (expanded(batch, config) for batch in pair_batches(dataset, config, steps=1))
    # Alone in its crop, everyone stands in its middle, whatever the clip; one crop for both would set them 30 pixels
    # of the picture apart.
    middle = [np.ptp(batch[name].numpy()[..., :2], axis=1) / 2 + batch[name].numpy()[..., :2].min(axis=1)
              for name in ("source_joints", "target_joints")]  # fmt: skip
    np.testing.assert_allclose(*middle, atol=1.5)
    free = (batch["source_mask"] + batch["target_mask"]).numpy()[..., 0] == 0
    np.testing.assert_array_equal(batch["image"].numpy()[free], batch["target_image"].numpy()[free])
    alone = make_dataset([dressed("a", outfits[0]), dressed("b", outfits[1])], "alone")
    refuses(lambda: pair_batches(alone, config), "similar people", "data.across")


def test_hands_and_feet_do_not_tell_who_looks_alike(make_dataset, dressed, outfits):
    """Whoever is alike without them is so with them."""
    clips = [dressed("a", outfits[0]), dressed("b", outfits[0], shift=4), dressed("c", outfits[1])]
    dataset = make_dataset(list(map(with_hands, clips)))
    assert lookalikes(dataset, DecodedFrames(dataset), [0, 1, 2]) == {0: [1], 1: [0]}
    plain = make_dataset(clips, "plain")
    for position in range(3):
        one, other = (DecodedFrames(of).read(position, 0) for of in (dataset, plain))
        np.testing.assert_array_equal(_colours(one, BODY), limb_colours(other, PERSON))


def with_hands(clip):
    def frames():
        for frame in clip.frames():
            joints = convert_joints(frame.joints, PERSON, BODY)
            joints[14:] = [150, 180, 1]
            yield replace(frame, joints=joints)

    return replace(clip, frames=frames, skeleton=BODY)
