"""Checkpoints of everything that resuming needs, and the generator's averaged weights beside them."""

import tensorflow as tf

from tf_unseen_pose.errors import UserError
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
        self._manager = tf.train.CheckpointManager(checkpoint, str(run.checkpoints), max_to_keep=2)

    def restore(self) -> int:
        """Loads the last checkpoint, if there is one; returns the step at which it was written.

        A run that gets its first adversarial stage now has no discriminator in it: that one begins anew.

        Raises:
            UserError: it is damaged.
        """
        if name := self._manager.latest_checkpoint:
            try:
                checkpoint = self._manager.checkpoint
                if self._adversaries and not _has(name, "discriminator"):
                    checkpoint = tf.train.Checkpoint(**self._parts)
                checkpoint.restore(name).assert_existing_objects_matched()
            except (tf.errors.OpError, AssertionError, ValueError) as error:
                raise UserError(f"The checkpoint {name} is damaged; delete it to resume from an older one.") from error
        return int(self._step.numpy())

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


def _has(checkpoint: str, part: str) -> bool:
    """Whether anything of a part was saved in a checkpoint."""
    return any(name.startswith(f"{part}/") for name, _ in tf.train.list_variables(checkpoint))
