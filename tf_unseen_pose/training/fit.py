"""`train`: from a dataset and a configuration to a run, resuming where an earlier call stopped.

A step is a pure function of the networks' weights, the optimizers' state and the step's number (the batch is drawn from
it), so a run that was interrupted ends like one that was not.
"""

import functools
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.pairs import evaluation_pair, pair_batches
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError, wrapped_user_error
from tf_unseen_pose.model.perceptual import PerceptualFeatures
from tf_unseen_pose.training import callbacks
from tf_unseen_pose.training.feature_statistics import (
    load_deviations,
    measure_deviations,
    read_authors_deviations,
    save_deviations,
)
from tf_unseen_pose.training.replicas import training_strategy
from tf_unseen_pose.training.run import Run
from tf_unseen_pose.training.trainer import Trainer

# Batches over which the channels' deviations are measured: at 4 pairs each their error is a few per cent.
_STATISTICS_BATCHES = 64
_SAMPLE_PAIRS = 4


def train(
    dataset_path: Path,
    run_path: Path,
    config: Config,
    strategy: tf.distribute.Strategy | None = None,
    progress: bool = True,
) -> Run:
    """Trains until `config.train.steps`, or until Ctrl-C, and leaves a run from which the same call goes on.

    Args:
        strategy: `replicas.training_strategy()` by default.

    Raises:
        UserError: bad dataset, run folder or features; batch not divisible; loss not finite.
    """
    dataset = ClipDataset.open(dataset_path)
    run = Run.create(run_path, config)
    strategy = strategy or training_strategy()
    if config.train.batch_size % strategy.num_replicas_in_sync:
        raise UserError(
            f"train.batch_size={config.train.batch_size} is no multiple of the "
            f"{strategy.num_replicas_in_sync} devices; choose one that is."
        )
    keras.utils.set_random_seed(config.train.seed)  # the networks' first weights
    with strategy.scope():
        features, deviations = _perceptual_parts(run, dataset)
        trainer = Trainer(config, features, deviations)
        trainer.compile()
    saver = _Saver(run, trainer)
    step = saver.restore()
    if step < config.train.steps:
        _fit(run, dataset, trainer, saver, step, progress)
    return run


def _perceptual_parts(run: Run, dataset: ClipDataset):
    """The features that the loss compares and the unit of each channel; None, None for L1."""
    loss = run.config.loss
    if loss.kind == "l1":
        return None, None
    features = PerceptualFeatures(loss.features_weights, loss.features)
    # A call that failed before its first checkpoint may have measured other features.
    if not (run.deviations.is_file() and run.checkpoints.exists()):
        if loss.features_statistics:
            deviations = read_authors_deviations(loss.features_statistics, features.channels)
        else:
            deviations = measure_deviations(features, pair_batches(dataset, run.config), _STATISTICS_BATCHES)
        save_deviations(run.deviations, deviations)
    return features, load_deviations(run.deviations, features.channels)


class _Saver:
    """Checkpoints of everything that resuming needs, and the generator's weights beside them."""

    def __init__(self, run: Run, trainer: Trainer):
        self._run, self._trainer = run, trainer
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        parts = {"step": self._step, "generator": trainer.generator, "generator_optimizer": trainer.generator_optimizer}
        if trainer.adversarial:
            parts.update(discriminator=trainer.discriminator, discriminator_optimizer=trainer.discriminator_optimizer)
        self._manager = tf.train.CheckpointManager(tf.train.Checkpoint(**parts), str(run.checkpoints), max_to_keep=2)

    def restore(self) -> int:
        """Loads the last checkpoint, if there is one; returns the step at which it was written."""
        if self._manager.latest_checkpoint:
            try:
                self._manager.checkpoint.restore(self._manager.latest_checkpoint).assert_existing_objects_matched()
            except (tf.errors.OpError, AssertionError, ValueError) as error:
                name = self._manager.latest_checkpoint
                raise UserError(f"The checkpoint {name} is damaged; delete it to resume from an older one.") from error
        return int(self._step.numpy())

    def save(self, step: int) -> None:
        # In this order: who finds the last step's checkpoint can rely on the weights.
        self._run.save_weights(self._trainer.generator)
        self._step.assign(step)
        try:
            self._manager.save(checkpoint_number=step)
        except tf.errors.OpError as error:
            raise UserError(
                f"The checkpoint of step {step} could not be written to {self._run.checkpoints}: {error.message}; "
                "free space and resume."
            ) from error


def _fit(run, dataset, trainer, saver, step, progress):
    schedule = run.config.train
    counter = callbacks.StepCounter(step)
    checkpoints = callbacks.Checkpoints(counter, schedule.checkpoint_every, saver.save)
    bar = callbacks.Progress(counter, schedule.steps, progress)
    pictures = functools.partial(_sample_pictures, trainer, dataset, run.config)
    log = callbacks.Log(counter, str(run.logs), schedule.sample_every, pictures)
    with callbacks.GracefulStop(schedule.max_minutes) as stop, bar:
        for until, discriminator_only in _phases(run.config):
            trainer.discriminator_only = discriminator_only
            while counter.step < until and not stop.requested:
                # Whole logging periods in one call, then what is left of the phase.
                period = min(schedule.log_every, until - counter.step)
                _run_epochs(
                    trainer,
                    pair_batches(dataset, run.config, counter.step),
                    epochs=(until - counter.step) // period,
                    steps_per_epoch=period,
                    callbacks=[counter, bar, log, checkpoints, stop],
                )


def _run_epochs(trainer, batches, **options):
    try:
        trainer.fit(batches, verbose=0, shuffle=False, **options)
    except tf.errors.OpError as error:
        if (plain := wrapped_user_error(error)) is None:
            raise
        raise plain from error


def _phases(config: Config):
    """(last step, discriminator only?) of each phase."""
    first = min(config.train.discriminator_first, config.train.steps) if config.loss.kind == "vgg_gan" else 0
    return [(first, True), (config.train.steps, False)]


def _sample_pictures(trainer, dataset, config):
    """A few pairs, fixed by their number: source, target, result side by side; float [N, H, 3 W, 3] in [0, 1]."""
    rows = []
    for clip in range(min(_SAMPLE_PAIRS, len(dataset.clips))):
        pair = evaluation_pair(dataset, config, clip, 0, len(dataset.clips[clip].frames) // 2)
        result = trainer.generator(pair)
        rows.append(np.concatenate([pair["image"][0], pair["target_image"][0], result[0]], axis=1))
    return np.clip(np.stack(rows) / 2 + 0.5, 0, 1)
