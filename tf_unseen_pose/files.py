"""Writing files so that nobody ever reads half of one, and telling whether one has changed."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tf_unseen_pose.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside `path`, with its ending, to write to; renames it to `path` at the end.

    After an error the temporary file is removed, and what `path` held before is still there. The name is nobody else's:
    of two processes that write the same file, the later one's is left, whole. An error of the system names `path`.
    """
    temporary = path.with_name(f".partial-{secrets.token_hex(4)}-{path.name}")
    try:
        with errors_name(path.name, temporary.name):
            yield temporary
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def errors_name(name: str, temporary: str) -> Iterator[None]:
    """Errors of the system name a file as users know it; some libraries have its name in their own sentence, too.

    Args:
        temporary: part of a path that nobody knows.
    """
    try:
        yield
    except OSError as error:
        for attribute in ("filename", "filename2", "strerror"):
            if isinstance(text := getattr(error, attribute, None), str):
                setattr(error, attribute, text.replace(temporary, name))
        error.args = tuple(part.replace(temporary, name) if isinstance(part, str) else part for part in error.args)
        raise


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_folder(path: Path) -> None:
    """Finds out before minutes of work whether there is a folder to write `path` to.

    Raises:
        UserError: there is none, or one that may not be written.
    """
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to write {path.name} to; create it first.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UserError(f"The folder {path.parent} may not be written; choose another place for {path.name}.")


def require_other_file(output: Path, *inputs: Path | None, force: bool = False) -> None:
    """Refuses to write over what is read.

    Args:
        inputs: files that are read, None where there is none.
        force: the user wants it.

    Raises:
        UserError: the output is one of the inputs.
    """
    if force or not output.exists():
        return
    if any(path is not None and path.exists() and path.samefile(output) for path in inputs):
        raise UserError(f"The result would overwrite {output}, which is read; choose another name, or add --force.")
