"""The network as its authors ship it, as the yardstick: the same sums as preset `paper`, arranged their way.

Built from plain Keras layers, without a layer of `tf_unseen_pose.model`:
  - one graph for everything, so that each output pays for segmentation and background again;
  - heatmaps, limb priors and similarity fits are inputs, made outside in NumPy (`reference_inputs`);
  - each limb is masked and warped by itself, four gathers a limb, and the stack grows by concatenation;
  - colours are BGR.

Upsampling: the released code samples every pixel by four gathers, as for the warp ("gather"). A resize operation with
origin-aligned sampling gives the same numbers faster ("resize"), and is what the comparisons use: the yardstick is
not to be beaten for its slowest part alone.

Source: Balakrishnan et al., CVPR 2018, and the constants of their released model.
"""

import keras
import tensorflow as tf

from tf_unseen_pose.model.posewarp_import import convolutions, to_rgb

JOINTS, LIMBS = 14, 10
_LEVELS = 5


def build_reference(size: int = 256, upsampling: str = "resize") -> keras.Model:
    """The authors' network with fresh weights: 52 convolutions, 7.86 M parameters.

    Args:
        size: side of the canvas, a multiple of 32 and at least 64.
        upsampling: "resize" or "gather".

    Returns:
        A functional model of a list: image [B, H, W, 3] BGR in [-1, 1], source heatmaps and target heatmaps
        [B, H/2, W/2, 14], log limb priors [B, H, W, 11] (background first), transforms [B, 2, 3, 11] from target to
        source pixels (the first is not used). Its output is [B, H, W, 3] BGR in [-1, 1].
    """
    image = keras.Input((size, size, 3))
    source_heatmaps, target_heatmaps = (keras.Input((size // 2, size // 2, JOINTS)) for _ in range(2))
    log_priors = keras.Input((size, size, LIMBS + 1))
    transforms = keras.Input((2, 3, LIMBS + 1))

    trunk = _unet(image, source_heatmaps, 32, "segmentation", upsampling)
    logits = _head(trunk, LIMBS + 1, "linear", "segmentation_logits")
    masks = keras.layers.Softmax()(keras.layers.Add()([logits, log_priors]))

    background_layer, visible, limb_stack = WarpedLayers()([masks, image, transforms])

    seen = keras.layers.Concatenate()([background_layer, visible])
    trunk = _unet(seen, source_heatmaps, 64, "background", upsampling)
    background = _head(trunk, 3, "tanh", "background_image")

    trunk = _unet(limb_stack, target_heatmaps, 64, "foreground", upsampling)
    foreground = _head(trunk, 3, "tanh", "foreground_image")
    alpha = _head(trunk, 1, "sigmoid", "foreground_alpha")

    output = Composite()([foreground, background, alpha])
    return keras.Model([image, source_heatmaps, target_heatmaps, log_priors, transforms], output, name="reference")


def _unet(image, heatmaps, last, name, upsampling):
    x = _convolution(image, 64, f"{name}_stem", size=7)
    skips = [x]
    for level in range(1, _LEVELS + 1):
        x = _convolution(x, 64 if level == 1 else 128, f"{name}_down{level}", stride=2)
        if level == 1:
            x = keras.layers.Concatenate()([x, heatmaps])
        x = _convolution(x, 128, f"{name}_refine{level}")
        skips.append(x)
    double = {"resize": ResizeUpsampling, "gather": GatherUpsampling}[upsampling]
    for level in reversed(range(_LEVELS)):
        x = keras.layers.Concatenate()([double()(x), skips[level]])
        x = _convolution(x, 128 if level else last, f"{name}_up{level}")
    return x


def _convolution(x, channels, name, size=3, stride=1):
    x = keras.layers.Conv2D(channels, size, strides=stride, padding="same", name=name)(x)
    return keras.layers.LeakyReLU(0.2)(x)


def _head(x, channels, activation, name):
    x = keras.layers.Conv2D(channels, 3, padding="same", name=name)(x)
    return keras.layers.Activation(activation)(x)


class ResizeUpsampling(keras.layers.Layer):
    """Twice the size, output i at input i / 2: one mirrored row and column, a resize, and off with what is beyond."""

    def call(self, x):
        height, width = x.shape[1:3]
        padded = tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]], "REFLECT")
        larger = tf.raw_ops.ResizeBilinear(images=padded, size=[2 * height + 2, 2 * width + 2])
        return larger[:, : 2 * height, : 2 * width]


