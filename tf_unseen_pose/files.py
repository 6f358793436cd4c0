"""Atomic writing of files, checksums, and checks of output paths."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tf_unseen_pose.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, with its suffix, and renames it to `path` at the end.

    After an error the temporary file is removed and `path` is unchanged. The name is unique: of two processes that
    write the same file, the later one's remains, complete. System errors name `path`.
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
    """Renames the file in system errors to the name that users know; some libraries also put it into their message.

    Args:
        temporary: part of the temporary path.
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
    """Checks, before minutes of work, that the folder of `path` exists and is writable.

    Raises:
        UserError: it does not exist, or is not writable.
    """
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to write {path.name} to; create it first.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UserError(f"The folder {path.parent} may not be written; choose another place for {path.name}.")


def require_other_file(output: Path, *inputs: Path | None, force: bool = False) -> None:
    """Refuses to overwrite an input.

    Args:
        inputs: files that are read; None entries are ignored.
        force: the user allows it.

    Raises:
        UserError: the output is one of the inputs.
    """
    if force or not output.exists():
        return
    if any(path is not None and path.exists() and path.samefile(output) for path in inputs):
        raise UserError(f"The result would overwrite {output}, which is read; choose another name, or add --force.")
