"""The embedded server: ports, TLS, health, reflection, polling for versions, and graceful shutdown.

It uses gRPC on asyncio: on one thread, the queue, versions and counters need no locks, waiting calls and idle streams
cost no threads, and a disconnected client is an exception where its request waits.
"""

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from grpc_reflection.v1alpha import reflection

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.serving.access import BearerToken
from tf_unseen_pose.serving.batching import Batcher, BatchOptions
from tf_unseen_pose.serving.endpoint import Endpoints
from tf_unseen_pose.serving.health import HEALTH_SERVICE, Health
from tf_unseen_pose.serving.logs import Log
from tf_unseen_pose.serving.model_list import read_model_list
from tf_unseen_pose.serving.prometheus import Metrics
from tf_unseen_pose.serving.served_models import Models, ModelSettings, numbered_folders
from tf_unseen_pose.serving.service import MODEL_SERVICE, PREDICTION_SERVICE, Service
from tf_unseen_pose.serving.tensors import Limits
from tf_unseen_pose.serving.tls import Tls

if TYPE_CHECKING:
    from tf_unseen_pose.serving.rest import RestServer

# Calls besides those that wait or run: health, status, and those about to be rejected.
_SPARE_CALLS = 64
# Seconds for answers in flight and unused streams after the last request.
_LAST_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """Options of the server.

    Attributes:
        path: the folder of version folders; None with a list.
        name: of the model in that folder; the folder's name by default.
        model_list: a file that names models; see `model_list`.
        host, port: to listen at; port 0 takes a free one.
        tls: None for plain text.
        token: required of clients; None for everybody.
        insecure_token: accept it without TLS, where anybody on the network can read it.
        allow_reload: let clients change the list of models.
        rest_port: of TensorFlow Serving's REST API; None for none.
        metrics_port: of the Prometheus metrics; None for none.
        grace: seconds for running requests after SIGTERM.
        poll: seconds between checks of the folder.
    """

    path: Path | None = None
    name: str | None = None
    model_list: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8500
    limits: Limits = Limits(message_bytes=32 * 2**20, pixels=50_000_000, rows=64)
    batching: BatchOptions = field(default_factory=BatchOptions)
    tls: Tls | None = None
    token: str | None = None
    insecure_token: bool = False
    allow_reload: bool = False
    rest_port: int | None = None
    metrics_port: int | None = None
    grace: float = 30.0
    poll: float = 1.0

    def settings(self) -> list[ModelSettings]:
        """The models to serve.

        Raises:
            UserError: there are none, or a folder and a list are named.
        """
        if bool(self.path) == bool(self.model_list):
            raise UserError("Name either a folder of versions to serve, or a list of models with --model-config.")
        if self.model_list:
            return read_model_list(self.model_list)
        assert self.path
        require_versions(self.path)
        path = self.path.resolve()
        return [ModelSettings(self.name or path.name, path)]


