"""The moving average of a network's weights, which inference and exports use."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from tf_unseen_pose.compat import tensorflow_variable


class WeightAverage(tf.Module):
    """An exponential moving average of variables with a warm-up.

    After step t the average moves by max(1 - decay, 9 / (10 + t)) of the way to the variables, so that the random
    initial weights are soon forgotten.

    Args:
        variables: of a network; create the average inside the distribution strategy's scope, like the network.
        decay: in [0, 1). 0 follows the variables.

    Keras' `use_ema` (2.15.0 and 3.15.1) does not serve: its momentum is constant, so the initial weights linger, and in
    2.15.0 the averages overwrite the weights for good.

    Source: Polyak & Juditsky (1992); the warm-up is that of `tf.train.ExponentialMovingAverage`.
    """

    def __init__(self, variables: list, decay: float):
        super().__init__(name="weight_average")
        self._variables, self._decay = [tensorflow_variable(variable) for variable in variables], decay
        # All replicas take the same steps, so the first one's value is enough.
        first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, aggregation=first)
        self.values = [
            tf.Variable(tf.convert_to_tensor(v), dtype=tf.float32, trainable=False, aggregation=first)
            for v in self._variables
        ]

    def update(self) -> None:
        """Moves one step towards the variables, within a training step."""
        step = tf.cast(self.step, tf.float32)
        part = tf.maximum(1 - self._decay, 9 / (10 + step))
        for average, variable in zip(self.values, self._variables, strict=True):
            average.assign_add(part * (tf.convert_to_tensor(variable) - average))
        self.step.assign_add(1)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """A context in which the network has the averaged weights, in this process."""
        own = [tf.identity(tf.convert_to_tensor(variable)) for variable in self._variables]
        self._set(self.values)
        try:
            yield
        finally:
            self._set(own)

    def _set(self, values: list) -> None:
        # Copy by copy, since assigning a mirrored variable as a whole would make other machines wait.
        for variable, value in zip(self._variables, values, strict=True):
            for copy in getattr(variable, "values", [variable]):
                copy.assign(tf.convert_to_tensor(value))
