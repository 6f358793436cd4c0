from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.data.plan import Options as DatasetOptions
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation import metrics, perceptual_units
from tf_unseen_pose.evaluation.compared_models import Model
from tf_unseen_pose.evaluation.evaluate import Options, evaluate
from tf_unseen_pose.evaluation.limb_choice import measure_choice
from tf_unseen_pose.evaluation.photo_metrics import sharpness
from tf_unseen_pose.known_skeletons import BODY, GOLF
from tf_unseen_pose.training.feature_statistics import save_deviations


def test_every_method_is_measured_on_the_same_pairs(evaluation):
    table = evaluation.within
    assert table.methods == ("judged", "copy", "warp", "target") and len(table.samples) == 7
    assert set(table.clips) == {1, 2, 3} and set(table.actions) == {"kick", "wave"}
    assert not any(key.startswith(("vgg", "pckh", "found")) for key in table.values)
    for i, pair in enumerate(table.samples):
        example = evaluation.reader.within(pair)
        results = evaluation.render(example)
        for method, result in results.items():
            expected = metrics.psnr(example.target, result, example.target_mask)
            assert table.column("psnr_inside", method)[i] == pytest.approx(expected)
    assert (table.column("background", "copy") == 0).all()
    for i, pair in enumerate(table.samples):
        photos = evaluation.reader.photos(pair)
        results = {
            "judged": evaluation.models["judged"].repose(photos.source, photos.target_joints, photos.source_joints)
        }
        for method, result in (results | {"copy": photos.source}).items():
            expected = sharpness(result, photos.target, photos.target_mask)
            assert table.column("sharpness", method)[i] == pytest.approx(expected)
    assert (table.column("own_psnr", "copy") == 100).all() and (table.column("own_change", "copy") == 0).all()
    assert np.isnan(table.column("hole_error", "warp")).all() and evaluation.unplaced == 0
    # Limbs that are moved are nearer to the truth than limbs that stay; an untrained network is nowhere near.
    scores = {method: table.column("ssim_inside", method).mean() for method in table.methods[:3]}
    assert scores["warp"] > scores["copy"] > scores["judged"]
    assert evaluation.drawn_masks == sum(pair.source_clip == 3 for pair in table.samples) > 0
    assert set(evaluation.seconds) == {"judged", "copy", "warp"} and evaluation.seconds["judged"] > 0


def test_sequences_and_other_actions(evaluation):
    # The clip of stills has none.
    assert evaluation.sequences.clips.tolist() == [1, 2]
    assert list(evaluation.sequences.values) == ["flicker", "flicker_inside", "flicker_outside"]
    examples = list(evaluation.reader.sequence(evaluation.sequences.samples[0]))
    moves = [
        np.abs(metrics.difference(b.target, a.target)).mean() for a, b in zip(examples, examples[1:], strict=False)
    ]
    assert evaluation.sequences.column("flicker", "copy")[0] == pytest.approx(np.mean(moves), rel=1e-5)
    across = evaluation.across
    assert list(across.values) == ["background"] and len(across.samples) == 7
    assert (across.column("background", "judged") > 0).all()


def test_models_of_either_skeleton_on_rendered_people(avatars_dataset, run_path, body_model):
    models = {"body": body_model, "person": Model.open(run_path)}
    found = evaluate(avatars_dataset, models, Options(split="train", pairs=1, poses=False), progress=False)
    (pair,) = found.within.samples
    example = found.reader.within(pair)
    expected = measure_choice(body_model.choice(example), example.target_limbs, BODY)
    assert set(expected) == {"choice", "fine_choice"}
    for key, value in expected.items():
        np.testing.assert_array_equal(found.within.values[key], [[value, np.nan, np.nan, np.nan, np.nan]])
    # Of a model that does not choose there is no such number; limbs lie where the person is.
    assert models["person"].choice(example) is None
    assert (example.target_limbs > 0)[example.target_mask > 0.9].mean() > 0.9


class TwoMaps:
    """Stands for the VGG."""

    channels, network = [3, 2], "vgg19"

    def __init__(self, weights):
        self.weights = weights

    def __call__(self, images):
        return [images, tf.nn.avg_pool2d(images, 2, 2, "VALID")[..., :2]]


