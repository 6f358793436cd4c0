import numpy as np
import pytest

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation.compared_models import Model, require_same_canvas
from tf_unseen_pose.evaluation.evaluation_pairs import EvaluationPair
from tf_unseen_pose.evaluation.example_pictures import ExampleReader
from tf_unseen_pose.imaging.image_files import to_uint8
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.known_skeletons import BODY, PERSON, person_joints
from tf_unseen_pose.training.run import Run


def test_a_run_renders_what_its_generator_does(dataset, run_path):
    model = Model.open(run_path)
    example = ExampleReader(dataset, model.config).within(EvaluationPair(1, 0, 1, 3))
    run = Run.open(run_path)
    expected = to_uint8(run.load_generator()(example.batch)[0])
    result = model(example)
    assert result.shape == (64, 64, 3) and result.dtype == np.uint8
    assert np.abs(result.astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(result, model(example))
    assert model.deviations is None and model.repose is None


def test_whole_photos_are_what_users_get(dataset, run_path):
    """Both by their own crop of the photo, to the pixel."""
    model = Model.open(run_path, Reposer.of)
    photos = ExampleReader(dataset, model.config).photos(EvaluationPair(1, 0, 1, 3))
    poses = photos.target_joints, photos.source_joints
    result = model.repose(photos.source, *poses)
    assert result.shape == photos.source.shape == (80, 96, 3) and (result != photos.source).any()
    np.testing.assert_array_equal(result, Reposer.load(run_path).synthesize(photos.source, *poses))
    asked = []
    model.repose = lambda photo, *poses: asked.extend(poses)
    more = [person_joints(pose, BODY) + 1 for pose in poses]
    model.limited_to(PERSON).repose(photos.source, *more)
    np.testing.assert_array_equal(asked, np.add(poses, 1))


def test_either_skeletons_poses_serve_a_model(dataset, avatars_dataset, config, run_path, body_model):
    person, body = Model.open(run_path), body_model
    example = ExampleReader(avatars_dataset, config).within(EvaluationPair(0, 0, 0, 2))
    np.testing.assert_array_equal(person(example), person(example.as_of(PERSON)))
    assert (body(example) != body(example.as_of(PERSON))).any()
    np.testing.assert_array_equal(body.limited_to(PERSON)(example), body(example.as_of(PERSON)))
    assert body(ExampleReader(dataset, config).within(EvaluationPair(1, 0, 1, 3))).shape == (64, 64, 3)
    require_same_canvas({"person": person, "body": body})
    chosen = body.limited_to(PERSON).choice(example)
    assert chosen.weights.shape == (32, 32, 15) and (chosen.skeleton, chosen.given) == (BODY, PERSON)
    # Without joints of its own, a hand goes where the forearm goes.
    places = {limb.name: place for limb, place in zip(BODY.limbs, chosen.target_to_source, strict=False)}
    np.testing.assert_array_equal(places["left_hand"], places["left_forearm"])


def test_a_runs_units_of_the_loss_come_along(make_run):
    path = make_run("with-units")
    (path / "feature_deviations.npz").write_bytes(b"")
    assert Model.open(path).deviations == Run.open(path).deviations


def test_only_models_of_one_canvas_are_compared(make_run, run_path):
    one, unet = Model.open(run_path), Model.open(make_run("unet", "model.network=unet"))
    require_same_canvas({"a": one, "b": unet})
    for setting, words in (("model.width=96", "96 x 64"), ("data.crop_factor=1.3", "1.3")):
        other = Model.open(make_run("other", setting))
        with pytest.raises(UserError, match=f"'c' sees .*{words}.*'a' .*64 x 64"):
            require_same_canvas({"a": one, "b": unet, "c": other})


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="no model folder"):
        Model.open(tmp_path / "none")
    with pytest.raises(UserError, match="config.json"):
        Model.open(tmp_path)
