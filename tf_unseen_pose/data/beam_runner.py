"""Runs a function on every item by an Apache Beam runner, and turns what runners report into one sentence."""

import contextlib
import importlib
import io
import logging
from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, SetupOptions, StandardOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from google.protobuf import json_format

from tf_unseen_pose.errors import UserError

_log = logging.getLogger(__name__)
# Beam has no short name for this one.
_DASK = "apache_beam.runners.dask.dask_runner"


def options_of(flags: Sequence[str]) -> PipelineOptions:
    """Beam's options from flags such as --runner=DaskRunner, checked as far as that works without the runner.

    Raises:
        UserError: no such runner, a package it needs is missing, or a wrong or missing option.
    """
    long = f"--runner={_DASK}.DaskRunner"
    flags = [long if flag == "--runner=DaskRunner" else flag for flag in flags]
    if is_dask := long in flags:
        _require_dask()
        # Beam puts 128 items together, too many for clips that take minutes each.
        if not any(flag.startswith(("--dask_npartitions", "--dask_partition_size")) for flag in flags):
            flags.append("--dask_partition_size=1")
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            options = PipelineOptions(flags)
            known, given = (set(options.get_all_options(retain_unknown_options=keep)) for keep in (False, True))
        # Clips refer to functions of this package by name; nothing of the starting process is to travel with them.
        options.view_as(SetupOptions).save_main_session = False
        runner = beam.runners.create_runner(options.view_as(StandardOptions).runner)
        faults = PipelineOptionsValidator(options, runner).validate()
    except SystemExit as error:
        raise _refused(flags, complaint.getvalue().strip().rpartition("error: ")[2]) from error
    except (ImportError, ValueError) as error:
        raise _refused(flags, error) from error
    if faults:
        raise _refused(flags, faults[0])
    if unknown := sorted(given - known):
        sentence = f"Beam's Python SDK does not know the option {', '.join(unknown)}"
        if is_dask or "Direct" in type(runner).__name__:
            raise UserError(f"{sentence}; its documentation lists the options of runners.")
        _log.warning("%s; the runner gets it as it is.", sentence)
    return options


def _require_dask() -> None:
    try:
        importlib.import_module("dask.distributed")
        importlib.import_module(_DASK)
    except ImportError as error:
        raise UserError(
            f"DaskRunner needs the package '{error.name}'; run 'pip install -r requirements-beam.txt'."
        ) from error


def _refused(flags: Sequence[str], error: object) -> UserError:
    reason = str(error).partition(". ")[0].rstrip(".")
    return UserError(
        f"Apache Beam refuses {' '.join(flags)} ({reason}); its documentation lists runners and their options."
    )


def run_map(name: str, items: list, function: Callable[..., None], options: PipelineOptions) -> None:
    """Calls `function` with every item, a tuple of arguments, on the runner's workers.

    A runner may call it twice for an item, at the same time.

    Raises:
        UserError: the function raised one, or the runner gave up.
    """
    if not items:
        return
    result = None
    try:
        result = _pipeline(name, items, function, options).run()
        result.wait_until_finish()
    except Exception as error:
        raise _what_failed(name, error) from error
    finally:
        # Dask's; without it the cluster keeps the results.
        if client := getattr(result, "client", None):
            client.close()


def graph_of_map(name: str, items: list, function: Callable[..., None], options: PipelineOptions) -> dict[str, Any]:
    """The portable pipeline of `run_map`, as JSON."""
    return json_format.MessageToDict(_pipeline(name, items, function, options).to_runner_api())


def _pipeline(name: str, items: list, function: Callable[..., None], options: PipelineOptions) -> beam.Pipeline:
    pipeline = beam.Pipeline(options=options)
    _ = pipeline | "Items" >> beam.Create(items) | name >> beam.MapTuple(function)
    return pipeline


def _what_failed(name: str, error: Exception) -> Exception:
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, UserError):
            # Beam adds the step to the sentence.
            return UserError(str(chain).removesuffix(f" [while running '{name}']"))
        chain = chain.__cause__
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return UserError(
        f"The runner gave up '{name}' ({type(error).__name__}: {reason}); mend this and run the command again, which "
        "goes on where this one stopped."
    )
