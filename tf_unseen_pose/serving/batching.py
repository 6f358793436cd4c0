"""The queue before the model, which joins compatible requests into batches.

Requests are compatible if they want the same outputs of the same signature and version, and their rows have the same
shapes. A batch starts once a thread is free and it is full or its oldest request has waited long enough. While all
threads are busy the queue grows, so that batches form under load even without waiting.

Convolutions may sum in another order for another batch size, so a row's result may differ in the last bit.
"""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

import grpc
import numpy as np
import tensorflow as tf

from tf_unseen_pose.serving.loaded import Signature
from tf_unseen_pose.serving.request_errors import RequestError, from_model

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class BatchOptions:
    """Options of queue and batches.

    Attributes:
        most_rows: of a batch; a larger request runs alone.
        timeout: seconds that a request waits for others while a thread is free.
        sizes: batch sizes to pad to, ascending; empty for no padding.
        queue: most waiting requests.
        threads: batches that run at once.
    """

    most_rows: int = 8
    timeout: float = 0.0
    sizes: tuple[int, ...] = ()
    queue: int = 64
    threads: int = 1


@dataclass(eq=False)
class _Request:
    signature: Signature
    inputs: Arrays
    wanted: tuple[str, ...]
    # None: not to be joined with others.
    rows: int | None
    key: object
    # On the clock of time.monotonic; None for no deadline.
    deadline: float | None
    answer: asyncio.Future
    arrived: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        """The number of rows, 1 without rows."""
        return self.rows or 1

    def is_awaited(self) -> bool:
        """Whether the client still waits; ends the request after its deadline."""
        if not self.answer.done() and self.deadline is not None and time.monotonic() >= self.deadline:
            sentence = "The deadline passed while the request waited; allow more time or send fewer requests."
            self.answer.set_exception(RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, sentence))
        return not self.answer.done()


class Batcher:
    """Runs requests in batches, on the threads of an executor. All methods are for the event loop's thread.

    Args:
        observe: callback with the number of rows of every batch.

    Attributes:
        queue_length: number of waiting requests.
    """

    def __init__(self, options: BatchOptions, executor: Executor, observe: Callable[[int], None]):
        self._options, self._executor, self._observe = options, executor, observe
        self._waiting: dict[object, list[_Request]] = {}
        self._free = options.threads
        # A counter, since the metrics' thread reads it.
        self.queue_length = 0
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return self._free == self._options.threads and not self._waiting

    def require_room(self) -> None:
        """Rejects a request at once if the queue is full. Raises: RequestError: RESOURCE_EXHAUSTED."""
        if self.queue_length >= self._options.queue:
            raise RequestError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{self._options.queue} requests are waiting already; try again in a moment, or send fewer at a time.",
            )

    async def run(
        self, signature: Signature, inputs: Arrays, wanted: tuple[str, ...], deadline: float | None
    ) -> tuple[Arrays, int]:
        """Computes outputs of a signature.

        Args:
            wanted: names of outputs.
            deadline: on the clock of `time.monotonic`; None for none.

        Returns:
            The outputs by name, and the number of rows of their batch.

        Raises:
            RequestError: the queue is full, the deadline passes before a thread is free, or the model refuses the
                inputs.
            Exception: an error of the model that these inputs did not cause.
        """
        self.require_room()
        loop = asyncio.get_running_loop()
        rows, key = self._fit(signature, inputs, wanted)
        request = _Request(signature, inputs, wanted, rows, key, deadline, loop.create_future())
        self._waiting.setdefault(key, []).append(request)
        self.queue_length += 1
        self._start_batches()
        try:
            return await request.answer
        except asyncio.CancelledError:
            # The client disconnected: its future is cancelled, its place in the queue free.
            self._forget(request)
            raise

    def _fit(self, signature: Signature, inputs: Arrays, wanted: tuple[str, ...]) -> tuple[int | None, object]:
        """The number of rows, None if inputs differ, and the key that compatible requests share."""
        counts = {array.shape[0] if array.ndim else None for array in inputs.values()}
        rows = counts.pop() if signature.by_rows and len(counts) == 1 else None
        if rows is None or rows > self._options.most_rows:
            return rows, object()
        shapes = tuple((name, inputs[name].shape[1:]) for name in sorted(inputs))
        return rows, (signature, shapes, wanted)

    def _start_batches(self) -> None:
        """Starts batches on free threads, and a timer for requests that must still wait."""
        while self._free and (batch := self._next_batch()):
            self._free -= 1
            running = asyncio.get_running_loop().run_in_executor(self._executor, run_batch, batch, self._options.sizes)
            running.add_done_callback(partial(self._finish, batch))
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        if self._free and self._waiting:
            due = min(group[0].arrived for group in self._waiting.values()) + self._options.timeout
            delay = max(0.0, due - time.monotonic())
            self._alarm = asyncio.get_running_loop().call_later(delay, self._start_batches)

    def _next_batch(self) -> list[_Request]:
        """Removes the ready batch with the oldest request from the queue; empty if none is ready."""
        for request in [request for group in self._waiting.values() for request in group if not request.is_awaited()]:
            self._forget(request)
        ready = [group for group in self._waiting.values() if self._is_ready(group)]
        if not ready:
            return []
        group = min(ready, key=lambda group: group[0].arrived)
        count, rows = 1, group[0].size
        while count < len(group) and rows + group[count].size <= self._options.most_rows:
            rows += group[count].size
            count += 1
        batch = group[:count]
        for request in batch:
            self._forget(request)
        return batch

    def _is_ready(self, group: list[_Request]) -> bool:
        oldest = group[0]
        if oldest.rows is None or sum(request.size for request in group) >= self._options.most_rows:
            return True
        return time.monotonic() >= oldest.arrived + self._options.timeout

    def _forget(self, request: _Request) -> None:
        group = self._waiting.get(request.key, [])
        if request in group:
            group.remove(request)
            self.queue_length -= 1
        if not group:
            self._waiting.pop(request.key, None)

    def _finish(self, batch: list[_Request], done: asyncio.Future) -> None:
        """Delivers a batch's answers; results for disconnected clients are discarded."""
        self._free += 1
        self._start_batches()
        if done.cancelled():
            return
        answers, rows = done.result()
        self._observe(rows)
        for request, answer in zip(batch, answers, strict=True):
            if request.answer.done():
                continue
            if isinstance(answer, Exception):
                request.answer.set_exception(answer)
            else:
                request.answer.set_result((answer, rows))


