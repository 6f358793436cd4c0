"""The U-Net that segmentation, background, foreground and the baseline share.

    image --7x7 conv--> level 0 --stride 2--> level 1 + heatmaps --conv--> --stride 2--> level 2 --conv--> ...
    and back: upsample, concatenate the encoder's output of that level, 3x3 conv; then one 3x3 conv per head.

Heatmaps have half the image's resolution and join at level 1.
"""

import keras
import tensorflow as tf

from tf_unseen_pose.model.layers import Heads, OriginAlignedUpsampling
from tf_unseen_pose.model_config import UNetConfig


def convolution(
    x: tf.Tensor,
    channels: int,
    name: str,
    size: int = 3,
    stride: int = 1,
    activation: keras.layers.Layer | None = None,
) -> tf.Tensor:
    """Convolution and activation layer, by default leaky ReLU of slope 0.2: [B, H, W, C] -> [B, h, w, channels]."""
    x = keras.layers.Conv2D(channels, size, stride, padding="same", kernel_initializer="he_normal", name=name)(x)
    return (activation or keras.layers.LeakyReLU(0.2))(x)


def unet(
    config: UNetConfig,
    height: int,
    width: int,
    image_channels: int,
    heatmap_channels: int,
    heads: dict[str, tuple[int, str]],
    name: str,
) -> keras.Model:
    """Builds a U-Net.

    Args:
        heads: output name -> (channels, activation); heads share all but their own convolution.

    Returns:
        A functional model [image [B, H, W, image_channels], heatmaps [B, H/2, W/2, heatmap_channels]] ->
        {head: [B, H, W, channels]}.

    Source: the authors' released code (`unet`).
    """
    image = keras.Input((height, width, image_channels), name="picture")
    heatmaps = keras.Input((height // 2, width // 2, heatmap_channels), name="heatmaps")

    x = convolution(image, config.stem, "stem", size=7)
    skips = [x]
    for level, (down, refine) in enumerate(zip(config.down, config.refine, strict=True), start=1):
        x = convolution(x, down, f"down{level}", stride=2)
        if level == 1:
            x = keras.layers.Concatenate()([x, heatmaps])
        x = convolution(x, refine, f"refine{level}")
        skips.append(x)
    for level, channels in zip(reversed(range(len(config.up))), config.up, strict=True):
        x = keras.layers.Concatenate()([OriginAlignedUpsampling()(x), skips[level]])
        x = convolution(x, channels, f"up{level}")
    return keras.Model([image, heatmaps], Heads(heads, name="heads")(x), name=name)