class GatherUpsampling(keras.layers.Layer):
    """The same by sampling every output pixel."""

    def call(self, x):
        height, width = x.shape[1:3]
        columns, rows = tf.meshgrid(tf.range(2.0 * width) / 2, tf.range(2.0 * height) / 2)
        copies = [tf.shape(x)[0], 1, 1]
        return _interpolate(x, tf.tile(columns[None], copies), tf.tile(rows[None], copies))


class WarpedLayers(keras.layers.Layer):
    """[masks, image, transforms] -> background layer, its mask, and the warped limb layers [B, H, W, 3 L]."""

    def call(self, inputs):
        masks, image, transforms = inputs
        stack = masks[..., :1] * image
        for limb in range(1, LIMBS + 1):
            layer = tf.repeat(masks[..., limb : limb + 1], 3, axis=-1) * image
            stack = tf.concat([stack, _affine_warp(layer, transforms[..., limb])], axis=-1)
        return stack[..., :3], masks[..., :1], stack[..., 3:]


class Composite(keras.layers.Layer):
    """[foreground, background, alpha] -> the picture."""

    def call(self, inputs):
        foreground, background, alpha = inputs
        alpha = tf.concat([alpha] * 3, axis=-1)
        return foreground * alpha + background * (1 - alpha)


def _affine_warp(image, transform):
    height, width = image.shape[1:3]
    columns, rows = tf.meshgrid(tf.range(float(width)), tf.range(float(height)))
    grid = tf.stack([tf.reshape(columns, [-1]), tf.reshape(rows, [-1]), tf.ones([height * width])])
    points = tf.reshape(tf.matmul(transform, tf.tile(grid[None], [tf.shape(image)[0], 1, 1])), [-1, 2, height, width])
    return _interpolate(image, points[:, 0], points[:, 1])


def _interpolate(image, x, y):
    """Bilinear samples of [B, H, W, C] at x, y [B, h, w], past the border first mirrored by a pixel, then constant."""
    padded = tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
    height, width, channels = padded.shape[1:]
    x, y = x + 1, y + 1
    left, top = tf.cast(tf.floor(x), tf.int32), tf.cast(tf.floor(y), tf.int32)
    left, right = tf.clip_by_value(left, 0, width - 1), tf.clip_by_value(left + 1, 0, width - 1)
    top, bottom = tf.clip_by_value(top, 0, height - 1), tf.clip_by_value(top + 1, 0, height - 1)
    first = (tf.range(tf.shape(image)[0]) * (height * width))[:, None, None]
    flat = tf.reshape(padded, [-1, channels])
    to_right, to_bottom = tf.cast(right, tf.float32) - x, tf.cast(bottom, tf.float32) - y
    corners = (
        (top, left, to_bottom * to_right),
        (bottom, left, (1 - to_bottom) * to_right),
        (top, right, to_bottom * (1 - to_right)),
        (bottom, right, (1 - to_bottom) * (1 - to_right)),
    )
    return tf.add_n(
        [weight[..., None] * tf.gather(flat, first + row * width + column) for row, column, weight in corners]
    )


def copy_weights(generator, reference: keras.Model) -> None:
    """Gives the reference the weights of a generator of preset `paper`, whose colours are RGB."""
    for network in generator.networks:
        for name, kernel, bias in convolutions(network):
            # The same permutation leads from BGR to RGB and back.
            weights = to_rgb(name, kernel.numpy(), bias.numpy())
            reference.get_layer(f"{network.name}_{name}").set_weights(weights)
