"""Limb maps, scenes and squares in training examples: they lie on the pictures whatever is done to those."""

from dataclasses import replace

import numpy as np
import pytest
from small_avatars import COLOURS, write_avatars

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.augmentation import Augmentation
from tf_unseen_pose.data.avatar_poses import avatar_clips
from tf_unseen_pose.data.examples import Examples, example_parts
from tf_unseen_pose.data.pair_choice import find_pairs
from tf_unseen_pose.data.pairs import expanded, pair_batches
from tf_unseen_pose.known_skeletons import BODY, PERSON, convert_joints

WANTED = ["loss.limbs=1", "loss.scene=1", "loss.features_crop=32"]
MOVED = ["model.height=128", "model.width=96", "data.rotation=25", "data.shift=12", "data.brightness=[1,1]"]


def examples(dataset, count, *settings, skeleton="body"):
    config = load_config("tiny", [f"model.skeleton={skeleton}", *MOVED, *settings])
    make = Examples(dataset, config, augment=True)
    return [make(number) for number in range(count)]


def seen_labels(image, skeleton=BODY):
    """By their colours; 0 is not told apart from the scene."""
    return 1 + np.abs(image.astype(int)[:, :, None] - COLOURS[1 : 1 + skeleton.limb_count]).sum(axis=-1).argmin(axis=-1)


def mirrored(labels):
    names = [limb.name for limb in BODY.limbs]
    swap = {"right": "left", "left": "right"}
    others = [names.index("_".join(swap.get(word, word) for word in name.split("_"))) for name in names]
    return np.array([0, *(1 + i for i in others)])[labels]


def test_labels_lie_on_their_limbs_and_change_sides_in_a_mirror(avatars_dataset):
    flips = 0
    for example in examples(avatars_dataset, 12, *WANTED):
        assert example["limbs_known"] == 1
        names = ["source_limbs", "target_limbs"]
        for name, image in zip(names, (example["image"], example["target_image"]), strict=True):
            labels = example[name]
            inside = labels > 0
            assert 0.03 < inside.mean() < 0.5
            seen = seen_labels(image)[inside]
            plain, turned = (seen == labels[inside]).mean(), (seen == mirrored(labels[inside])).mean()
            assert max(plain, turned) > 0.85 > 0.6 > min(plain, turned)
            # The joints of the right hand lie on what is called the right hand.
            joint, hand = (example[name.replace("limbs", "joints")][17], 1 + 10)
            row, column = np.rint(joint[1::-1]).astype(int)
            around = labels[row - 2 : row + 3, column - 2 : column + 3]
            assert around.size == 0 or hand in around
        flips += turned > plain
    assert 2 < flips < 10


def test_people_without_hands_have_their_forearms_there(avatars_dataset):
    (whole,), (less,) = (
        examples(avatars_dataset, 1, *WANTED, "data.flip=false", "data.crop_factor=0.9", skeleton=skeleton)
        for skeleton in ("body", "person")
    )
    assert less["source_limbs"].max() == 10 < whole["source_limbs"].max()
    seen = seen_labels(less["image"])
    hands, forearms = (np.isin(labels, (a, b)) for labels, (a, b) in ((seen, (11, 12)), (less["source_limbs"], (3, 5))))
    inside = less["source_limbs"] > 0
    assert forearms[hands & inside].mean() > 0.9


def test_the_scene_is_what_the_person_covers(avatars_dataset):
    for example in examples(avatars_dataset, 6, *WANTED):
        assert example["scene_known"] == 1
        # A soft mask ends three pixels further than half of it, and JPEG smears colours.
        source, target = (grown(example[f"{name}_mask"][..., 0] > 0) for name in ("source", "target"))
        for image, covered in ((example["image"], source), (example["target_image"], target)):
            difference = np.abs(image.astype(int) - example["scene"])
            assert difference[~covered].mean() < 2 and difference[covered].mean() > 10
        assert (source & ~target).sum() > 20


def grown(mask, by=3):
    return np.array([np.roll(mask, (y, x), (0, 1)) for y in range(-by, by + 1) for x in range(-by, by + 1)]).any(axis=0)


def test_of_an_exchanged_background_the_scene_is_known_where_nothing_of_it_is_painted(
    tmp_path, make_dataset, make_clip
):
    """Of three clips one has a photograph's background, from which its person was painted away."""
    drawn = avatar_clips(write_avatars(tmp_path / "two"))
    dataset = make_dataset([*map(with_person, drawn), make_clip("photographed", 3)])
    settings = ["data.background_swap=1", "data.hue=90", "data.value=[0.6,1]", "loss.scene=1"]
    found = examples(dataset, 24, *settings, skeleton="person")
    known = [example for example in found if example["scene_known"]]
    assert 8 < len(known) < 22
    for example in found:
        outside = (example["source_mask"][..., 0] == 0) & (example["target_mask"][..., 0] == 0)
        # Bit for bit: it is what both stand before.
        same = (example["image"][outside] == example["scene"][outside]).all()
        assert same == bool(example["scene_known"]) and (example["scene"].any() == same)
        np.testing.assert_array_equal(example["image"][outside], example["target_image"][outside])


