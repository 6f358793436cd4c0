import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import map_coordinates

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.clips import Clip, Frame, encode_picture
from tf_unseen_pose.data.pair_choice import find_pairs
from tf_unseen_pose.data.pairs import Share, adjust_brightness, evaluation_pair, expanded, pair_batches
from tf_unseen_pose.imaging.affine import invert, transform_joints
from tf_unseen_pose.imaging.crop import common_crop
from tf_unseen_pose.known_skeletons import PERSON, SKELETONS

KEYS = {
    "image", "target_image", "source_joints", "target_joints", "noise", "source_mask", "target_mask", "mask_known"
}  # fmt: skip


@pytest.fixture
def config():
    return load_config("tiny", ["train.batch_size=3", "train.seed=11"])


@pytest.fixture
def dataset(make_dataset, make_clip):
    return make_dataset([make_clip("slow walk", 6), make_clip("jump", 4), make_clip("still", 1)])


def batches(dataset, config, count, **options):
    return [
        {name: value.numpy() for name, value in expanded(batch, config).items()}
        for batch in pair_batches(dataset, config, steps=count, **options)
    ]


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        for name in KEYS:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_elements(dataset, config):
    stream = pair_batches(dataset, config)
    shapes = {name: tuple(spec.shape) for name, spec in stream.element_spec.items()}
    assert shapes == {
        "image": (3, 64, 64, 3), "target_image": (3, 64, 64, 3), "noise_rows": (3, 64),
        "source_joints": (3, 14, 3), "target_joints": (3, 14, 3), "brightness": (3,),
        "source_mask": (3, 64, 64, 1), "target_mask": (3, 64, 64, 1), "mask_known": (3,),
    }  # fmt: skip
    (batch,) = batches(dataset, config, 1)
    assert set(batch) == KEYS and {value.dtype.name for value in batch.values()} == {"float32"}
    assert batch["image"].shape == batch["noise"].shape == (3, 64, 64, 3)
    assert -1 <= batch["image"].min() < -0.5 and 0.5 < batch["image"].max() <= 1
    assert batch["source_mask"].min() == 0 and batch["source_mask"].max() == pytest.approx(1)
    noise = batch["noise"]
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.02 and noise.max() > 3
    assert not np.array_equal(noise[0], noise[1])


def test_a_stream_resumed_at_a_step_is_the_tail_of_the_whole(dataset, config):
    whole = batches(dataset, config, 6)
    assert_same(batches(dataset, config, 2, first_step=4), whole[4:])
    assert_same(batches(dataset, config, 6), whole)


def test_seeds_and_steps_differ(dataset, config):
    one = batches(dataset, config, 2)
    other_config = load_config("tiny", ["train.batch_size=3", "train.seed=12"])
    other = batches(dataset, other_config, 1)
    for name in ("image", "source_joints", "noise"):
        assert not np.array_equal(one[0][name], one[1][name])
        assert not np.array_equal(one[0][name], other[0][name])


def test_the_batch_size_does_not_change_the_examples(dataset, config):
    threes = batches(dataset, config, 2)
    sixes = batches(dataset, load_config("tiny", ["train.batch_size=6", "train.seed=11"]), 1)
    for name in KEYS:
        np.testing.assert_array_equal(np.concatenate([batch[name] for batch in threes]), sixes[0][name])


def test_shares_are_the_parts_of_every_batch(dataset):
    config = load_config("tiny", ["train.batch_size=6", "train.seed=11"])
    whole = batches(dataset, config, 3, first_step=2)
    # Three parts of two examples: one machine works on the first, another on the others.
    first, others = (batches(dataset, config, 3, first_step=2, share=Share(*share)) for share in ((0, 1, 3), (1, 2, 3)))
    assert len(first) == 3 and len(others) == 6
    for step, batch in enumerate(whole):
        parts = [first[step], *others[2 * step : 2 * step + 2]]
        for name in KEYS:
            np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), batch[name])


def test_pairs_of_some_actions_only(make_dataset, make_clip, refuses):
    dataset = make_dataset(
        [make_clip("a", 3, action="run"), make_clip("b", 3, action="sit"), make_clip("c", 1, action="lie")]
    )
    assert [pairs.clip for pairs in find_pairs(dataset, 0.02, ("sit",))] == [1]
    assert [pairs.clip for pairs in find_pairs(dataset, 0.02, ("sit", "run"))] == [0, 1]
    refuses(lambda: find_pairs(dataset, 0.02, ("swim",)), "'swim'", "lie, run, sit")
    refuses(lambda: find_pairs(dataset, 0.02, ("lie",)), "No training clip of lie")


