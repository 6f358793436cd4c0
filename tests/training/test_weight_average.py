import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.training.replicas import training_strategy
from tf_unseen_pose.training.weight_average import WeightAverage


@pytest.mark.parametrize("devices", [["CPU:0"], ["CPU:0", "CPU:1"]])
def test_follows_the_formula_on_any_number_of_devices(devices):
    rng = np.random.default_rng(3)
    values = rng.normal(size=(30, 2, 3)).astype(np.float32)
    strategy = training_strategy(devices)
    with strategy.scope():
        variable = tf.Variable(values[0])
        average = WeightAverage([variable], 0.9)

    @tf.function
    def step():
        strategy.run(average.update)

    expected = values[0].astype(float)
    for number, value in enumerate(values):
        variable.assign(value)
        step()
        expected += max(0.1, 9 / (10 + number)) * (value - expected)
    np.testing.assert_allclose(average.values[0].numpy(), expected, rtol=1e-5)

    with average.applied():
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-5)
    np.testing.assert_array_equal(variable.numpy(), values[-1])


def test_the_network_gets_its_weights_back_after_an_error():
    variable = tf.Variable([1.5, -2.0])
    average = WeightAverage([variable], 0.5)
    variable.assign([4.0, 4.0])
    with pytest.raises(RuntimeError), average.applied():
        np.testing.assert_array_equal(variable.numpy(), [1.5, -2.0])
        raise RuntimeError
    np.testing.assert_array_equal(variable.numpy(), [4.0, 4.0])
