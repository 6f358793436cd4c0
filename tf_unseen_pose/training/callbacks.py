"""What happens beside the steps: counting, the progress bar, TensorBoard, checkpoints, and stopping well."""

import math
import signal
import threading
import time

import keras
import tensorflow as tf
from tqdm import tqdm

from tf_unseen_pose.errors import UserError


class StepCounter(keras.callbacks.Callback):
    """Counts batches over the whole run, across `fit` calls and resumptions."""

    def __init__(self, step: int):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1


class Progress(keras.callbacks.Callback):
    """A bar over the whole run with the losses beside it."""

    def __init__(self, counter: StepCounter, total: int, enabled: bool):
        super().__init__()
        self.counter = counter
        self.bar = tqdm(total=total, initial=counter.step, unit="step", disable=not enabled, mininterval=0.5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bar.close()

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(1)

    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix({name: f"{value:.3f}" for name, value in (logs or {}).items()})


class Log(keras.callbacks.Callback):
    """Losses to TensorBoard, and sample pictures every so many steps.

    Args:
        pictures: a function of no arguments that returns float [N, H, W, 3] in [0, 1].
    """

    def __init__(self, counter: StepCounter, folder: str, sample_every: int, pictures):
        super().__init__()
        self.counter = counter
        self.writer = tf.summary.create_file_writer(folder)
        self.sample_every = sample_every
        self.pictures = pictures
        self.last_sample = counter.step

    def on_epoch_end(self, epoch, logs=None):
        with self.writer.as_default(step=self.counter.step):
            for name, value in (logs or {}).items():
                tf.summary.scalar(name, value)
            if self.counter.step - self.last_sample >= self.sample_every:
                self.last_sample = self.counter.step
                tf.summary.image("source, target, result", self.pictures(), max_outputs=16)
        self.writer.flush()


class Checkpoints(keras.callbacks.Callback):
    """Saves every so many steps and at the end; never a state that holds a loss that is not finite."""

    def __init__(self, counter: StepCounter, every: int, save):
        super().__init__()
        self.counter = counter
        self.every = every
        self.save = save
        self.last = counter.step

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise UserError(
                    f"The loss '{name}' is {value} at step {self.counter.step}; the checkpoint of step {self.last} is "
                    "kept: lower train.learning_rate and resume."
                )
        if self.counter.step - self.last >= self.every:
            self._save()

    def on_train_end(self, logs=None):
        # Here and not after `fit`, which may take its time to return: a user who pressed Ctrl-C is waiting.
        if self.counter.step > self.last:
            self._save()

    def _save(self):
        self.save(self.counter.step)
        self.last = self.counter.step


class GracefulStop(keras.callbacks.Callback):
    """Ends training after the step that is under way: on Ctrl-C, on SIGTERM, or when the time is up.

    A second Ctrl-C interrupts at once.
    """

    def __init__(self, max_minutes: float | None = None):
        super().__init__()
        self._deadline = math.inf if max_minutes is None else time.monotonic() + 60 * max_minutes
        self._signalled = False

    @property
    def requested(self) -> bool:
        return self._signalled or time.monotonic() > self._deadline

    def __enter__(self):
        # Python hands signals to the main thread alone; elsewhere there is nothing to catch.
        main = threading.current_thread() is threading.main_thread()
        numbers = (signal.SIGINT, signal.SIGTERM) if main else ()
        self._previous = {number: signal.signal(number, self._stop) for number in numbers}
        return self

    def __exit__(self, *_):
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _stop(self, number, frame):
        self._signalled = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def on_train_batch_end(self, batch, logs=None):
        if self.requested:
            self.model.stop_training = True
