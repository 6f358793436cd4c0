import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.pairs import evaluation_pair
from tf_unseen_pose.evaluation.evaluation_pairs import EvaluationPair, PairSequence
from tf_unseen_pose.evaluation.example_pictures import ExampleReader
from tf_unseen_pose.imaging.registration import mask_from_joints
from tf_unseen_pose.known_skeletons import BODY, PERSON


@pytest.fixture
def reader(dataset, config):
    return ExampleReader(dataset, config)


def test_a_pair_is_what_training_sees(reader, dataset, config):
    example, pair = reader.within(EvaluationPair(1, 0, 1, 3)), evaluation_pair(dataset, config, 1, 0, 3)
    np.testing.assert_allclose(example.image, pair["image"][0], atol=1e-6)
    np.testing.assert_array_equal(example.target, np.round((pair["target_image"][0] + 1) * 127.5))
    np.testing.assert_allclose(example.target_mask, pair["target_mask"][0, ..., 0], atol=1e-6)
    np.testing.assert_array_equal(example.target_joints, pair["target_joints"][0])
    assert not example.masks_drawn and example.source.dtype == np.uint8
    assert set(example.batch) == {"image", "source_joints", "target_joints"}
    assert example.batch["image"].shape == (1, 64, 64, 3)
    difference = np.hypot(*(example.target_joints - example.source_joints)[:, :2].T)
    assert example.movement == pytest.approx(difference.mean() / 64) and example.movement > 0.01


def test_weights_of_what_is_outside(reader):
    example = reader.within(EvaluationPair(1, 0, 1, 3))
    person = np.maximum(example.source_mask, example.target_mask)
    np.testing.assert_array_equal(example.outside, 1 - person)
    assert (example.people >= person).all() and 0.2 < (example.people - person).sum() / person.sum() < 2


def test_a_missing_mask_is_drawn_from_the_joints(reader):
    example = reader.within(EvaluationPair(3, 0, 3, 1))
    assert example.masks_drawn
    for mask, joints in (
        (example.source_mask, example.source_joints),
        (example.target_mask, example.target_joints),
    ):
        np.testing.assert_array_equal(mask, mask_from_joints(joints, PERSON, 64, 64) / np.float32(255))
        assert 0.05 < mask.mean() < 0.5


def test_a_sequence_is_cut_out_alike(reader):
    frames = list(reader.sequence(PairSequence(2, 5, (0, 1, 2, 5))))
    assert len(frames) == 4
    for frame in frames:
        np.testing.assert_array_equal(frame.source, frames[0].source)
        np.testing.assert_array_equal(frame.source_joints, frames[0].source_joints)
        # The scene stands still where nobody is.
        still = frame.people == 0
        assert np.abs(frame.target.astype(int) - frame.source)[still].mean() < 4
    # The last frame is the source itself.
    np.testing.assert_array_equal(frames[3].target, frames[3].source)
    np.testing.assert_array_equal(frames[3].target_mask, frames[3].source_mask)
    assert np.abs(frames[0].target.astype(int) - frames[0].source).max() > 50


def test_across_fits_the_pose_to_the_source(reader):
    example = reader.across(EvaluationPair(1, 2, 2, 4))
    assert example.target is None and example.masks_drawn
    np.testing.assert_array_equal(
        example.target_mask, mask_from_joints(example.target_joints, PERSON, 64, 64) / np.float32(255)
    )
    assert 0.03 < example.source_mask.mean() < 0.5 and example.source_mask.max() <= 1
    # A person's own pose, fitted to that person, stays about where it is.
    own = reader.across(EvaluationPair(1, 2, 1, 2))
    assert np.abs(own.target_joints - own.source_joints)[:, :2].max() < 6
    # The other person's pose is taken, at this person's size and place.
    other = reader.within(EvaluationPair(2, 4, 2, 4)).target_joints
    arm = PERSON.joint_index("right_shoulder", "right_elbow")
    directions = [np.arctan2(*np.diff(joints[arm, :2], axis=0)[0]) for joints in (example.target_joints, other)]
    assert directions[0] == pytest.approx(directions[1], abs=0.01)
    feet = PERSON.joint_index("left_ankle", "right_ankle")
    lowest = [joints[feet, 1].max() for joints in (example.source_joints, example.target_joints)]
    assert lowest[0] == pytest.approx(lowest[1], abs=4)