def test_pairs_are_far_enough_apart_and_equally_likely(make_dataset, make_clip):
    numbers = [0, 1, 2, 3, 4, 20, 21, 40]

    def frames():
        for frame, number in zip(make_clip("any", len(numbers), 64, 64).frames(), numbers, strict=True):
            yield dataclasses.replace(frame, number=number)

    dataset = make_dataset([Clip("gaps", "", 0, frames)])
    (pairs,) = find_pairs(dataset, 0.08)  # 0.08 of 40 is 3.2.
    allowed = {
        pair for pair in itertools.permutations(range(len(numbers)), 2)
        if abs(numbers[pair[0]] - numbers[pair[1]]) >= 3.2
    }  # fmt: skip
    generator = np.random.default_rng(0)
    chosen, counts = np.unique([pairs.choose(generator) for _ in range(200 * len(allowed))], axis=0, return_counts=True)
    assert {tuple(pair) for pair in chosen.tolist()} == allowed
    assert counts.min() > 140 and counts.max() < 260


def test_clips_are_equally_likely(dataset, config):
    """Clips are told apart by what stands still in them: their pictures' means."""
    stream = batches(dataset, config, 40, augment=False)
    still = [evaluation_pair(dataset, config, clip, 0, 1)["image"].numpy().mean() for clip in (0, 1)]
    means = np.concatenate([batch["image"].mean(axis=(1, 2, 3)) for batch in stream])
    nearest = np.abs(means[:, None] - still).argmin(axis=1)
    assert 40 < nearest.sum() < 80


def test_no_pairs_are_refused(make_dataset, make_clip, config, refuses):
    dataset = make_dataset([make_clip("a", 1), make_clip("b", 1)])
    refuses(lambda: pair_batches(dataset, config), dataset.path, "two frames")


def test_people_with_hands_are_trained_without_and_the_reverse(avatars_dataset, dataset):
    (less,) = batches(avatars_dataset, load_config("tiny"), 1)
    (whole,) = batches(avatars_dataset, load_config("tiny", ["model.skeleton=body"]), 1)
    # Hands and feet count where the crop lies.
    one, other = (pose[:, :14] - pose[:, :1] for pose in (less["source_joints"], whole["source_joints"]))
    np.testing.assert_allclose(one, other, atol=1e-3)
    (more,) = batches(dataset, load_config("tiny", ["model.skeleton=body"]), 1)
    assert more["source_joints"].shape == (8, 23, 3) and not more["source_joints"][:, 14:, 2].any()


def test_another_skeleton_is_refused(dataset, config, refuses, monkeypatch):
    monkeypatch.setitem(SKELETONS, "racket", dataclasses.replace(PERSON, name="racket"))
    other = load_config("tiny", ["model.skeleton=racket"])
    refuses(lambda: pair_batches(dataset, other), "'racket'", "'person'")
    refuses(lambda: evaluation_pair(dataset, other, 0, 0, 1), "'racket'")


def test_the_canvas_shows_the_crop(dataset, config, decode):
    pair = {name: value.numpy() for name, value in evaluation_pair(dataset, config, 0, 4, 1).items()}
    frames = dataset.read_frame(0, 4), dataset.read_frame(0, 1)
    matrix = common_crop([frame.joints for frame in frames], PERSON, 64, 64, 1.14)
    for frame, image, mask, joints in zip(
        frames,
        ("image", "target_image"),
        ("source_mask", "target_mask"),
        ("source_joints", "target_joints"),
        strict=True,
    ):
        np.testing.assert_allclose(pair[joints][0], transform_joints(invert(matrix), frame.joints), rtol=1e-4)
        # Shrunk by more than three: a box filter and bilinear sampling stand in for the antialiased reduction.
        photo = np.dstack([decode(frame.jpeg), decode(frame.mask_png)]).astype(float)
        steps = (np.arange(8) - 3.5) / 8 * matrix[0, 0]
        y, x = np.mgrid[:64, :64] * matrix[0, 0] + matrix[::-1, 2][:, None, None]
        expected = np.mean(
            [
                [map_coordinates(photo[..., c], [y + dy, x + dx], order=1, mode="nearest") for c in range(4)]
                for dy in steps
                for dx in steps
            ],
            axis=0,
        )
        assert np.abs((pair[image][0] + 1) * 127.5 - expected[:3].transpose(1, 2, 0)).mean() < 1.5
        assert np.abs(pair[mask][0, ..., 0] * 255 - expected[3]).mean() < 3
    assert pair["mask_known"] == [1]


def dotted_clip(standing, masks=True):
    """Two frames of one pose on black: a red dot on every right joint, green on left, blue on the others."""
    y, x = np.mgrid[:240, :200]
    image = np.zeros((240, 200, 3))
    for name, (column, row, _) in zip(PERSON.joints, standing, strict=True):
        channel = 0 if name.startswith("right") else 1 if name.startswith("left") else 2
        image[..., channel] += 255 * np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * 4.0**2))
    jpeg = encode_picture(image.clip(0, 255).astype(np.uint8), "JPEG")
    mask = encode_picture((image.max(axis=-1) > 128).astype(np.uint8) * 255, "PNG")

    def frames():
        for number in range(2):
            yield Frame(jpeg, standing, number, mask_png=mask if masks and number == 0 else None)

    return Clip("dots", "", 0, frames)