def test_the_vgg_errors_units(dataset, run_path, tmp_path, monkeypatch):
    monkeypatch.setattr(perceptual_units, "PerceptualFeatures", TwoMaps)
    model = Model.open(run_path)
    options = Options(pairs=2, poses=False, features_weights=tmp_path / "vgg.h5")
    measured = evaluate(dataset, {"model": model}, options, progress=False)
    assert "measured on 20 frames" in measured.perceptual and "the run has none" in measured.perceptual
    save_deviations(tmp_path / "own.npz", [np.float32([9, 9, 9]), np.float32([9, 9])])
    model.deviations = tmp_path / "own.npz"
    own = evaluate(dataset, {"model": model}, options, progress=False)
    assert "those of the run" in own.perceptual and "measured" not in own.perceptual
    # Pictures in -1..1 deviate by about 0.5.
    assert (own.within.values["vgg"][:, :3] < 0.2 * measured.within.values["vgg"][:, :3]).all()
    assert (own.within.values["vgg"][:, :3] > 0).all()
    save_deviations(tmp_path / "own.npz", [np.float32([9, 9, 9, 9])])
    other = evaluate(dataset, {"model": model}, options, progress=False)
    assert "those of the run do not serve" in other.perceptual and "belongs to other features" in other.perceptual
    np.testing.assert_array_equal(other.within.values["vgg"], measured.within.values["vgg"])


def test_without_weights_it_is_said_why(dataset, run_path, evaluation, tmp_path):
    assert "--features-weights" in evaluation.perceptual
    model = Model.open(run_path)
    loss = model.config.loss.model_copy(update={"features_weights": tmp_path / "gone.h5"})
    model.config = model.config.model_copy(update={"loss": loss})
    gone = evaluate(dataset, {"model": model}, Options(pairs=1, poses=False), progress=False)
    assert "gone.h5" in gone.perceptual and "vgg" not in gone.within.values
    with pytest.raises(UserError, match="no weights file"):
        options = Options(pairs=1, poses=False, features_weights=tmp_path / "none.h5")
        evaluate(dataset, {"model": model}, options, progress=False)


def test_poses_are_those_of_the_results(make_run, tmp_path, has_model):
    prepare([], tmp_path / "set", DatasetOptions("synthetic", clips=1, frames=3, size=192, seed=3), progress=False)
    model = Model.open(make_run("larger", "model.height=128", "model.width=128"))
    table = evaluate(
        ClipDataset.open(tmp_path / "set"), {"model": model}, Options(split="train", pairs=4), progress=False
    ).within
    # The detector knows drawn people well enough in photographs; an untrained network draws nobody.
    assert table.column("found", "target").mean() >= 0.5 and table.column("found", "model").sum() == 0
    assert (table.column("pckh", "model") == 0).all() and np.isnan(table.column("joint_error", "model")).all()
    assert np.nanmax(table.column("pckh", "target")) > 0.6
    assert np.nanmin(table.column("joint_error", "target")) < 6
    assert np.isnan(table.column("ssim", "target")).all()


def test_what_cannot_be_evaluated_is_refused(dataset, run_path, make_run):
    model = Model.open(run_path)
    with pytest.raises(UserError, match="'warp' is the name of a built-in column"):
        evaluate(dataset, {"model": model, "warp": model}, Options(), progress=False)
    alone = SimpleNamespace(path=dataset.path, clips=dataset.clips[:1], skeleton=dataset.skeleton)
    with pytest.raises(UserError, match="no clip for validation"):
        evaluate(alone, {"model": model}, Options(), progress=False)
    with pytest.raises(UserError, match="--across needs two"):
        evaluate(alone, {"model": model}, Options(split="train", across=True), progress=False)
    other = Model.open(make_run("golf", "model.skeleton=golf"))
    with pytest.raises(UserError, match="joints of 'person', the model those of 'golf'"):
        evaluate(dataset, {"model": model, "other": other}, Options(), progress=False)
    swings = SimpleNamespace(path="swings", skeleton=GOLF, clips=dataset.clips, as_of=lambda skeleton: None)
    with pytest.raises(UserError, match="swings has the joints of 'golf', and --joints 14 is for those of people"):
        evaluate(swings, {"model": other}, Options(joints="14"), progress=False)
