"""Callbacks of training: step counter, progress bar, TensorBoard, checkpoints, and clean stops."""

import math
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.image_files import save_image

Logs = dict[str, float] | None


class StepCounter(keras.callbacks.Callback):
    """Counts batches over the whole run, across `fit` calls and resumptions."""

    def __init__(self, step: int):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.step += 1


class Progress(keras.callbacks.Callback):
    """A progress bar over the whole run, with the losses."""

    def __init__(self, counter: StepCounter, total: int, enabled: bool):
        super().__init__()
        self.counter = counter
        self.bar = tqdm(total=total, initial=counter.step, unit="step", disable=not enabled, mininterval=0.5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.bar.update(1)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.bar.set_postfix({name: f"{value:.3f}" for name, value in (logs or {}).items()})


class Log(keras.callbacks.Callback):
    """Writes losses to TensorBoard, and sample pictures there and to a file, periodically and at the end.

    Args:
        sheet: the file with the newest pictures below each other.
        pictures: a function of no arguments that returns float [N, H, W, 3] in [0, 1].
    """

    def __init__(
        self, counter: StepCounter, folder: str, sheet: Path, sample_every: int, pictures: Callable[[], np.ndarray]
    ):
        super().__init__()
        self.counter = counter
        self.writer = tf.summary.create_file_writer(folder)
        self.sheet = sheet
        self.sample_every = sample_every
        self.pictures = pictures
        self.last_sample = counter.step

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Logs the losses and, when due, pictures.

        Raises:
            UserError: the pictures' file cannot be written.
        """
        with self.writer.as_default(step=self.counter.step):
            for name, value in (logs or {}).items():
                tf.summary.scalar(name, value)
        if self.counter.step - self.last_sample >= self.sample_every:
            self._sample()
        self.writer.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Logs pictures of the last step.

        Raises:
            UserError: the pictures' file cannot be written.
        """
        if self.counter.step > self.last_sample:
            self._sample()
            self.writer.flush()

    def _sample(self):
        self.last_sample = self.counter.step
        pictures = self.pictures()
        with self.writer.as_default(step=self.counter.step):
            tf.summary.image("source, target, result", pictures, max_outputs=16)
        save_image(self.sheet, np.round(255 * np.concatenate([*pictures])).astype(np.uint8))


class Checkpoints(keras.callbacks.Callback):
    """Saves checkpoints periodically and at the end."""

    def __init__(self, counter: StepCounter, every: int, save: Callable[[int], None]):
        super().__init__()
        self.counter = counter
        self.every = every
        self.save = save
        self.last = counter.step

    @property
    def is_due(self) -> bool:
        """Whether the next checkpoint is due."""
        return self.counter.step - self.last >= self.every

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.is_due:
            self._save()

    def on_train_end(self, logs: Logs = None) -> None:
        # Here, since `fit` may return late, and a user who pressed Ctrl-C is waiting.
        if self.counter.step > self.last:
            self._save()

    def _save(self) -> None:
        self.save(self.counter.step)
        self.last = self.counter.step


class Finite(keras.callbacks.Callback):
    """Ends training at the first loss that is not finite, and before weights are saved that are not finite.

    Only the batch of such a step is saved. A finite loss may have a gradient that is not finite, which the loss shows
    one step too late. List this callback before the checkpoints.

    Args:
        save_batch: writes the batch of a step and returns the file's path.
        weights_are_finite: checks everything that a checkpoint holds.

    Raises:
        UserError: while training, a loss or a weight is not finite.
    """

    def __init__(
        self,
        counter: StepCounter,
        checkpoints: Checkpoints,
        save_batch: Callable[[int], Path],
        weights_are_finite: Callable[[], bool],
    ):
        super().__init__()
        self.counter, self.checkpoints, self.save_batch = counter, checkpoints, save_batch
        self.weights_are_finite = weights_are_finite

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise self._stop(f"The loss '{name}' is {value} at step {self.counter.step - 1}")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.checkpoints.is_due:
            self._check_weights()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.counter.step > self.checkpoints.last:
            self._check_weights()

    def _check_weights(self) -> None:
        if not self.weights_are_finite():
            raise self._stop(f"The weights are not finite after step {self.counter.step - 1}")

    def _stop(self, fact: str) -> UserError:
        last = self.checkpoints.last
        kept = f"the checkpoint of step {last} is kept" if last else "there is no checkpoint yet"
        batch = self.save_batch(self.counter.step - 1)
        return UserError(
            f"{fact}; {kept} and the batch is in {batch}: lower the stage's learning_rate and train again."
        )


class GracefulStop(keras.callbacks.Callback):
    """Ends training after the current step: on Ctrl-C, on SIGTERM, or when the time is up.

    A second Ctrl-C interrupts at once.

    Args:
        agree: with several processes: whether any of them wishes to stop, asked at the end of an epoch, so that all
            stop after the same step.
    """

    def __init__(self, max_minutes: float | None = None, agree: Callable[[bool], bool] | None = None):
        super().__init__()
        self._agree, self._agreed = agree, False
        self._deadline = math.inf if max_minutes is None else time.monotonic() + 60 * max_minutes
        self._signalled = False

    @property
    def requested(self) -> bool:
        """Whether training must end; with several processes, whether they agreed to end it."""
        return self._agreed if self._agree else self._wished

    @property
    def _wished(self) -> bool:
        return self._signalled or time.monotonic() > self._deadline

    def __enter__(self) -> Self:
        # Only the main thread receives signals.
        main = threading.current_thread() is threading.main_thread()
        numbers = (signal.SIGINT, signal.SIGTERM) if main else ()
        self._previous = {number: signal.signal(number, self._stop) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame: object) -> None:
        self._signalled = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.requested:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self._agree:
            self._agreed = self._agree(self._wished)
            self.model.stop_training = self._agreed
