"""Custom layers: origin-aligned upsampling, joint heads, the limb spatial transformer."""

from typing import Any

import keras
import tensorflow as tf

from tf_unseen_pose.geometry import warping

SERIAL = "tf_unseen_pose"


@keras.utils.register_keras_serializable(SERIAL)
class OriginAlignedUpsampling(keras.layers.Layer):
    """Doubles height and width: output i samples input i / 2, bilinearly.

    The input is mirrored beyond the last row and column, so the last output is the mean of the last two inputs.

    Shape: [B, H, W, C] -> [B, 2 H, 2 W, C]; H and W at least 2.

    Source: the authors' released code, whose Keras version upsampled this way.
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return _upsampled(x)


@tf.custom_gradient
def _upsampled(x):
    """Forward by the resize op, fastest on CPU; its own gradient is three times slower than the one here."""
    height, width = x.shape[1:3]
    # Mirrored before upsampling, when it is small; tf.pad is slower.
    mirrored = tf.concat([x, x[:, -2:-1]], axis=1)
    mirrored = tf.concat([mirrored, mirrored[:, :, -2:-1]], axis=2)
    # Aligned corners at 2 n + 1 outputs of n + 1 inputs: steps of exactly a half.
    up = tf.raw_ops.ResizeBilinear(images=mirrored, size=[2 * height + 1, 2 * width + 1], align_corners=True)
    up = tf.cast(up[:, : 2 * height, : 2 * width], x.dtype)

    def gradient(upstream):
        return _gathered(_gathered(upstream, axis=1), axis=2)

    return up, gradient


def _gathered(upstream, axis):
    """The transpose of upsampling along one axis."""
    size = upstream.shape[axis] // 2
    shape = [-1, *upstream.shape[1:]]
    shape[axis : axis + 1] = [size, 2]
    own, between = tf.unstack(tf.reshape(upstream, shape), axis=axis + 1)
    between *= 0.5
    earlier, last = tf.split(between, [size - 1, 1], axis=axis)
    nothing = tf.zeros_like(last)
    # Output 2 i + 1 lies between inputs i and i + 1; the last between the last two.
    return own + between + tf.concat([nothing, earlier], axis) + _second_to_last(last, size, axis)


def _second_to_last(row, size, axis):
    paddings = [[0, 0]] * 4
    paddings[axis] = [size - 2, 1]
    return tf.pad(row, paddings)


@keras.utils.register_keras_serializable(SERIAL)
class Heads(keras.layers.Layer):
    """Several 3x3 convolutions of the same maps, with their own kernels, biases and activations, computed as one.

    Processors compute 8 or 16 channels at a time, so one channel costs as much as all heads together.

    Args:
        heads: name -> (channels, activation).
        initializer: of the kernels; with "zeros" a new network returns 0 everywhere.

    Shape: [B, H, W, C] -> {name: [B, H, W, channels]}, float32 whatever the precision of the other layers.
    """

    def __init__(self, heads: dict[str, tuple[int, str]], initializer: str = "glorot_uniform", **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.heads = {name: tuple(head) for name, head in heads.items()}
        self.initializer = initializer

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads, "initializer": self.initializer}

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.kernels, self.biases = {}, {}
        for name, (channels, _) in self.heads.items():
            kernel = (3, 3, shape[-1], channels)
            self.kernels[name] = self.add_weight(name=f"{name}_kernel", shape=kernel, initializer=self.initializer)
            self.biases[name] = self.add_weight(name=f"{name}_bias", shape=(channels,), initializer="zeros")
        self.built = True

    def call(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        kernel = tf.concat([tf.convert_to_tensor(self.kernels[name]) for name in self.heads], axis=-1)
        bias = tf.concat([tf.convert_to_tensor(self.biases[name]) for name in self.heads], axis=0)
        maps = tf.nn.bias_add(tf.nn.conv2d(x, kernel, strides=1, padding="SAME"), bias)
        parts = tf.split(maps, [channels for channels, _ in self.heads.values()], axis=-1)
        named = zip(self.heads.items(), parts, strict=True)
        return {name: keras.activations.get(activation)(part) for (name, (_, activation)), part in named}


@keras.utils.register_keras_serializable(SERIAL)
class LimbSpatialTransformer(keras.layers.Layer):
    """Warps each limb layer by its own transform.

    Args:
        bordered: whether layers come with the border of `warping.with_border`, [B, L, H + 2, W + 2, C].

    Args of the call:
        layers: [B, L, H, W, C].
        target_to_source: [B, L, 2, 3], from pixels of the target to pixels of the source.

    Returns:
        [B, L, H, W, C]: the layers, moved to the target pose.
    """

    def __init__(self, bordered: bool = False, **kwargs: Any):
        # Always in float32: bfloat16's eight bits are too coarse for coordinates.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.bordered = bordered

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bordered": self.bordered}

    @tf.function(autograph=False)
    def call(self, layers: tf.Tensor, target_to_source: tf.Tensor) -> tf.Tensor:
        limbs, height, width, channels = layers.shape[1:]
        flat = tf.reshape(layers, [-1, height, width, channels])
        if not self.bordered:
            flat = warping.with_border(flat)
        warped = warping.warp_bordered(flat, tf.reshape(target_to_source, [-1, 2, 3]))
        return tf.reshape(warped, [-1, limbs, *warped.shape[1:]])
