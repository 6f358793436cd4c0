"""Training as users run it: on a dataset, into a run directory, interrupted and resumed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from short_training import assert_same_weights, settings, stages, untrained, weights_of
from small_networks import CANVAS_32, TINY

from tf_unseen_pose.data.pairs import evaluation_pair, pair_batches
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.training.fit import train
from tf_unseen_pose.training.replicas import training_strategy
from tf_unseen_pose.training.run import Run

ROOT = Path(__file__).parents[2]


def test_stages_are_resumed_as_if_nothing_had_happened(tmp_path, dataset_path, vgg19_settings):
    """Both networks, both optimizers, the average and the stream of examples go on; what came first has no GAN."""

    def run(name, steps):
        stages = f"[{{loss: vgg, steps: 2}}, {{loss: vgg_gan, steps: {steps}, discriminator_first: 1}}]"
        config = settings(*vgg19_settings, *CANVAS_32, f"train.stages={stages}")
        return train(dataset_path, tmp_path / name, config, progress=False)

    run("parts", 2)
    whole, parts = run("whole", 4), run("parts", 4)
    assert whole.steps_done == parts.steps_done == 6
    assert_same_weights(weights_of(whole), weights_of(parts), atol=1e-5)


def test_a_stage_that_is_added_has_its_learning_rate(tmp_path, dataset_path):
    slow, fast = "steps: 2, learning_rate: 1.0e-9", "steps: 3, learning_rate: 0.003"
    first = train(dataset_path, tmp_path / "run", settings(stages(slow), "train.average=0"), progress=False)
    begun = weights_of(first)
    assert_same_weights(begun, untrained(settings()), atol=1e-6)
    both = train(dataset_path, tmp_path / "run", settings(stages(slow, fast), "train.average=0"), progress=False)
    assert max(np.abs(a - b).max() for a, b in zip(begun, weights_of(both), strict=True)) > 1e-3


@pytest.mark.older_stack
def test_killed_and_begun_again_ends_like_an_undisturbed_run(tmp_path, dataset_path):
    # Adam would blow up the rounding errors that differ from run to run; its state is resumed in the test above.
    plain = ["train.batch_size=2", "train.log_every=5", "train.checkpoint_every=5"]
    plain += ["train.optimizer=sgd", "train.stages.0.learning_rate=0.02"]
    killed = tmp_path / "killed"
    command = [sys.executable, "-m", "tf_unseen_pose", "train", "--config", "tiny"]
    command += ["--data", str(dataset_path), "--run", str(killed)]
    command += [f"--set={setting}" for setting in (*TINY, *plain, "train.stages.0.steps=100000")]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (killed / "checkpoints" / "checkpoint").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)  # somewhere between two checkpoints
    process.send_signal(signal.SIGKILL)
    process.wait()
    state = tf.train.get_checkpoint_state(str(killed / "checkpoints"))
    reached = int(state.model_checkpoint_path.rsplit("-", 1)[1])
    config = settings(*plain, f"train.stages.0.steps={reached + 10}")
    resumed = train(dataset_path, killed, config, progress=False)
    undisturbed = train(dataset_path, tmp_path / "undisturbed", config, progress=False)
    assert_same_weights(weights_of(resumed), weights_of(undisturbed), atol=1e-5)


@pytest.mark.older_stack
def test_ctrl_c_saves_and_a_run_can_go_on(tmp_path, dataset_path):
    config = settings("train.stages.0.steps=100000", "train.checkpoint_every=100000")
    run_path = tmp_path / "run"

    # From outside, as a terminal would send it, once the first losses have been logged.
    script = f"""
import os, pathlib, signal, time
logs = pathlib.Path({str(run_path / "logs")!r})
for _ in range(1800):
    if logs.is_dir() and any(file.stat().st_size > 200 for file in logs.iterdir()):
        os.kill({os.getpid()}, signal.SIGINT)
        break
    time.sleep(0.1)
