"""The server's metrics for Prometheus."""

from collections.abc import Callable
from typing import Any, TypeVar
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server

from tf_unseen_pose.errors import UserError

_PREFIX = "unseen_pose_serving"
_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_ROWS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)
_Kind = TypeVar("_Kind", Counter, Gauge, Histogram)


class Metrics:
    """Counters of one server. Unknown names from clients are not labels, since they would fill the memory."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._page: WSGIServer | None = None
        # The memory and processor time of the process.
        ProcessCollector(namespace=_PREFIX, registry=self._registry)
        self._requests = self._make(Counter, "requests", "Calls that ended.", "method", "signature", "code")
        self._seconds = self._make(
            Histogram,
            "request_seconds",
            "From a call's arrival to its answer.",
            "method",
            "signature",
            buckets=_SECONDS,
        )
        self._versions = self._make(Gauge, "versions_loaded", "Versions that are available, of all models.")
        self._rows = self._make(Histogram, "batch_rows", "Rows that ran together.", buckets=_ROWS)
        self._received = self._make(Counter, "received_bytes", "Bytes of requests.")
        self._sent = self._make(Counter, "sent_bytes", "Bytes of responses.")

    def watch_queue(self, length: Callable[[], int]) -> None:
        """Shows the queue's length, read on another thread on each scrape."""
        self._make(Gauge, "queue_length", "Requests that wait for the model.").set_function(length)

    def versions(self, count: int) -> None:
        """Sets the number of available versions of all models."""
        self._versions.set(count)

    def request(self, method: str, signature: str, code: str, seconds: float, received: int, sent: int) -> None:
        """Counts a finished call; `signature` is empty if unknown."""
        self._requests.labels(method, signature, code).inc()
        self._seconds.labels(method, signature).observe(seconds)
        self._received.inc(received)
        self._sent.inc(sent)

    def batch(self, rows: int) -> None:
        """Counts a batch."""
        self._rows.observe(rows)

    def serve(self, host: str, port: int) -> int:
        """Opens the page http://HOST:PORT/metrics; returns the port, a free one for 0.

        Raises:
            UserError: the port is not available.
        """
        try:
            self._page, _ = start_http_server(port, host, self._registry)
        except OSError as error:
            raise UserError(
                f"Port {port} of {host} is not available for metrics ({error.strerror}); choose another."
            ) from None
        return self._page.server_port

    def close(self) -> None:
        """Closes the page."""
        if self._page:
            self._page.shutdown()
            self._page.server_close()

    def _make(self, kind: type[_Kind], name: str, text: str, *labels: str, **options: Any) -> _Kind:
        return kind(f"{_PREFIX}_{name}", text, labels, registry=self._registry, **options)
