"""Files that are fetched once, checked, and kept in the user's cache."""

import os
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from tqdm import tqdm

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import checksum, replacing

_TIMEOUT = 30  # Seconds without an answer.
_CHUNK = 1 << 18


def default_cache() -> Path:
    """Where fetched files are kept: `tf_unseen_pose/models` below $XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tf_unseen_pose" / "models"


def fetch(
    url: str,
    sha256: str,
    otherwise: str,
    size: int | None = None,
    name: str | None = None,
    cache: Path | None = None,
) -> Path:
    """The cached file if its checksum is right, else the one that `url` gives.

    Args:
        url: where the file comes from.
        sha256: checksum of the file, in hexadecimal.
        otherwise: the way out where it cannot be fetched, as the end of a sentence: "or give it with --model FILE".
        size: in bytes, for the progress bar on stderr.
        name: what the file is called in the cache; by default as in the URL.
        cache: folder; by default `default_cache()`.

    Raises:
        UserError: no network, a refusal by the server, a wrong checksum, a full disk; the sentence says where the file
            may be put by hand.
    """
    path = _place(url, name, cache)
    try:
        if cached(url, sha256, name, cache):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            _download(url, temporary, path.name, size)
            if checksum(temporary) != sha256:
                raise OSError("its checksum is wrong, so it is damaged or incomplete")
    except (OSError, HTTPException) as error:
        reason = error.reason if type(error) is urllib.error.URLError else error
        raise UserError(
            f"{path.name} could not be fetched ({reason}); download {url} by other means and put it at {path}, "
            f"{otherwise}."
        ) from error
    return path


def cached(url: str, sha256: str, name: str | None = None, cache: Path | None = None) -> Path | None:
    """The file if it was fetched before and its checksum is right; see `fetch`."""
    path = _place(url, name, cache)
    return path if path.is_file() and checksum(path) == sha256 else None


def _place(url: str, name: str | None, cache: Path | None) -> Path:
    return (cache or default_cache()) / (name or url.rsplit("/", 1)[-1])


def _download(url: str, path: Path, label: str, size: int | None) -> None:
    with (
        urllib.request.urlopen(url, timeout=_TIMEOUT) as response,
        path.open("wb") as file,
        tqdm(total=size, unit="B", unit_scale=True, desc=label, leave=False) as progress,
    ):
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            progress.update(len(chunk))
