"""Checkpoints for resuming, and the generator's averaged weights beside them."""

from pathlib import Path

import tensorflow as tf

from tf_unseen_pose.compat import tensorflow_variable
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing
from tf_unseen_pose.training.run import Run
from tf_unseen_pose.training.trainer import Trainer


class Saver:
    """Saves and restores a training.

    Args:
        writes: whether this process writes.
    """

    def __init__(self, run: Run, trainer: Trainer, writes: bool = True):
        self._run, self._trainer, self._writes = run, trainer, writes
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._parts = {
            "generator": trainer.generator, "generator_optimizer": trainer.generator_optimizer,
            "average": trainer.average, "step": self._step,
        }  # fmt: skip
        self._adversaries = {}
        if trainer.adversarial:
            self._adversaries = {
                "discriminator": trainer.discriminator, "discriminator_optimizer": trainer.discriminator_optimizer
            }  # fmt: skip
        checkpoint = tf.train.Checkpoint(**self._parts, **self._adversaries)
        # Created now: within `fit` it would be a variable of all machines, and saving would wait for the others.
        _ = checkpoint.save_counter
        if writes:
            _forget_deleted(run)
        self._manager = tf.train.CheckpointManager(checkpoint, str(run.checkpoints), max_to_keep=2)

    def restore(self) -> int:
        """Loads the last checkpoint, if any; returns its step.

        If it has no discriminator, since the adversarial stage is new, the discriminator starts fresh.

        Raises:
            UserError: it is damaged; the message says what to delete to resume from the one before.
        """
        if names := list(self._run.saved_checkpoints.values()):
            name = names[-1]
            try:
                checkpoint = self._manager.checkpoint
                if self._adversaries and not _has(name, "discriminator"):
                    checkpoint = tf.train.Checkpoint(**self._parts)
                checkpoint.restore(name).assert_existing_objects_matched()
            except (tf.errors.OpError, AssertionError, ValueError, LookupError) as error:
                raise UserError(_way_out(name, names)) from error
        return int(self._step.numpy())

    def is_finite(self) -> bool:
        """Whether everything to be saved is finite."""
        parts = (*self._parts.values(), *self._adversaries.values())
        variables = [variable for part in parts for variable in getattr(part, "variables", [])]
        values = (tf.convert_to_tensor(tensorflow_variable(variable)) for variable in variables)
        return all(bool(tf.reduce_all(tf.math.is_finite(value))) for value in values if value.dtype.is_floating)

    def save(self, step: int) -> None:
        """Writes the state after `step` steps.

        Raises:
            UserError: it cannot be written.
        """
        if not self._writes:
            return
        # In this order, so that the last step's checkpoint implies its weights.
        with self._trainer.average.applied():
            self._run.save_weights(self._trainer.generator)
        self._step.assign(step)
        try:
            self._manager.save(checkpoint_number=step)
        except tf.errors.OpError as error:
            raise UserError(
                f"The checkpoint of step {step} could not be written to {self._run.checkpoints}: {error.message}; "
                "free space and resume."
            ) from error


def _forget_deleted(run: Run) -> None:
    """Removes checkpoints that users deleted from TensorFlow's list, so that it keeps enough others."""
    saved, state = list(run.saved_checkpoints.values()), tf.train.get_checkpoint_state(str(run.checkpoints))
    if saved and state and list(state.all_model_checkpoint_paths) != saved:
        times = [Path(f"{name}.index").stat().st_mtime for name in saved]
        state = tf.compat.v1.train.generate_checkpoint_state_proto(
            str(run.checkpoints), saved[-1], saved, times, state.last_preserved_timestamp
        )
        with replacing(run.checkpoints / "checkpoint") as temporary:
            temporary.write_text(str(state))


def _way_out(damaged: str, names: list[str]) -> str:
    """The message about a damaged last checkpoint."""
    folder, stem = Path(damaged).parent, Path(damaged).name
    if len(names) == 1:
        return f"The checkpoint {damaged} is damaged and there is no other; delete the folder {folder} to begin anew."
    before = names[-2].rpartition("-")[2]
    files = " and ".join(sorted(file.name for file in folder.glob(f"{stem}.*")))
    return f"The checkpoint {damaged} is damaged; delete {files} in {folder} to go on from step {before}."


def _has(checkpoint: str, part: str) -> bool:
    """Whether a checkpoint contains a part."""
    return any(name.startswith(f"{part}/") for name, _ in tf.train.list_variables(checkpoint))