def run_batch(batch: list[_Request], sizes: tuple[int, ...]) -> tuple[list[Arrays | Exception], int]:
    """Runs requests together on a worker thread; never raises.

    Returns:
        For each request its outputs or an error, and the number of rows that ran together (1 without rows).
    """
    rows = sum(request.size for request in batch)
    if batch[0].rows is not None:
        try:
            return _run_joined(batch, _filled_up(rows, sizes)), rows
        except _NotByRows:
            batch[0].signature.by_rows = False
        except Exception as error:
            if len(batch) == 1:
                return [from_model(error)], rows
            # One of them is faulty, or they are too large together; alone each gets its own answer.
            if not isinstance(error, tf.errors.InvalidArgumentError | tf.errors.ResourceExhaustedError):
                return [error] * len(batch), rows
            return [run_batch([request], sizes)[0][0] for request in batch], rows
    return [_run_alone(request) for request in batch], rows


class _NotByRows(Exception):
    """Outputs and inputs differ in their number of rows."""


def _run_joined(batch: list[_Request], size: int) -> list[Arrays | Exception]:
    """Joins inputs by rows, pads to `size` with copies of the last row, and splits the outputs."""
    first = batch[0]
    joined = {}
    for name in first.inputs:
        parts = [request.inputs[name] for request in batch]
        missing = size - sum(len(part) for part in parts)
        parts += [parts[-1][-1:]] * missing
        joined[name] = np.concatenate(parts) if len(parts) > 1 else parts[0]
    outputs = first.signature.run(joined, first.wanted)
    if any(array.shape[:1] != (size,) for array in outputs.values()):
        raise _NotByRows
    answers: list[Arrays | Exception] = []
    start = 0
    for request in batch:
        answers.append({name: array[start : start + request.size] for name, array in outputs.items()})
        start += request.size
    return answers


def _run_alone(request: _Request) -> Arrays | Exception:
    try:
        return request.signature.run(request.inputs, request.wanted)
    except Exception as error:
        return from_model(error)


def _filled_up(rows: int, sizes: tuple[int, ...]) -> int:
    """The smallest allowed size for the rows, or their number if none is large enough."""
    place = bisect_left(sizes, rows)
    return sizes[place] if place < len(sizes) else rows
