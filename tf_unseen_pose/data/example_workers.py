"""Processes that make training examples, for machines with more cores than Python's threads can use.

An example takes a hundred short calls of NumPy and OpenCV, between which threads wait for Python's lock, so more
threads are slower (on two cores, two make 102 examples per second, sixteen 67). Each process has its own lock and its
own decoded pictures.
"""

import functools
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import cv2
import numpy as np

from tf_unseen_pose.config import Config, validated
from tf_unseen_pose.data.examples import Examples
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import register_skeleton
from tf_unseen_pose.skeleton import Skeleton

# Up to this many cores threads suffice and need less memory, since they share decoded pictures.
FEW_CORES = 4
_MOST_WORKERS = 12


def worker_count(config: Config) -> int:
    """The number of processes: `train.workers`, or a default for this machine; 0 for threads."""
    if config.train.workers is not None:
        return config.train.workers
    cores = os.cpu_count() or 1
    return 0 if cores <= FEW_CORES else min(cores - 2, _MOST_WORKERS)


def batch_maker(dataset: ClipDataset, config: Config, augment: bool) -> Callable[[int, int], tuple[np.ndarray, ...]]:
    """`Examples.batch`, here or, equal to the bit, in one of `worker_count` processes. May be called by many threads.

    Raises:
        UserError: see `Examples`; when called, also if a process stopped.
    """
    count = worker_count(config)
    if not count:
        return _examples(dataset, config.to_json(), augment).batch
    pool = _pool(dataset, config.to_json(), augment, config.model.body, count)

    def batch(first: int, count: int) -> tuple[np.ndarray, ...]:
        try:
            return pool.submit(_batch, first, count).result()
        except BrokenProcessPool as error:
            _pool.cache_clear()
            raise UserError(
                "A process that makes training pairs stopped, perhaps for lack of memory, or because a script trains "
                "outside of `if __name__ == '__main__'`; run the same command with a smaller train.workers (0: none)."
            ) from error

    batch(0, 0)
    return batch


@functools.lru_cache(maxsize=1)
def _pool(dataset: ClipDataset, config: str, augment: bool, skeleton: Skeleton, count: int) -> ProcessPoolExecutor:
    """The pool, kept between stages of training; an unused one ends by itself."""
    # Spawned, since TensorFlow's threads and GPUs do not survive a fork.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, context, initializer=_begin, initargs=(skeleton, dataset, config, augment))


_arguments: tuple = ()


def _begin(skeleton: Skeleton, *arguments: Any) -> None:
    """Initialises a worker, registering the skeleton."""
    global _arguments
    register_skeleton(skeleton)
    _arguments = arguments
    # The training process handles Ctrl-C and needs examples until its checkpoint is written.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    # A worker has one.
    parent = multiprocessing.parent_process()
    assert parent
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


@functools.lru_cache(maxsize=1)
def _examples(dataset: ClipDataset, config: str, augment: bool) -> Examples:
    """The examples with their decoded pictures, one for all streams: TensorFlow never lets go of what a stream held."""
    return Examples(dataset, validated(json.loads(config), "of the run"), augment)


def _batch(first: int, count: int) -> tuple[np.ndarray, ...]:
    examples = _examples(*_arguments)
    return examples.batch(first, count) if count else ()
