import pytest
import tensorflow as tf


@pytest.fixture(scope="session")
def versions(tmp_path_factory):
    """A folder with version 1 of something that has the signature `synthesize`."""

    class Model(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec([None, 64, 64, 3], tf.uint8, "image"),
                tf.TensorSpec([None, 14, 3], tf.float32, "source_joints"),
                tf.TensorSpec([None, 14, 3], tf.float32, "target_joints"),
            ]
        )
        def synthesize(self, image, source_joints, target_joints):
            moved = tf.reduce_sum(target_joints - source_joints, [1, 2])[:, None, None, None]
            return {"image": tf.cast((tf.cast(image, tf.float32) + tf.abs(moved)) % 256, tf.uint8)}

    folder = tmp_path_factory.mktemp("versions")
    model = Model()
    tf.saved_model.save(model, str(folder / "1"), signatures={"synthesize": model.synthesize})
    return folder
