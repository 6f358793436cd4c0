"""The only module that distinguishes the two TensorFlow stacks.

Python <= 3.11 gets TensorFlow 2.15 with Keras 2.15 and TensorFlow Addons; Python >= 3.12 gets TensorFlow 2.21 with
Keras 3, for which Addons has no wheel.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

KERAS_3 = not keras.__version__.startswith("2.")

if not KERAS_3:
    import warnings

    with warnings.catch_warnings():
        # Addons warns of its end of life at every import; this stack pins its version.
        warnings.simplefilter("ignore")
        import tensorflow_addons as tfa


def spectral_normalization(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Wraps a layer so that its kernel is divided by its largest singular value (Miyato et al., 2018).

    Keras 2.15's own wrapper of that name fails inside a traced `train_step`.
    """
    return keras.layers.SpectralNormalization(layer) if KERAS_3 else tfa.layers.SpectralNormalization(layer)


def project_images(images: tf.Tensor, output_to_input: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Resamples images bilinearly by an affine transform; for photos, since its gradient is approximate.

    Args:
        images: float [B, H, W, C]. Points beyond the border take the border's value.
        output_to_input: float32 [B, 2, 3], from output pixels to input pixels (pixel centres at integers).
        height, width: size of the output.

    Returns:
        float [B, height, width, C].
    """
    flat = tf.concat([tf.reshape(output_to_input, [-1, 6]), tf.zeros_like(output_to_input[:, 0, :2])], axis=1)
    if KERAS_3:
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=flat,
            output_shape=[height, width],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )
    return tfa.image.transform(images, flat, "bilinear", fill_mode="nearest", output_shape=[height, width])


def tensorflow_variable(variable: Any) -> tf.Variable:
    """The `tf.Variable` behind a network's variable: Keras 3 wraps all of them, Keras 2 those that are cast."""
    if KERAS_3:
        return variable.value if isinstance(variable, keras.Variable) else variable
    return getattr(variable, "_variable", variable)


def step_logs(logs: dict) -> dict:
    """Scalars that a `train_step` may return; Keras 3 averages those of several machines along an axis of examples."""
    several = isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy)
    return {name: value[None] for name, value in logs.items()} if KERAS_3 and several else logs


_Policy: Any = keras.DTypePolicy if KERAS_3 else keras.mixed_precision.Policy


class _StoredInHalf(_Policy):
    """Stores weights in float16 and casts them on use; Keras does this only for float32 weights."""

    def _parse_name(self, name: str) -> tuple[str, str]:
        return "float32", "float16"


@contextlib.contextmanager
def layer_precision(precision: str) -> Iterator[None]:
    """Layers created in this context compute in "float32" or "bfloat16", with weights in float32.

    With "half_stored" they compute in float32 with weights in float16, for exports, unless they set their own type.
    """
    policies = {"bfloat16": "mixed_bfloat16", "half_stored": _StoredInHalf("half_stored")}
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(policies.get(precision, precision))
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)
