"""Checkpoints of everything that resuming needs, and the generator's averaged weights beside them."""

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
        writes: whether this process is the one that writes.
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
        # Made now: within `fit` it would be a variable of all machines, and who saves would wait for the others.
        _ = checkpoint.save_counter
        if writes:
            _forget_deleted(run)
        self._manager = tf.train.CheckpointManager(checkpoint, str(run.checkpoints), max_to_keep=2)

    def restore(self) -> int:
        """Loads the last checkpoint, if there is one; returns the step at which it was written.

        A run that gets its first adversarial stage now has no discriminator in it: that one begins anew.

        Raises:
            UserError: it is damaged; says what to delete to go on from the one before.
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
        """Whether every number that would be saved is one."""
        parts = (*self._parts.values(), *self._adversaries.values())
        variables = [variable for part in parts for variable in getattr(part, "variables", [])]
        values = (tf.convert_to_tensor(tensorflow_variable(variable)) for variable in variables)
        return all(bool(tf.reduce_all(tf.math.is_finite(value))) for value in values if value.dtype.is_floating)

    def save(self, step: int) -> None:
        """Writes the state after `step` steps.

        Raises:
            UserError: the disk refuses.
        """
        if not self._writes:
            return
        # In this order: who finds the last step's checkpoint can rely on the weights.
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
    """Takes checkpoints that users have deleted off TensorFlow's list, or it would keep as many fewer."""
    saved, state = list(run.saved_checkpoints.values()), tf.train.get_checkpoint_state(str(run.checkpoints))
    if saved and state and list(state.all_model_checkpoint_paths) != saved:
        times = [Path(f"{name}.index").stat().st_mtime for name in saved]
        state = tf.compat.v1.train.generate_checkpoint_state_proto(
            str(run.checkpoints), saved[-1], saved, times, state.last_preserved_timestamp
        )
        with replacing(run.checkpoints / "checkpoint") as temporary:
            temporary.write_text(str(state))


def _way_out(damaged: str, names: list[str]) -> str:
    """What to tell about a damaged checkpoint, the last one of those that are there."""
    folder, stem = Path(damaged).parent, Path(damaged).name
    if len(names) == 1:
        return f"The checkpoint {damaged} is damaged and there is no other; delete the folder {folder} to begin anew."
    before = names[-2].rpartition("-")[2]
    files = " and ".join(sorted(file.name for file in folder.glob(f"{stem}.*")))
    return f"The checkpoint {damaged} is damaged; delete {files} in {folder} to go on from step {before}."


def _has(checkpoint: str, part: str) -> bool:
    """Whether anything of a part was saved in a checkpoint."""
    return any(name.startswith(f"{part}/") for name, _ in tf.train.list_variables(checkpoint))