class Server:
    """Serves folders of versions; create, start and stop it on one running event loop.

    Raises:
        UserError: there is nothing to serve, a TLS file is missing or invalid, or a token would be sent unencrypted.
    """

    def __init__(self, options: Options, log: Log | None = None):
        self._options, self._log = options, log or Log()
        self._settings = options.settings()
        if options.token and not (options.tls or options.insecure_token):
            raise UserError(
                "Without TLS anybody on the network can read the token; give --tls-key and --tls-cert, or "
                "--insecure-token in a trusted network."
            )
        self._credentials = options.tls.credentials() if options.tls else None
        self._threads = ThreadPoolExecutor(options.batching.threads, "model")
        self._loader = ThreadPoolExecutor(1, "loader")
        self._metrics = Metrics()
        self._models = Models(self._loader, self._log)
        self._batcher = Batcher(options.batching, self._threads, self._metrics.batch)
        self._metrics.watch_queue(lambda: self._batcher.queue_length)
        self._endpoints = Endpoints(self._log, self._metrics, options.limits.message_bytes)
        self._health = Health((PREDICTION_SERVICE, MODEL_SERVICE))
        homes = tuple({entry.path.parent for entry in self._settings}) if options.allow_reload else None
        service = Service(self._models, self._batcher, options.limits, homes, self._show_state)
        self._grpc, self._service = self._made(service), service
        self._rest: RestServer | None = None
        self._rest_ended: asyncio.Task | None = None
        self._polling: asyncio.Task | None = None
        self.port = self.rest_port = self.metrics_port = 0

    async def start(self) -> list[str]:
        """Loads the models and begins to answer; returns their names and versions in words.

        Raises:
            UserError: a port is taken, or no version can be loaded.
        """
        self.port = self._listen()
        rest = self._listen_for_rest()
        if self._options.metrics_port is not None:
            self.metrics_port = self._metrics.serve(self._options.host, self._options.metrics_port)
        if faults := await self._models.reconfigure(self._settings):
            raise UserError(" ".join(faults))
        self._show_state()
        await self._grpc.start()
        if rest:
            await self._start_rest(rest)
        self._polling = asyncio.create_task(self._poll())
        return [f"{model.name}, version {', '.join(map(str, model.available))}," for model in self._models]

    async def stop(self) -> bool:
        """Shuts down gracefully: no new requests, running ones get the grace time.

        Returns:
            Whether all threads are idle; else a model still computes.
        """
        self._health.close()
        if self._polling:
            self._polling.cancel()
        stopping = asyncio.create_task(self._grpc.stop(self._options.grace))
        if self._rest:
            self._rest.should_exit = True
        end = time.monotonic() + self._options.grace
        while self._endpoints.running and time.monotonic() < end:
            await asyncio.sleep(0.01)
        # Only answers in flight and unused streams remain.
        await self._grpc.stop(min(_LAST_SECONDS, self._options.grace))
        await stopping
        if self._rest_ended:
            await self._rest_ended
        self._metrics.close()
        for executor in (self._threads, self._loader):
            executor.shutdown(wait=False, cancel_futures=True)
        return self._batcher.is_idle

    def _made(self, service: Service) -> grpc.aio.Server:
        options, batching = self._options, self._options.batching
        made = grpc.aio.server(
            interceptors=[BearerToken(options.token, self._endpoints.refused)] if options.token else [],
            # Further calls are rejected unread, which bounds the memory to this many messages of the largest size.
            maximum_concurrent_rpcs=batching.queue + batching.threads * batching.most_rows + _SPARE_CALLS,
            options=[
                # gRPC reads messages up to this, so that the endpoint can reject them. Larger ones it rejects
                # itself, with a code that other clients take for "try again".
                ("grpc.max_receive_message_length", 2 * options.limits.message_bytes),
                ("grpc.max_send_message_length", -1),
                # Otherwise a second server could share the port and the calls.
                ("grpc.so_reuseport", 0),
            ],
        )
        made.add_generic_rpc_handlers((*service.handlers(self._endpoints), self._health.handler()))
        reflection.enable_server_reflection(
            (PREDICTION_SERVICE, MODEL_SERVICE, HEALTH_SERVICE, reflection.SERVICE_NAME), made
        )
        return made

    def _listen(self) -> int:
        """Binds the port; returns it."""
        host, port = self._options.host, self._options.port
        way_out = "choose another port or host"
        try:
            # gRPC would only report a failure in several lines.
            with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
                pass
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            if self._credentials:
                return self._grpc.add_secure_port(address, self._credentials)
            return self._grpc.add_insecure_port(address)
        except OSError as error:
            raise UserError(f"Port {port} of {host} is not available ({error.strerror or error}); {way_out}.") from None
        except RuntimeError:
            raise UserError(f"Port {port} of {host} is not available; {way_out}.") from None

    def _listen_for_rest(self) -> socket.socket | None:
        """Binds the REST port, if any."""
        host, port = self._options.host, self._options.rest_port
        if port is None:
            return None
        try:
            listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            raise UserError(f"Port {port} of {host} is not available ({error.strerror}); choose another.") from None
        self.rest_port = listening.getsockname()[1]
        return listening

    async def _start_rest(self, listening: socket.socket) -> None:
        # Its packages are optional.
        from tf_unseen_pose.serving.rest import Rest, RestServer

        options = self._options
        app = Rest(self._service, self._endpoints, options.limits.message_bytes, options.token).app()
        self._rest = RestServer(app, options.tls, options.batching.queue + _SPARE_CALLS, options.grace)
        self._rest_ended = asyncio.create_task(self._rest.serve([listening]))
        while not self._rest.started and not self._rest_ended.done():
            await asyncio.sleep(0.01)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._options.poll)
            try:
                await self._models.refresh()
            # The folder may be temporarily unavailable; loaded versions are still served.
            except OSError as error:
                self._log.failure(error)
            self._show_state()

    def _show_state(self) -> None:
        self._health.set(self._models.ready)
        self._metrics.versions(sum(len(model.available) for model in self._models))


async def serve(options: Options, announce: Callable[[str], None]) -> bool:
    """Serves until SIGTERM or SIGINT; returns the result of `Server.stop`.

    Args:
        announce: callback with a sentence once requests are answered.

    Raises:
        UserError: as `Server` and `Server.start` do.
    """
    server = Server(options)
    served = await server.start()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    announce(f"Serving {'; '.join(served)} at {options.host}:{server.port}.")
    if options.rest_port is not None:
        announce(f"REST at http{'s' if options.tls else ''}://{options.host}:{server.rest_port}/v1/models.")
    if options.metrics_port is not None:
        announce(f"Metrics at http://{options.host}:{server.metrics_port}/metrics.")
    await ended.wait()
    return await server.stop()


def require_versions(path: Path) -> None:
    """Checks that a folder contains a version.

    Raises:
        UserError: the folder is missing or has no version.
    """
    if not path.is_dir():
        raise UserError(f"There is no folder {path} to serve; name the folder that 'export' wrote versions to.")
    if (path / "saved_model.pb").is_file():
        raise UserError(f"{path} is a version itself; name the folder above it.")
    if not numbered_folders(path):
        raise UserError(
            f"{path} holds no version: a SavedModel in a folder whose name is a number, as 'export' writes it."
        )
