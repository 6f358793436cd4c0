import pytest
import tensorflow as tf


@pytest.fixture(scope="session")
def signatures(exported):
    return tf.saved_model.load(str(exported[1])).signatures
