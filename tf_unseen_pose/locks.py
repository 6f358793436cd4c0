"""One process at a time: in a folder that it writes, or at a file that it fetches.

The lock is the operating system's, on a file that names who holds it. The kernel frees it when the process ends, in
whatever way: one that was left behind is no obstacle. Where a file system has no such locks, as some network file
systems, `filelock` takes a file's existence for one, and breaks it where its process is gone from this machine; what a
process on another machine has left must be deleted, which the sentence says. Where neither can be had, because the
folder may not be written or its file system answers otherwise, work goes on without a lock.
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
    """Keeps a folder, which is made where there is none, for this process; one that stays empty is removed.

    Raises:
        UserError: another process is at work there; says which.
    """
    made = not folder.exists()
    lock = FileLock(folder / LOCK_NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _acquire(lock, wait=False)
    except Timeout as error:
        raise UserError(f"{_holder(folder / LOCK_NAME)} is using {folder}; wait until it ends, or stop it.") from error
    except OSError as error:
        # A file, or a place that may not be written: what is to be done there has its own sentence for that.
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
    """Takes a lock and leaves a note of who has it.

    Raises:
        Timeout: another process has it, and nobody waits.
    """
    with warnings.catch_warnings():
        # That a file stands for the lock is documented, and nothing that the user could change.
        warnings.simplefilter("ignore")
        lock.acquire(timeout=-1 if wait else 0)
    # A file that stands for the lock has the same two lines already.
    if _note(Path(lock.lock_file)) != (os.getpid(), platform.node()):
        Path(lock.lock_file).write_text(f"{os.getpid()}\n{platform.node()}\n")


def _release(lock: FileLock) -> None:
    if lock.is_locked:
        # Before it is released: nobody can hold a lock on a file that is gone, as `filelock` checks.
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _note(place: Path) -> tuple[int, str] | None:
    """Process id and machine of who holds a lock; None where that is not known (yet)."""
    try:
        number, machine = place.read_text().splitlines()[:2]
        return int(number), machine
    except (OSError, ValueError):
        return None


def _holder(place: Path) -> str:
    """Who holds a lock, for the beginning of a sentence."""
    note = _note(place)
    if note is None:
        return "Another process"
    if note[1] == platform.node():
        return f"Process {note[0]}"
    return f"Process {note[0]} on {note[1]} (if it is gone: delete {place})"
