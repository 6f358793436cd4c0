"""A run is bound to its settings and its data: what it refuses, what it keeps."""

import shutil
from dataclasses import replace

import pytest
from short_training import settings, stages

from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import PERSON, SKELETONS, register_skeleton
from tf_unseen_pose.training.fit import train
from tf_unseen_pose.training.run import Run


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory, dataset_path):
    """A run of one step; not to be changed."""
    folder = tmp_path_factory.mktemp("once") / "run"
    return train(dataset_path, folder, settings("train.stages.0.steps=1"), progress=False)


@pytest.fixture
def run_of_one_step(trained_once, tmp_path):
    """A copy of it."""
    return Run.open(shutil.copytree(trained_once.path, tmp_path / "run"))


def test_a_run_refuses_other_settings_and_other_folders(tmp_path, dataset_path, run_of_one_step):
    with pytest.raises(UserError, match="was begun with train.seed=0, not 3"):
        train(dataset_path, run_of_one_step.path, settings("train.seed=3"), progress=False)
    with pytest.raises(UserError, match="has taken 1 step by train.stages.0"):
        train(dataset_path, run_of_one_step.path, settings("train.stages.0.learning_rate=0.1"), progress=False)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "holiday.txt").write_text("mine")
    with pytest.raises(UserError, match="is not a run"):
        train(dataset_path, tmp_path / "full", settings("train.stages.0.steps=1"), progress=False)
    with pytest.raises(UserError, match="dataset"):
        train(tmp_path / "none", tmp_path / "new", settings("train.stages.0.steps=1"), progress=False)


def test_a_failed_beginning_does_not_bind_the_run_to_its_settings(tmp_path, dataset_path):
    where = tmp_path / "run"
    missing = settings("train.stages.0.loss=vgg", f"loss.features_weights={tmp_path / 'none.h5'}")
    with pytest.raises(UserError, match="no weights file"):
        train(dataset_path, where, missing, progress=False)
    assert train(dataset_path, where, settings("train.stages.0.steps=1"), progress=False).weights.is_file()


def test_a_run_refuses_other_data(tmp_path, run_of_one_step):
    other = tmp_path / "other"
    prepare([], other, Options("synthetic", clips=1, frames=4, size=64, seed=4), progress=False)
    with pytest.raises(UserError, match="was trained on other data .*than .*other holds now.*--init"):
        train(other, run_of_one_step.path, settings("train.stages.0.steps=2"), progress=False)


def test_weights_that_were_not_trained_there_are_kept(dataset_path, run_of_one_step):
    """Imported ones, for example, are no beginning of a training that could be resumed."""
    run = run_of_one_step
    shutil.rmtree(run.checkpoints)
    (run.path / "data.json").unlink()
    before = run.weights.read_bytes()
    with pytest.raises(UserError, match="weights that were not trained there.*--init"):
        train(dataset_path, run.path, settings("train.stages.0.steps=2"), progress=False)
    (run.path / "data.json").write_text("{")
    with pytest.raises(UserError, match="data.json is damaged"):
        train(dataset_path, run.path, settings("train.stages.0.steps=2"), progress=False)
    assert run.weights.read_bytes() == before


def test_what_was_done_cannot_be_changed(tmp_path, dataset_path):
    run = tmp_path / "run"
    train(dataset_path, run, settings(stages("steps: 2", "steps: 2")), progress=False)
    for changed in (("steps: 1", "steps: 2"), ("steps: 2, learning_rate: 0.1", "steps: 2"), ("steps: 2",)):
        with pytest.raises(UserError, match="has taken 4 steps by train.stages"):
            train(dataset_path, run, settings(stages(*changed)), progress=False)
    assert train(dataset_path, run, settings(stages("steps: 2", "steps: 3")), progress=False).steps_done == 5


def test_a_run_carries_its_skeleton(tmp_path, refuses, only_known_here):
    walker = register_skeleton(replace(PERSON, name="walker"))
    path = Run.create(tmp_path / "run", settings("model.skeleton=walker")).path
    del SKELETONS["walker"]
    assert Run.open(path).config.model.body == walker
    SKELETONS["walker"] = replace(walker, root="head")
    refuses(lambda: Run.open(path), "another skeleton 'walker'")
    (path / "skeleton.json").write_text("{}")
    refuses(lambda: Run.open(path), path / "skeleton.json", "damaged")