def with_person(clip):
    def frames():
        for frame in clip.frames():
            yield replace(frame, joints=convert_joints(frame.joints, BODY, PERSON), limbs_png=None)

    return replace(clip, frames=frames, skeleton=PERSON)


def test_squares_lie_on_the_target_person_and_differ(avatars_dataset):
    found = examples(avatars_dataset, 12, *WANTED)
    corners = np.array([example["features_corner"] for example in found])
    assert corners.min() >= 0 and (corners <= [128 - 32, 96 - 32]).all() and len(np.unique(corners, axis=0)) > 8
    for example, (row, column) in zip(found, corners, strict=True):
        assert example["target_mask"][row : row + 32, column : column + 32].mean() > 5
    assert not np.array_equal(
        corners, [e["features_corner"] for e in examples(avatars_dataset, 12, *WANTED, "train.seed=1")]
    )


def test_who_asks_for_more_gets_the_same_pairs(avatars_dataset):
    plain = examples(avatars_dataset, 5, "data.background_swap=0.5", "data.hue=40", "data.joint_jitter=1")
    more = examples(avatars_dataset, 5, "data.background_swap=0.5", "data.hue=40", "data.joint_jitter=1", *WANTED)
    for one, other in zip(plain, more, strict=True):
        assert set(other) - set(one) == {
            "source_limbs", "target_limbs", "limbs_known", "scene", "scene_known", "features_corner"
        }  # fmt: skip
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name], err_msg=name)


def test_who_asks_for_nothing_new_gets_what_was_drawn_before(make_dataset, make_clip):
    """Draw by draw, in the order of before limb maps and scenes."""
    dataset = make_dataset([make_clip("slow walk", 6), make_clip("jump", 4)])
    config = load_config("tiny", ["data.joint_jitter=2", "train.seed=5"])
    make, found = Examples(dataset, config, augment=True), find_pairs(dataset, 0.02)
    for number in range(6):
        generator = np.random.Generator(np.random.Philox(key=np.array([5, number], np.uint64)))
        found[generator.integers(2)].choose(generator)
        change = Augmentation.draw(generator, config.data)
        rows = generator.integers(16 * 64, size=64, dtype=np.int32)
        example = make(number)
        np.testing.assert_array_equal(example["noise_rows"], rows)
        assert example["brightness"] == np.float32(change.brightness) and list(example) == list(example_parts(config))
        # Five numbers and twice three more, and then the jitter, twice as wide on 256 pixels as on half of that.
        generator.random(11)
        jitter = 2 * generator.standard_normal((2, 14, 2), np.float32) * (64 / 256)
        still = load_config("tiny", ["train.seed=5"])
        plain = Examples(dataset, still, augment=True)(number)
        np.testing.assert_allclose(
            example["target_joints"][:, :2] - plain["target_joints"][:, :2], jitter[1], atol=1e-4
        )


def test_some_pairs_lose_the_joints_of_face_hands_and_feet_and_nothing_else(avatars_dataset):
    lost = 0
    for one, other in zip(
        examples(avatars_dataset, 40, *WANTED),
        examples(avatars_dataset, 40, "data.fine_dropout=0.4", *WANTED),
        strict=True,
    ):
        assert (one["target_joints"][14:, 2] > 0).any()
        without = not other["target_joints"][14:].any()
        for name, values in one.items():
            kept = 14 if without and name in ("source_joints", "target_joints") else len(np.atleast_1d(values))
            found = np.atleast_1d(other[name])
            np.testing.assert_array_equal(found[:kept], np.atleast_1d(values)[:kept], err_msg=name)
            assert not found[kept:].any()
        lost += without
    assert 8 < lost < 24


def test_batches_are_expanded_with_what_they_have(avatars_dataset):
    settings = ["model.skeleton=body", "train.batch_size=3", "data.brightness=[0.5,0.6]", *WANTED]
    config = load_config("tiny", settings)
    (batch,) = pair_batches(avatars_dataset, config, steps=1)
    full = expanded(batch, config)
    assert full["scene"].dtype.name == "float32" and full["source_limbs"].dtype.name == "uint8"
    expected = batch["scene"].numpy() * batch["brightness"].numpy()[:, None, None, None] / 127.5 - 1
    np.testing.assert_allclose(full["scene"], expected, atol=1e-5)
    assert full["features_corner"].shape == (3, 2) and full["target_limbs"].shape == (3, 64, 64)


@pytest.mark.parametrize(
    "setting, word", [("loss.limbs=1", "limb"), ("loss.choice=1", "loss.choice"), ("loss.scene=1", "scene")]
)
def test_what_no_clip_has_is_refused(make_dataset, make_clip, refuses, setting, word):
    dataset = make_dataset([make_clip("a", 3, 64, 64)])
    refuses(lambda: Examples(dataset, load_config("tiny", [setting]), True), dataset.path, word, "0")
