"""The command `serve`."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.errors import UserError


def serve(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="A folder of versions, as 'export' writes it.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at; 0 takes a free one.")] = 8500,
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 for all the network.")] = "127.0.0.1",
    name: Annotated[str | None, typer.Option(help="The model's name.", show_default="the folder's name")] = None,
    model_config: Annotated[
        Path | None, typer.Option(help="Instead of DIR: a file of several models, as TensorFlow Serving's.")
    ] = None,
    max_batch_size: Annotated[int, typer.Option(min=1, help="Rows of requests that run together.")] = 8,
    batch_timeout_ms: Annotated[
        float, typer.Option(min=0, help="How long a request waits for others although the model is idle.")
    ] = 0,
    allowed_batch_sizes: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="Fill batches up to these sizes, e.g. 1,2,4,8.")
    ] = None,
    queue: Annotated[int, typer.Option(min=1, help="Requests that may wait; the next one is refused.")] = 64,
    threads: Annotated[int, typer.Option(min=1, help="Batches that run at a time.")] = 1,
    max_message_mb: Annotated[int, typer.Option(min=1, max=2000, help="The largest request.")] = 32,
    max_pixels: Annotated[int, typer.Option(min=1, help="Of one encoded picture.")] = 50_000_000,
    max_pixels_in_flight: Annotated[
        int, typer.Option(min=1, help="Of the pictures of all requests that wait or run.")
    ] = 100_000_000,
    max_rows: Annotated[int, typer.Option(min=1, help="Rows of one request.")] = 64,
    rest_port: Annotated[int | None, typer.Option(min=0, max=65535, help="Of TensorFlow Serving's REST form.")] = None,
    metrics_port: Annotated[int | None, typer.Option(min=0, max=65535, help="Of Prometheus' page.")] = None,
    grace: Annotated[float, typer.Option(min=0, help="Seconds that requests get to end after SIGTERM.")] = 30,
    poll_seconds: Annotated[float, typer.Option(min=0.01, help="Between looks for new versions.")] = 1,
    tls_key: Annotated[Path | None, typer.Option(help="The private key, PEM; with --tls-cert.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="The certificate chain, PEM; with --tls-key.")] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(help="Certificates (PEM) that must vouch for every client.")
    ] = None,
    token_file: Annotated[Path | None, typer.Option(help="A file with the bearer token to ask for.")] = None,
    insecure_token: Annotated[
        bool, typer.Option("--insecure-token", help="Ask for the token without TLS, too.")
    ] = False,
    allow_reload: Annotated[
        bool, typer.Option("--allow-reload", help="Let clients change which models are served.")
    ] = False,
) -> None:
    """Answer requests over gRPC as TensorFlow Serving does.

    It serves the newest version in a folder, and those that appear there.
    """
    # What can be said before TensorFlow is imported is said at once.
    if folder and not folder.is_dir():
        raise UserError(f"There is no folder {folder} to serve; name the folder that 'export' wrote versions to.")
    if bool(tls_key) != bool(tls_cert):
        raise UserError("TLS needs both --tls-key and --tls-cert; name the other file, too.")
    if tls_client_ca and not tls_cert:
        raise UserError("--tls-client-ca is for TLS; name --tls-key and --tls-cert, too.")
    sizes = _sizes(allowed_batch_sizes, max_batch_size)

    from tf_unseen_pose.serving.access import read_token
    from tf_unseen_pose.serving.batching import BatchOptions
    from tf_unseen_pose.serving.server import Options
    from tf_unseen_pose.serving.server import serve as run
    from tf_unseen_pose.serving.tensors import Limits
    from tf_unseen_pose.serving.tls import Tls

    options = Options(
        path=folder,
        name=name,
        model_list=model_config,
        host=host,
        port=port,
        limits=Limits(max_message_mb * 2**20, max_pixels, max_rows, max_pixels_in_flight),
        batching=BatchOptions(max_batch_size, batch_timeout_ms / 1000, sizes, queue, threads),
        tls=Tls(tls_key, tls_cert, tls_client_ca) if tls_key and tls_cert else None,
        token=read_token(token_file) if token_file else None,
        insecure_token=insecure_token,
        allow_reload=allow_reload,
        rest_port=rest_port,
        metrics_port=metrics_port,
        grace=grace,
        poll=poll_seconds,
    )
    if not asyncio.run(run(options, typer.echo)):
        # A model that computes beyond the grace time cannot be interrupted, and Python would wait for its thread.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _sizes(text: str | None, largest: int) -> tuple[int, ...]:
    """Allowed batch sizes, ascending."""
    if text is None:
        return ()
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"'{text}' is no list of batch sizes; write for example 1,2,4,8.")
    sizes = tuple(sorted({int(part) for part in parts}))
    if sizes[-1] != largest:
        raise UserError(f"The largest allowed batch size, {sizes[-1]}, must be --max-batch-size, {largest}.")
    return sizes
