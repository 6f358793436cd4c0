"""`train`: from a dataset and a configuration to a run, resuming an earlier call.

A step is a pure function of the weights, the optimizers' state and the step's number, which determines the batch, so an
interrupted run ends like an uninterrupted one.
"""

import contextlib
import functools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_unseen_pose.compat import layer_precision
from tf_unseen_pose.config import Config, StageConfig
from tf_unseen_pose.data.pairs import Share, evaluation_pair, expanded, pair_batches
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError, wrapped_user_error
from tf_unseen_pose.files import replacing
from tf_unseen_pose.locks import at_work
from tf_unseen_pose.model.perceptual import PerceptualFeatures
from tf_unseen_pose.model.weights import load_weights
from tf_unseen_pose.training import callbacks
from tf_unseen_pose.training.feature_statistics import (
    load_deviations,
    measure_deviations,
    read_authors_deviations,
    save_deviations,
)
from tf_unseen_pose.training.replicas import (
    anybody,
    distributed,
    is_chief,
    lost_worker,
    spans_machines,
    training_strategy,
)
from tf_unseen_pose.training.run import Run
from tf_unseen_pose.training.saving import Saver
from tf_unseen_pose.training.trainer import Trainer, compared_part
from tf_unseen_pose.words import counted

_log = logging.getLogger(__name__)

# Batches for measuring the channels' deviations; with 4 pairs each, the error is a few per cent.
_STATISTICS_BATCHES = 64
_SAMPLE_PAIRS = 4


def train(
    dataset_path: Path,
    run_path: Path,
    config: Config,
    strategy: tf.distribute.Strategy | None = None,
    progress: bool = True,
    init: Path | None = None,
) -> Run:
    """Trains through all stages of `config.train`, or until Ctrl-C; the same call resumes the run.

    Args:
        strategy: `replicas.training_strategy()` by default.
        init: a run or weights file to start from; ignored if the run has a checkpoint.

    Raises:
        UserError: bad dataset, run folder, features or initial weights; batch not divisible; loss or weights not
            finite; another process uses the run's folder.

    Example:
        >>> from pathlib import Path
        >>> from tf_unseen_pose import load_config, train
        >>> from tf_unseen_pose.data.plan import Options
        >>> from tf_unseen_pose.data.prepare import prepare
        >>> drawn = prepare([], Path("data"), Options("synthetic", clips=1, frames=3, size=64), progress=False)
        >>> config = load_config("tiny", ["model.network=unet", "train.stages=[{loss: l1, steps: 2}]"])
        >>> train(Path("data"), Path("runs/drawn"), config, progress=False).steps_done
        2
    """
    strategy = strategy or training_strategy()
    parts = strategy.num_replicas_in_sync * config.train.accumulate
    if config.train.batch_size % parts:
        raise UserError(
            f"train.batch_size={config.train.batch_size} is no multiple of {parts}, the devices times "
            "train.accumulate; choose one that is."
        )
    dataset = ClipDataset.open(dataset_path)
    # On several machines only one process writes.
    with at_work(run_path) if is_chief(strategy) else contextlib.nullcontext():
        return _train(dataset, run_path, config, strategy, progress, init)


def _train(
    dataset: ClipDataset,
    run_path: Path,
    config: Config,
    strategy: tf.distribute.Strategy,
    progress: bool,
    init: Path | None,
) -> Run:
    chief = is_chief(strategy)
    run = Run.create(run_path, config, dataset, writes=chief)
    keras.utils.set_random_seed(config.train.seed)  # the networks' initial weights
    with strategy.scope():
        trainer = Trainer(config, *_perceptual_parts(run, dataset, chief))
        if init:
            load_weights(trainer.generator, Run.open(init).weights if init.is_dir() else init)
        trainer.compile()
    saver = Saver(run, trainer, writes=chief)
    step = saver.restore()
    _log.info(
        "Step %d of %d; %s, %s.",
        step, config.train.steps,
        counted(strategy.num_replicas_in_sync, "replica"), counted(len(dataset.clips), "clip"),
    )  # fmt: skip
    if step < config.train.steps:
        _fit(run, dataset, trainer, saver, strategy, step, progress and chief)
    return run


