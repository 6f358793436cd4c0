"""Writing files so that nobody ever reads half of one, and telling whether one has changed."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tf_unseen_pose.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside `path`, with its ending, to write to; renames it to `path` at the end.

    After an error the temporary file is removed, and what `path` held before is still there.
    """
    temporary = path.with_name(f".partial-{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_folder(path: Path) -> None:
    """Finds out before minutes of work whether there is a folder to write `path` to.

    Raises:
        UserError: there is none.
    """
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to write {path.name} to; create it first.")
