"""The networks of preset `lite`: a U-Net that is much cheaper than the authors'.

    picture --3x3 stem--> level 0 + heatmaps --conv--> --stride 2--> level 1 --conv--> ...
    and back: 1x1 to the next level's width, upsample, add the encoder's output of that level, 3x3 conv; then the heads.

Skips are added, not concatenated, which halves the decoder. A stem of stride 2 avoids the image's full resolution, the
most expensive one. TFLite fuses ReLU6 into the convolution before it.
"""

import keras
import tensorflow as tf

from tf_unseen_pose.model.layers import Heads
from tf_unseen_pose.model.unet import convolution
from tf_unseen_pose.model_config import CompactUNetConfig


def _convolution(x: tf.Tensor, channels: int, name: str, stride: int = 1) -> tf.Tensor:
    return convolution(x, channels, name, stride=stride, activation=keras.layers.ReLU(6.0))


def compact_unet(
    config: CompactUNetConfig,
    height: int,
    width: int,
    picture_channels: int,
    heatmap_channels: int,
    heads: dict[str, int],
    name: str,
    stem_stride: int = 1,
    features: bool = False,
) -> keras.Model:
    """Builds a U-Net.

    Args:
        height, width: of the picture.
        heatmap_channels: of the heatmaps that join after the stem, at its resolution.
        heads: output name -> channels; linear.
        stem_stride: factor by which outputs are smaller than the picture.
        features: whether "features", the input of the heads, is an output too.

    Returns:
        A functional model [picture [B, H, W, C], heatmaps [B, h, w, J]] -> {head: [B, h, w, channels]}, where
        h = H / stem_stride, w = W / stem_stride; or twice that with `config.finer`.
    """
    height, width = height // stem_stride, width // stem_stride
    picture = keras.Input((height * stem_stride, width * stem_stride, picture_channels), name="picture")
    heatmaps = keras.Input((height, width, heatmap_channels), name="heatmaps")

    x = _convolution(picture, config.widths[0], "stem", stride=stem_stride)
    x = keras.layers.Concatenate()([x, heatmaps])
    skips = []
    for level, channels in enumerate(config.widths):
        if level > 0:
            x = _convolution(x, channels, f"down{level}", stride=2)
        x = _convolution(x, channels, f"refine{level}")
        skips.append(x)
    for level, channels in reversed(list(enumerate(config.widths[:-1]))):
        x = keras.layers.Conv2D(channels, 1, name=f"narrow{level}")(x)
        x = keras.layers.UpSampling2D(2, interpolation="bilinear")(x)
        x = _convolution(keras.layers.Add()([x, skips[level]]), channels, f"up{level}")
    if config.finer:
        x = keras.layers.Conv2D(config.finer, 1, name="narrow_finer")(x)
        x = _convolution(keras.layers.UpSampling2D(2, interpolation="bilinear")(x), config.finer, "up_finer")
    outputs = _silent_heads(heads)(x) | ({"features": x} if features else {})
    return keras.Model([picture, heatmaps], outputs, name=name)


def refinement_network(
    channels: int, height: int, width: int, feature_channels: int, seen_channels: int, heads: dict[str, int], name: str
) -> keras.Model:
    """Builds two convolutions of a U-Net's features and of the pixels that its decisions select.

    Args:
        channels: of both.
        height, width: of all maps.
        heads: output name -> channels; linear.

    Returns:
        A functional model [features [B, H, W, F], seen [B, H, W, S]] -> {head: [B, H, W, channels]}.
    """
    features = keras.Input((height, width, feature_channels), name="features")
    seen = keras.Input((height, width, seen_channels), name="seen")
    x = keras.layers.Concatenate()([features, seen])
    for i in range(2):
        x = _convolution(x, channels, f"refine{i}")
    return keras.Model([features, seen], _silent_heads(heads)(x), name=name)


def _silent_heads(heads: dict[str, int]) -> Heads:
    """Linear heads that start at 0, so that the copying generator starts as pure warping."""
    return Heads({head: (channels, "linear") for head, channels in heads.items()}, initializer="zeros", name="heads")
