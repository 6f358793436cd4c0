"""The distribution strategy: one replica of the networks a GPU, in step."""

import tensorflow as tf


def mirrored_strategy(devices: list[str] | None = None) -> tf.distribute.MirroredStrategy:
    """`MirroredStrategy` over all GPUs, or the CPU where there is none.

    Args:
        devices: names such as "GPU:0"; all GPUs by default.

    TensorFlow's default reduction numbers collectives as they are called, and with two optimizers in one step the
    replicas' numbering differs: the generator's gradients meet the discriminator's ("Shape mismatch in the collective
    instance"). NCCL's and the one-device reduction are placed once for all replicas and cannot be confused.
    """
    several_gpus = len(tf.config.list_logical_devices("GPU")) > 1
    reduction = tf.distribute.NcclAllReduce() if several_gpus else tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=reduction)
