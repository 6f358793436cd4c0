"""Locks: one process at a time writes a folder or downloads a file.

The lock is the operating system's, on a file that names the holder. The kernel releases it when the process ends, so a
lock file that stays behind is no obstacle. On file systems without locks, as some network file systems, `filelock` uses
the file's existence and breaks the lock if its process no longer runs on this machine; the file of a process on another
machine must be deleted, as the message says. If neither works (a read-only folder, say), work goes on without a lock.
"""

import contextlib
import logging
import os
import platform
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from tf_unseen_pose.errors import UserError

_log = logging.getLogger(__name__)

LOCK_NAME = ".lock"


@contextlib.contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Locks a folder for this process; creates it, and removes it again if it stays empty.

    Raises:
        UserError: another process uses it; the message names it.
    """
    made = not folder.exists()
    lock = FileLock(folder / LOCK_NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _acquire(lock, wait=False)
    except Timeout as error:
        raise UserError(f"{_holder(folder / LOCK_NAME)} is using {folder}; wait until it ends, or stop it.") from error
    except OSError as error:
        # A file, or a read-only place; the work itself reports that.
        _log.info("%s cannot be locked: %s", folder, error)
    try:
        yield
    finally:
        _release(lock)
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def waiting_for(path: Path) -> Iterator[None]:
    """Waits, with a warning, while another process writes a file."""
    place = path.with_name(f".{path.name}{LOCK_NAME}")
    lock = FileLock(place)
    try:
        try:
            _acquire(lock, wait=False)
        except Timeout:
            _log.warning("%s fetches %s; waiting for it.", _holder(place), path)
            _acquire(lock, wait=True)
    except OSError as error:
        _log.info("%s cannot be locked: %s", path, error)
    try:
        yield
    finally:
        _release(lock)


def _acquire(lock: FileLock, wait: bool) -> None:
    """Takes a lock and notes its holder.

    Raises:
        Timeout: another process holds it, and `wait` is false.
    """
    with warnings.catch_warnings():
        # The soft lock that `filelock` falls back to here is documented; users cannot change it.
        warnings.simplefilter("ignore")
        lock.acquire(timeout=-1 if wait else 0)
    # A soft lock already has these two lines.
    if _note(Path(lock.lock_file)) != (os.getpid(), platform.node()):
        Path(lock.lock_file).write_text(f"{os.getpid()}\n{platform.node()}\n")


def _release(lock: FileLock) -> None:
    if lock.is_locked:
        # Before the release: `filelock` checks that nobody locks a deleted file.
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _note(place: Path) -> tuple[int, str] | None:
    """Process id and machine of a lock's holder; None while unknown."""
    try:
        number, machine = place.read_text().splitlines()[:2]
        return int(number), machine
    except (OSError, ValueError):
        return None


def _holder(place: Path) -> str:
    """The holder of a lock, as the beginning of a sentence."""
    note = _note(place)
    if note is None:
        return "Another process"
    if note[1] == platform.node():
        return f"Process {note[0]}"
    return f"Process {note[0]} on {note[1]} (if it is gone: delete {place})"
