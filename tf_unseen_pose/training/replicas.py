"""The distribution strategy: one replica of the networks a GPU, in step."""

import tensorflow as tf


def training_strategy(devices: list[str] | None = None) -> tf.distribute.Strategy:
    """`MirroredStrategy` over several devices; on one device plain execution, which takes the same steps.

    Args:
        devices: names such as "GPU:0"; all GPUs by default. One alone is the same as none.

    TensorFlow's default reduction numbers collectives as they are called, and with two optimizers in one step the
    replicas' numbering differs: the generator's gradients meet the discriminator's ("Shape mismatch in the collective
    instance"). NCCL's and the one-device reduction are placed once for all replicas and cannot be confused.

    A mirrored strategy on one device would gain nothing, and its iterator keeps a tuning thread that sleeps for up to
    a minute before it lets training end.
    """
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    if len(devices or gpus) < 2:
        return tf.distribute.get_strategy()
    reduction = tf.distribute.NcclAllReduce() if gpus else tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=reduction)