def test_joints_follow_the_picture_under_augmentation(make_dataset, standing):
    settings = ["model.height=256", "model.width=224", "train.batch_size=8", "data.rotation=25", "data.shift=12"]
    config = load_config("tiny", settings)
    (batch,) = batches(make_dataset([dotted_clip(standing)]), config, 1)
    np.testing.assert_array_equal(batch["image"], batch["target_image"])
    np.testing.assert_array_equal(batch["source_joints"], batch["target_joints"])
    y, x = np.mgrid[:256, :224]
    flips = 0
    for image, joints in zip((batch["image"] + 1) / 2, batch["source_joints"], strict=True):
        # A dot keeps its colour, so where the picture was flipped the left joints' dots are red.
        hip_x, hip_y = joints[PERSON.joint_index("left_hip")[0], :2].round().astype(int)
        flipped = image[hip_y, hip_x].argmax() == 0
        flips += flipped
        channels = {"right": 1, "left": 0} if flipped else {"right": 0, "left": 1}
        for name, (column, row, _) in zip(PERSON.joints, joints, strict=True):
            dot = image[..., channels.get(name.split("_")[0], 2)]
            weight = np.where(((x - column) ** 2 + (y - row) ** 2 < 10**2) & (dot > 0.15), dot, 0)
            if min(column, row, 223 - column, 255 - row) > 12:
                centroid = (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()
                np.testing.assert_allclose(centroid, [column, row], atol=0.6, err_msg=name)
    assert 0 < flips < 8


def test_masks_are_known_only_for_both_frames(make_dataset, standing, config):
    (batch,) = batches(make_dataset([dotted_clip(standing)]), config, 1)
    assert not batch["mask_known"].any() and not batch["source_mask"].any() and not batch["target_mask"].any()


def test_clips_with_and_without_masks_mix(make_dataset, make_clip, standing, config):
    dataset = make_dataset([make_clip("masked", 4), dotted_clip(standing, masks=False)])
    stream = batches(dataset, config, 8)
    known = np.concatenate([batch["mask_known"] for batch in stream])
    assert 4 < known.sum() < 20 and set(known) == {0, 1}
    for name in ("source_mask", "target_mask"):
        masks = np.concatenate([batch[name] for batch in stream])
        np.testing.assert_array_equal(masks.any(axis=(1, 2, 3)), known > 0)
        assert masks.max() == pytest.approx(1)


def test_without_augmentation_pairs_and_noise_are_the_same(dataset, config):
    (plain,), (augmented,) = batches(dataset, config, 1, augment=False), batches(dataset, config, 1)
    np.testing.assert_array_equal(plain["noise"], augmented["noise"])
    assert not np.array_equal(plain["image"], augmented["image"])
    for one, other in zip(plain["source_joints"], augmented["source_joints"], strict=True):
        # The same pose at another place: from head to neck it is as far, but for the scale's 0.90 to 1.05.
        before, after = (np.linalg.norm(joints[0, :2] - joints[1, :2]) for joints in (one, other))
        assert 0.89 < after / before < 1.06


def test_a_given_box_moves_the_crop(make_dataset, make_clip, config):
    def boxed():
        for frame in make_clip("boxed", 2).frames():
            yield dataclasses.replace(frame, box=np.float32([20, 30, 40, 50]))

    pair = evaluation_pair(make_dataset([Clip("boxed", "", 0, boxed)]), config, 0, 0, 1)
    frame = next(boxed())
    matrix = common_crop([frame.joints], PERSON, 64, 64, 1.14, [frame.box])
    np.testing.assert_allclose(
        pair["source_joints"][0], transform_joints(invert(matrix), frame.joints), rtol=1e-4, atol=1e-3
    )


def test_evaluation_pairs_repeat_and_fit_the_stream(dataset, config):
    one, again = (evaluation_pair(dataset, config, 1, 3, 0) for _ in range(2))
    other = evaluation_pair(dataset, config, 1, 0, 3)
    (batch,) = batches(dataset, config, 1)
    for name, value in batch.items():
        assert one[name].shape == (1, *value.shape[1:]) and one[name].dtype == value.dtype
        np.testing.assert_array_equal(one[name], again[name])
    np.testing.assert_array_equal(one["image"], other["target_image"])
    assert not np.array_equal(one["noise"], other["noise"])


def test_clips_for_validation_are_not_trained_on(make_clip, make_dataset, refuses):
    clips = [make_clip("a", 4), make_clip("b", 4, split="validation"), make_clip("c", 4)]
    assert {pairs.clip for pairs in find_pairs(make_dataset(clips), 0.02)} == {0, 2}
    alone = make_dataset([make_clip("b", 4, split="validation")], "alone")
    refuses(lambda: find_pairs(alone, 0.02), "No training clip", "alone")


def test_brightness_is_a_clipped_factor(make_picture):
    images = np.stack([make_picture(seed, 8, 10) for seed in (1, 2)]).astype(np.float32)
    for factor in (0.95, 1.0, 1.3):
        output = adjust_brightness(images, tf.constant(factor)).numpy()
        np.testing.assert_allclose(output, np.clip(images * np.float32(factor), 0, 255), rtol=1e-5, atol=1e-3)