"""
    helper = subprocess.Popen([sys.executable, "-c", script])
    run = train(dataset_path, run_path, config, progress=False)
    helper.wait()
    state = tf.train.get_checkpoint_state(str(run.checkpoints))
    reached = int(state.model_checkpoint_path.rsplit("-", 1)[1])
    assert 0 < reached < 100000
    assert run.load_generator() is not None


def test_a_batch_must_divide_among_the_devices(tmp_path, dataset_path):
    odd = settings("train.stages.0.steps=2", "train.batch_size=3")
    with pytest.raises(UserError, match="no multiple of 2, the devices"):
        train(dataset_path, tmp_path / "odd", odd, training_strategy(["CPU:0", "CPU:1"]), progress=False)


def test_logs_hold_losses_and_the_run_its_newest_sample_pictures(tmp_path, dataset_path):
    def pictures(steps):
        config = settings(f"train.stages.0.steps={steps}", "train.sample_every=3")
        run = train(dataset_path, tmp_path / "run", config, progress=False)
        # One below the other, those of both clips: source, target, result.
        return run, *np.split(load_image(run.samples).reshape(2, 64, 3 * 64, 3), 3, axis=2)

    _, source, target, first = pictures(3)
    pair = evaluation_pair(ClipDataset.open(dataset_path), settings(), 1, 0, 4)
    for shown, expected in ((source, pair["image"]), (target, pair["target_image"])):
        np.testing.assert_allclose(shown[1] / 127.5 - 1, expected[0], atol=1 / 127)
    run, *unchanged, later = pictures(6)
    assert (unchanged[0] == source).all() and (unchanged[1] == target).all() and (later != first).any()
    scalars, logged = {}, 0
    for file in run.logs.iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "images":
                    logged += 1
                    assert [int(text) for text in value.tensor.string_val[:2]] == [3 * 64, 64]
                else:
                    scalars.setdefault(value.tag, []).append(float(tf.make_ndarray(value.tensor)))
    assert logged == 2 and len(scalars["loss"]) == 2
    l1, mask, background = (scalars[name][0] for name in ("l1", "mask", "background"))
    assert scalars["loss"][0] == pytest.approx(l1 + 0.3 * mask + background, rel=1e-4)


def test_a_loss_that_is_not_finite_stops_and_leaves_its_batch(tmp_path, dataset_path):
    wild = settings(
        "train.stages.0.steps=30", "train.optimizer=sgd", "train.stages.0.learning_rate=9.9", "loss.background=1e30"
    )
    with pytest.raises(UserError, match="is .*nan.* at step .*lower the stage's learning_rate|is .*inf.* at step"):
        train(dataset_path, tmp_path / "wild", wild, progress=False)
    assert not (tmp_path / "wild" / "generator.weights.h5").exists()
    (saved,) = (tmp_path / "wild").glob("bad-batch-*.npz")
    step = int(saved.stem.rpartition("-")[2])
    (batch,) = pair_batches(ClipDataset.open(dataset_path), wild, step, steps=1)
    with np.load(saved) as content:
        assert set(content) == set(batch)
        np.testing.assert_array_equal(content["image"], batch["image"])


def test_a_dataset_that_changes_under_training_is_reported_as_such(tmp_path, dataset_path, monkeypatch):
    read, calls = ClipDataset.read, []

    def changing(self, clip, frame):
        calls.append(1)
        if len(calls) > 10:
            raise UserError("shard-00000.tfrecord was changed while it was in use; run 'prepare' again.")
        return read(self, clip, frame)

    monkeypatch.setattr(ClipDataset, "read", changing)
    with pytest.raises(
        UserError, match=r"^shard-00000.tfrecord was changed while it was in use; run 'prepare' again.$"
    ):
        train(dataset_path, tmp_path / "run", settings("train.stages.0.steps=100"), progress=False)


def test_training_starts_from_other_weights(tmp_path, dataset_path):
    keras.utils.set_random_seed(3)
    begun = Run.create(tmp_path / "begun", settings())
    begun.save_weights(build_generator(begun.config.model))
    still = settings("train.stages.0.steps=1", "train.stages.0.learning_rate=1.0e-9", "train.seed=5")
    # A run's folder is taken by the pages' commands.
    tuned = train(dataset_path, tmp_path / "tuned", still, progress=False, init=begun.weights)
    assert_same_weights(weights_of(begun), weights_of(tuned), atol=1e-6)
    with pytest.raises(UserError, match="no weights file .*none.h5"):
        train(dataset_path, tmp_path / "none", still, progress=False, init=tmp_path / "none.h5")


def test_the_weights_of_a_run_are_averaged(tmp_path, dataset_path):
    """With SGD of one step, the average lies 9/10 of the way from the first weights to the last."""
    plain = ["train.optimizer=sgd", "train.stages.0.learning_rate=0.5"]
    last, average = (
        weights_of(train(dataset_path, tmp_path / name, settings(*plain, *more), progress=False))
        for name, *more in (
            ("last", "train.stages.0.steps=1", "train.average=0"),
            ("average", "train.stages.0.steps=1", "train.average=0.99"),
        )
    )
    first = untrained(settings())
    assert max(np.abs(a - b).max() for a, b in zip(first, last, strict=True)) > 1e-3
    for a, b, c in zip(first, last, average, strict=True):
        np.testing.assert_allclose(c, a + 0.9 * (b - a), atol=1e-5)


def test_actions_choose_the_clips(tmp_path, dataset_path):
    actions = {clip.action for clip in ClipDataset.open(dataset_path).clips}
    assert len(actions) == 2
    chosen = settings("train.stages.0.steps=1", f"data.actions=[{actions.pop()}]")
    assert train(dataset_path, tmp_path / "run", chosen, progress=False).steps_done == 1
    with pytest.raises(UserError, match="no clip of the action 'swim'; it has"):
        train(dataset_path, tmp_path / "swim", settings("data.actions=[swim]"), progress=False)
