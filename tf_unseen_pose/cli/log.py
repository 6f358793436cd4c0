"""The package's log on the standard error stream."""

import logging
import os
import sys


def configure(verbose: bool) -> None:
    """Shows warnings as plain sentences; with `verbose` all messages, their sources, and TensorFlow's log.

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
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


class _AboveBars(logging.Handler):
    """Writes to the standard error stream without tearing progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        tqdm.write(self.format(record), file=sys.stderr)
