"""Bundled models and configurations, and the checksums that verify them.

    saved_models/lite/1/        a run and a SavedModel in one folder, with SHA256SUMS of all its files
    saved_models/lite/tflite/   one .tflite file per variant, likewise
    configs/                    configurations to start from

Commands take "lite" for the newest version of the bundled model.
"""

from collections.abc import Iterator
from pathlib import Path

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import checksum, replacing

SUMS = "SHA256SUMS"
_PACKAGE = Path(__file__).parents[1]
# Beside the package in a checkout, inside it where it is installed.
_ROOTS = (_PACKAGE.parent, _PACKAGE)
_PLACES = tuple(root / "saved_models" for root in _ROOTS)
_WAY_OUT = "restore the folder (git checkout, or reinstall the package)"


def model_folder(path: Path | str) -> Path:
    """The folder itself, or the newest version of the bundled model of that name.

    Raises:
        UserError: a file does not match the folder's checksums.
    """
    path = Path(path)
    if not path.exists():
        path = _newest(_bundled(path)) or path
    if (path / SUMS).is_file():
        _check(path)
    return path


def versions_folder(path: Path) -> Path:
    """The folder itself, or that of the bundled model of that name: a folder of versions, as servers read it."""
    bundled = _bundled(path)
    return bundled if bundled.is_dir() and not path.exists() else path


def has_tflite_file(path: Path | str) -> bool:
    """Whether `tflite_file` finds any variant there."""
    return Path(path).suffix == ".tflite" or _tflite_folder(Path(path)) is not None


def tflite_file(path: Path | str, variant: str) -> Path:
    """A .tflite file itself, or a variant from a folder of them or from a bundled model.

    Raises:
        UserError: the folder has no such variant, or a file does not match the folder's checksums.
    """
    path = Path(path)
    if path.suffix == ".tflite":
        return path
    folder = _tflite_folder(path)
    if folder is None:
        raise UserError(f"{path} is neither a .tflite file nor a folder of them; create some with 'export --tflite'.")
    file = folder / f"{variant}.tflite"
    if not file.is_file():
        there = ", ".join(sorted(entry.stem for entry in folder.glob("*.tflite")))
        raise UserError(f"{folder} has no variant '{variant}', it has {there}; choose one of these.")
    if (folder / SUMS).is_file():
        _check(folder)
    return file


def _tflite_folder(path: Path) -> Path | None:
    places = [path, path / "tflite", *(place / path / "tflite" for place in _PLACES)]
    return next((place for place in places if any(place.glob("*.tflite"))), None)


def verified(name: str) -> Iterator[Path]:
    """The folders of a bundled model (newest version, .tflite files), each verified just before.

    Raises:
        UserError: the next folder or its checksums are missing, or a file does not match.
    """
    place = _bundled(name)
    for folder in (_newest(place) or place / "1", place / "tflite"):
        if not (folder / SUMS).is_file():
            raise UserError(f"{folder} is not there, or has no {SUMS}; {_WAY_OUT}.")
        _check(folder)
        yield folder


def config_file(path: str) -> Path:
    """A file itself, or the bundled `configs/NAME.yaml`, whatever the current folder."""
    file = Path(path)
    if file.parent == Path("configs") and not file.is_file():
        file = next((root / file for root in _ROOTS if (root / file).is_file()), file)
    return file


def _bundled(name: Path | str) -> Path:
    """The bundled model's folder of versions, or where it would be installed."""
    return next((place / name for place in _PLACES if (place / name).is_dir()), _PLACES[-1] / name)


def _newest(folder: Path) -> Path | None:
    versions = [entry for entry in folder.glob("*/") if entry.name.isdigit()] if folder.is_dir() else []
    return max(versions, key=lambda entry: int(entry.name), default=None)


def write_sums(folder: Path) -> None:
    """Writes the checksums of all files below a folder, as `sha256sum` does."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    with replacing(folder / SUMS) as temporary:
        temporary.write_text("".join(f"{checksum(folder / name)}  {name}\n" for name in names))


def _check(folder: Path) -> None:
    way_out = f"{_WAY_OUT}, or delete that file if you changed the model"
    for line in (folder / SUMS).read_text().splitlines():
        expected, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file():
            raise UserError(f"{path} is missing, which {SUMS} beside it lists; {way_out}.")
        if checksum(path) != expected:
            raise UserError(f"{path} is damaged: its checksum is not the one in {folder / SUMS}; {way_out}.")