def test_whole_photos_are_the_datasets_frames(reader, dataset):
    pair = EvaluationPair(1, 4, 1, 1)
    photos, frames = reader.photos(pair), [dataset.read_frame(1, number) for number in (4, 1)]
    for picture, mask, joints, frame in zip(
        (photos.source, photos.target),
        (photos.source_mask, photos.target_mask),
        (photos.source_joints, photos.target_joints),
        frames,
        strict=True,
    ):
        np.testing.assert_array_equal(picture, np.asarray(Image.open(io.BytesIO(frame.jpeg))))
        np.testing.assert_array_equal(mask * 255, np.asarray(Image.open(io.BytesIO(frame.mask_png))))
        np.testing.assert_array_equal(joints, frame.joints)
    # Without masks, the joints tell where the person is.
    drawn = reader.photos(EvaluationPair(3, 0, 3, 1))
    np.testing.assert_array_equal(drawn.target_mask * 255, mask_from_joints(drawn.target_joints, PERSON, 80, 96))


def test_a_target_of_another_size_lies_on_the_source_by_its_first_pixel(reader, dataset, monkeypatch):
    source, target = (reader._frames.read(1, number) for number in (0, 3))
    smaller = target._replace(image=target.image[:70, :90], mask=target.mask[:70, :90])
    monkeypatch.setattr(reader._frames, "read", lambda clip, frame: smaller if frame == 3 else source)
    photos = reader.photos(EvaluationPair(1, 0, 1, 3))
    assert photos.target.shape == (80, 96, 3) and photos.target_mask.shape == (80, 96)
    np.testing.assert_array_equal(photos.target[:70, :90], target.image[:70, :90])


def test_joints_are_the_datasets_whatever_the_models(avatars_dataset, config):
    example = ExampleReader(avatars_dataset, config).within(EvaluationPair(1, 0, 1, 2))
    less = example.as_of(PERSON)
    assert example.target_joints.shape == (23, 3) and less.batch["target_joints"].shape == (1, 14, 3)
    np.testing.assert_array_equal(less.source_joints, example.source_joints[:14])
    # The canvas is no other for what the dataset has beyond the 14.
    run, pair = PairSequence(1, 0, (1, 2)), EvaluationPair(1, 0, 1, 2)
    many, few = (ExampleReader(avatars_dataset.as_of(skeleton), config) for skeleton in (BODY, PERSON))
    for more, fewer in ((many.within(pair), few.within(pair)), (next(many.sequence(run)), next(few.sequence(run)))):
        np.testing.assert_array_equal(more.image, fewer.image)
        np.testing.assert_array_equal(more.target_joints[:14], fewer.target_joints)


def test_what_is_behind_is_the_clips_scene(avatars_dataset, reader, config):
    photos = ExampleReader(avatars_dataset, config).photos(EvaluationPair(1, 0, 1, 2))
    nobody = np.maximum(photos.source_mask, photos.target_mask) == 0
    assert photos.scene.shape == photos.source.shape
    for photo in (photos.source, photos.target):
        difference = np.abs(photo.astype(int) - photos.scene).mean(axis=-1)
        assert difference[ndimage.binary_erosion(nobody, iterations=8)].mean() < 3 < difference[~nobody].mean() / 5
    assert reader.photos(EvaluationPair(1, 0, 1, 3)).scene is None


def test_other_canvases_are_cut_to_their_size(dataset):
    reader = ExampleReader(dataset, load_config("tiny", ["model.height=96", "model.width=64"]))
    for example in (reader.within(EvaluationPair(1, 0, 1, 3)), reader.across(EvaluationPair(1, 0, 2, 3))):
        assert example.image.shape == (96, 64, 3) and example.target_mask.shape == (96, 64)
