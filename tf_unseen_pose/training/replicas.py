"""The distribution strategy: one synchronous replica of the networks per GPU, on one machine or several.

TensorFlow's TF_CONFIG describes several machines; start the same command on each:

    TF_CONFIG='{"cluster": {"worker": ["HOST0:PORT", "HOST1:PORT"]}, "task": {"type": "worker", "index": 0}}'

They need access to the same dataset and run folder. Worker 0, the chief, writes.
"""

import json
import os
from collections.abc import Callable

import tensorflow as tf

from tf_unseen_pose.data.pairs import Share
from tf_unseen_pose.errors import UserError, WorkerLost


def training_strategy(devices: list[str] | None = None) -> tf.distribute.Strategy:
    """The strategy for this machine's GPUs, or for the machines of TF_CONFIG; call it before any computation.

    On one device it is plain execution with the same steps: a mirrored strategy gains nothing there, and its iterator
    has a tuning thread that delays the end of training by up to a minute.

    Args:
        devices: names such as "GPU:0"; all GPUs by default. A single one equals none.

    TensorFlow's default reduction numbers collectives as they are called, and with two optimizers in one step the
    replicas' numbering differs: the generator's gradients meet the discriminator's ("Shape mismatch in the collective
    instance"). NCCL's and the one-device reduction are placed once for all replicas and cannot be confused.

    Raises:
        UserError: TF_CONFIG is not what TensorFlow wants.
    """
    if _worker_count() > 1:
        # Logical devices must not be listed before the cluster is known.
        kinds = tf.distribute.experimental.CommunicationImplementation
        kind = kinds.NCCL if tf.config.list_physical_devices("GPU") else kinds.RING
        options = tf.distribute.experimental.CommunicationOptions(implementation=kind)
        try:
            return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
        except tf.errors.OpError as error:
            raise lost_worker(error) or error from error
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    if len(devices or gpus) < 2:
        return tf.distribute.get_strategy()
    reduction = tf.distribute.NcclAllReduce() if gpus else tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=reduction)


def _worker_count() -> int:
    text = os.environ.get("TF_CONFIG", "{}")
    try:
        content = json.loads(text)
        workers = content.get("cluster", {}).get("worker", [])
        if workers and content["task"]["type"] == "worker":
            # This also checks the index.
            _ = workers[content["task"]["index"]]
        return len(workers)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise UserError(
            "TF_CONFIG does not describe a cluster: it must be JSON with cluster.worker, a list of HOST:PORT, and "
            "task, a type and an index; correct it, or unset it to train on this machine."
        ) from error


def lost_worker(error: tf.errors.OpError) -> WorkerLost | None:
    """A `WorkerLost` for the error of a collective operation that another process left; None for other errors.

    Raises:
        UserError: TF_CONFIG does not describe a cluster.
    """
    causes = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError)
    if _worker_count() > 1 and isinstance(error, (*causes, tf.errors.CancelledError, tf.errors.InternalError)):
        return WorkerLost("Another worker stopped; start it again with the same command, and training resumes.")
    return None


def spans_machines(strategy: tf.distribute.Strategy) -> bool:
    """Whether several processes take every step together."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes."""
    return not spans_machines(strategy) or strategy.cluster_resolver.task_id == 0


def distributed(
    strategy: tf.distribute.Strategy, batches: Callable[[Share], tf.data.Dataset]
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Batches for `fit`, distributed among the replicas.

    Args:
        batches: returns the stream of one share; see `pair_batches`.
    """
    if strategy.num_replicas_in_sync == 1:
        return batches(Share())

    def of_worker(context):
        count = context.num_replicas_in_sync // context.num_input_pipelines
        return batches(Share(context.input_pipeline_id * count, count, context.num_replicas_in_sync))

    return strategy.distribute_datasets_from_function(of_worker)


def anybody(strategy: tf.distribute.Strategy, wish: bool) -> bool:
    """Whether the wish is true in any process; all must ask after the same step."""
    if not spans_machines(strategy):
        return wish
    wishes = strategy.run(lambda: tf.constant(float(wish)))
    return float(strategy.reduce(tf.distribute.ReduceOp.SUM, wishes, axis=None)) > 0
