"""The package's log on the standard error stream."""

import faulthandler
import logging
import os
import sys


def configure(verbose: bool) -> None:
    """Shows warnings as plain sentences; with `verbose` all messages, their sources, and native libraries' logs.

    Call it before TensorFlow is imported, which reads its level from the environment.
    """
    handler = _AboveBars()
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s" if verbose else "%(message)s"))
    logger = logging.getLogger("tf_unseen_pose")
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING)
    # Some libraries give the root logger a handler, which would repeat every message.
    logger.propagate = False
    if not verbose:
        # TensorFlow's notes about the machine are noise to users.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        for library in ("tensorflow", "apache_beam"):
            logging.getLogger(library).setLevel(logging.ERROR)
        _silence_native_libraries()


def _silence_native_libraries() -> None:
    """Discards what native libraries, and child processes, write to file descriptor 2; Python's stderr stays.

    MediaPipe and LiteRT log notes about the machine at every start, and have no setting against it.
    """
    try:
        if sys.stderr.fileno() != 2:
            return
    except (AttributeError, OSError):  # It is closed, or replaced by one without a descriptor.
        return
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    faulthandler.enable(sys.stderr)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


class _AboveBars(logging.Handler):
    """Writes to the standard error stream without tearing progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        tqdm.write(self.format(record), file=sys.stderr)
