"""The command `serve`."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tf_unseen_pose.assets.shipped import versions_folder
from tf_unseen_pose.errors import UserError


def serve(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder of versions, written by 'export', or lite.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="gRPC port; 0 takes a free one.")] = 8500,
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for the whole network.")] = "127.0.0.1",
    name: Annotated[str | None, typer.Option(help="Name of the model.", show_default="the folder's name")] = None,
    model_config: Annotated[
        Path | None, typer.Option(help="TensorFlow Serving model config with several models, instead of DIR.")
    ] = None,
    max_batch_size: Annotated[int, typer.Option(min=1, help="Rows that run together.")] = 8,
    batch_timeout_ms: Annotated[
        float, typer.Option(min=0, help="Time a request waits for others while the model is idle.")
    ] = 0,
    allowed_batch_sizes: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="Pad batches to these sizes, e.g. 1,2,4,8.")
    ] = None,
    queue: Annotated[int, typer.Option(min=1, help="Most requests that wait; more are rejected.")] = 64,
    threads: Annotated[int, typer.Option(min=1, help="Batches that run at once.")] = 1,
    max_message_mb: Annotated[int, typer.Option(min=1, max=2000, help="Largest request.")] = 32,
    max_pixels: Annotated[int, typer.Option(min=1, help="Most pixels of one encoded picture.")] = 50_000_000,
    max_pixels_in_flight: Annotated[
        int, typer.Option(min=1, help="Most pixels of all waiting and running requests.")
    ] = 100_000_000,
    max_rows: Annotated[int, typer.Option(min=1, help="Most rows of one request.")] = 64,
    rest_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of TensorFlow Serving's REST API.")
    ] = None,
    metrics_port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the Prometheus metrics.")] = None,
    grace: Annotated[float, typer.Option(min=0, help="Seconds for running requests after SIGTERM.")] = 30,
    poll_seconds: Annotated[float, typer.Option(min=0.01, help="Interval between checks for new versions.")] = 1,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM); with --tls-cert.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM); with --tls-key.")] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(help="CA certificates (PEM) that sign the client certificates.")
    ] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the bearer token that clients must send.")] = None,
    insecure_token: Annotated[
        bool, typer.Option("--insecure-token", help="Accept the token even without TLS.")
    ] = False,
    allow_reload: Annotated[
        bool, typer.Option("--allow-reload", help="Let clients change the list of models.")
    ] = False,
) -> None:
    """Serve models with TensorFlow Serving's protocol.

    The newest version in the folder is served, and newer ones once they appear.
    """
    # Checked before TensorFlow is imported, which takes seconds.
    folder = folder and versions_folder(folder)
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
        # A model that still computes cannot be interrupted, and Python would wait for its thread.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _sizes(text: str | None, largest: int) -> tuple[int, ...]:
    """Allowed batch sizes, ascending."""
    if text is None:
        return ()
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"'{text}' is not a list of batch sizes; write for example 1,2,4,8.")
    sizes = tuple(sorted({int(part) for part in parts}))
    if sizes[-1] != largest:
        raise UserError(f"The largest allowed batch size, {sizes[-1]}, must be --max-batch-size, {largest}.")
    return sizes