def _perceptual_parts(
    run: Run, dataset: ClipDataset, writes: bool
) -> tuple[PerceptualFeatures, list[np.ndarray]] | tuple[None, None]:
    """The features of the loss and the unit of each channel; None, None if all stages are L1."""
    loss, precision = run.config.loss, run.config.train.precision
    if run.config.train.losses == {"l1"}:
        return None, None
    with layer_precision(precision):
        features = PerceptualFeatures(loss.features_weights, loss.features)
    # A call that failed before its first checkpoint may have measured other features.
    if run.deviations.is_file() and run.checkpoints.exists():
        return features, load_deviations(run.deviations, features.channels)
    if loss.features_statistics:
        deviations = read_authors_deviations(loss.features_statistics, features.channels)
    else:
        batches = (expanded(batch, run.config) for batch in pair_batches(dataset, run.config))
        targets = ({"target_image": compared_part(batch["target_image"], batch, run.config)} for batch in batches)
        deviations = measure_deviations(features, targets, _STATISTICS_BATCHES)
    if writes:
        save_deviations(run.deviations, deviations)
    return features, deviations


def _fit(
    run: Run,
    dataset: ClipDataset,
    trainer: Trainer,
    saver: Saver,
    strategy: tf.distribute.Strategy,
    step: int,
    progress: bool,
) -> None:
    schedule = run.config.train
    counter = callbacks.StepCounter(step)
    checkpoints = callbacks.Checkpoints(counter, schedule.checkpoint_every, saver.save)
    save_batch = functools.partial(_save_batch, run, dataset)
    guard = callbacks.Finite(counter, checkpoints, save_batch, saver.is_finite)
    bar = callbacks.Progress(counter, schedule.steps, progress)
    agree = functools.partial(anybody, strategy) if spans_machines(strategy) else None
    # Pictures, which take time, come after saving.
    listeners = [counter, guard, bar, checkpoints]
    if is_chief(strategy):
        pictures = functools.partial(_sample_pictures, trainer, dataset, run.config)
        listeners += [callbacks.Log(counter, str(run.logs), run.samples, schedule.sample_every, pictures)]
    with callbacks.GracefulStop(schedule.max_minutes, agree) as stop, bar:
        for until, stage, discriminator_only in phases(run.config):
            if counter.step >= until or stop.requested:
                continue
            with strategy.scope():
                trainer.begin(stage, discriminator_only)
            while counter.step < until and not stop.requested:
                # Whole logging periods in one call, then the rest of the phase.
                period = min(schedule.log_every, until - counter.step)
                _run_epochs(
                    trainer,
                    distributed(strategy, functools.partial(_share_of_batches, dataset, run.config, counter.step)),
                    epochs=(until - counter.step) // period,
                    steps_per_epoch=period,
                    callbacks=[*listeners, stop],
                )


def _share_of_batches(dataset: ClipDataset, config: Config, first_step: int, share: Share) -> tf.data.Dataset:
    return pair_batches(dataset, config, first_step, share=share)


def _run_epochs(trainer: Trainer, batches: tf.data.Dataset | tf.distribute.DistributedDataset, **options: Any) -> None:
    try:
        trainer.fit(batches, verbose=0, shuffle=False, **options)
    except tf.errors.OpError as error:
        if (plain := wrapped_user_error(error) or lost_worker(error)) is None:
            raise
        raise plain from error


def phases(config: Config) -> Iterator[tuple[int, StageConfig, bool]]:
    """Last step, stage, and whether only the discriminator learns, of each phase."""
    step = 0
    for stage in config.train.stages:
        first = min(stage.discriminator_first, stage.steps) if stage.loss == "vgg_gan" else 0
        if first:
            yield step + first, stage, True
        step += stage.steps
        yield step, stage, False


def _save_batch(run: Run, dataset: ClipDataset, step: int) -> Path:
    """Writes the batch of a step for inspection."""
    (batch,) = pair_batches(dataset, run.config, step, steps=1)
    path = run.path / f"bad-batch-{step}.npz"
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **{name: value.numpy() for name, value in batch.items()})
    return path


def _sample_pictures(trainer: Trainer, dataset: ClipDataset, config: Config) -> np.ndarray:
    """A few fixed pairs: source, target, result side by side; float [N, H, 3 W, 3] in [0, 1]."""
    rows = []
    with trainer.average.applied():
        for clip in range(min(_SAMPLE_PAIRS, len(dataset.clips))):
            pair = evaluation_pair(dataset, config, clip, 0, len(dataset.clips[clip].frames) // 2)
            result = trainer.generator(pair)
            rows.append(np.concatenate([pair["image"][0], pair["target_image"][0], result[0]], axis=1))
    return np.clip(np.stack(rows) / 2 + 0.5, 0, 1)
