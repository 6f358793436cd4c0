"""Files that are downloaded once, verified, and cached."""

import logging
import os
from pathlib import Path

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import checksum

_TIMEOUT = 30  # seconds
_CHUNK = 1 << 18


def default_cache() -> Path:
    """The folder of downloaded files: `tf_unseen_pose/models` below $XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tf_unseen_pose" / "models"


def fetch(url: str, sha256: str, otherwise: str) -> Path:
    """The cached file if its checksum is right, else a download from `url`, with one retry.

    Waits if another process is already downloading it.

    Args:
        url: its last part is the file's name.
        sha256: checksum of the file, in hexadecimal.
        otherwise: another way out, as the end of the error message: "or give it with --model FILE".

    Raises:
        UserError: no network, a refusal by the server, a wrong checksum, a full disk; the message says where to put
            the file by hand.
    """
    path = _place(url)
    try:
        if not cached(url, sha256):
            _download_alone(url, sha256, path)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path.name} could not be fetched ({_reason(error)}); download {url} by other means and put it at {path}, "
            f"{otherwise}."
        ) from error
    return path


def cached(url: str, sha256: str) -> Path | None:
    """The file if it is cached and its checksum is right; see `fetch`."""
    path = _place(url)
    return path if path.is_file() and checksum(path) == sha256 else None


def _place(url: str) -> Path:
    return default_cache() / url.rsplit("/", 1)[-1]


def _download_alone(url: str, sha256: str, path: Path) -> None:
    """Downloads the file, unless another process has done so meanwhile."""
    # Imported here since 'doctor' runs where packages are missing.
    from tf_unseen_pose.locks import waiting_for

    path.parent.mkdir(parents=True, exist_ok=True)
    with waiting_for(path):
        if not cached(url, sha256):
            _download(url, sha256, path)


def _download(url: str, sha256: str, path: Path) -> None:
    import pooch
    from tqdm import tqdm

    # Its log level follows this package's.
    pooch.get_logger().setLevel(logging.getLogger(__name__).getEffectiveLevel())
    store = pooch.create(path.parent, "", registry={path.name: sha256}, urls={path.name: url}, retry_if_failed=1)
    # The server's answer sets the total.
    with tqdm(total=1, unit="B", unit_scale=True, desc=path.name, leave=False) as bar:
        store.fetch(path.name, downloader=pooch.HTTPDownloader(bar, _CHUNK, timeout=_TIMEOUT))


def _reason(error: BaseException) -> str:
    """The root cause, without the exceptions that wrap it."""
    if not isinstance(error, OSError):
        return "its checksum is wrong, so it is damaged or incomplete"
    while error.__context__:
        error = error.__context__
    return str(error)
