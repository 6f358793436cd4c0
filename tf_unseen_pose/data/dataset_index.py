"""The index of a dataset, `dataset.json`: clips, frames, and their places in the shards."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tf_unseen_pose.data.tfrecord import RECORD_OVERHEAD
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import named_skeleton

INDEX_NAME = "dataset.json"
VERSION = 1

_Count = Annotated[int, Field(ge=0)]
_Side = Annotated[int, Field(ge=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# Slots, since a dataset may have millions of frames.
@dataclass(frozen=True, slots=True)
class Place:
    """The place of a record: it begins `offset` bytes into the shard and has `length` bytes of Example."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    shard: _Count
    offset: _Count
    length: _Count


@dataclass(frozen=True, slots=True)
class FrameEntry(Place):
    """A frame without its pictures."""

    number: int
    width: _Side
    height: _Side
    has_mask: bool
    has_limbs: bool = False


class ClipEntry(_Entry):
    """A clip without its pictures; see `clips.Clip`.

    `rejected` counts the rejected frames by their reason.
    """

    name: str
    action: str
    fps: float = Field(ge=0)
    scene: str
    person: str = ""
    split: Literal["train", "validation"] = "train"
    rejected: dict[str, int] = {}
    format: str = ""
    frames: tuple[FrameEntry, ...] = Field(min_length=1)
    background: Place | None = None

    @property
    def records(self) -> tuple[Place, ...]:
        """The places of its frames and its background."""
        return self.frames if self.background is None else (*self.frames, self.background)


class ShardEntry(_Entry):
    """A shard: its file's name in the dataset's folder, size in bytes and checksum."""

    file: str = Field(pattern=r"^[\w.-]+$")
    size: int = Field(ge=0)
    sha256: str


class Index(_Entry):
    """The content of `dataset.json`.

    `recipe` identifies the dataset's inputs and options, `broken` the unusable clips with reasons.
    """

    version: int
    skeleton: str
    recipe: str
    shards: tuple[ShardEntry, ...]
    clips: tuple[ClipEntry, ...] = Field(min_length=1)
    broken: dict[str, str] = {}


def read_index(path: Path) -> Index:
    """The validated index of the dataset in the folder `path`; its shards are not read.

    Raises:
        UserError: no dataset, or an index that is damaged, of another version or of an unknown skeleton.
    """
    file = path / INDEX_NAME
    if not file.is_file():
        raise UserError(f"{path} holds no {INDEX_NAME}; name a dataset that 'prepare' has finished.")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version = content["version"]
        if version == VERSION:
            index = Index.model_validate(content)
            _check_frames(index)
            named_skeleton(index.skeleton, file)
            return index
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = _first_reason(error)
        raise UserError(f"{file} is damaged{reason}; run 'prepare' again.") from error
    raise UserError(f"{file} has version {version}, this program reads {VERSION}; run 'prepare' again.")


def _first_reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f" at {'.'.join(str(part) for part in error.errors()[0]['loc'])}"
    return ""


def _check_frames(index: Index) -> None:
    """Raises ValueError if the index is inconsistent."""
    for clip in index.clips:
        for place in clip.records:
            if place.shard >= len(index.shards):
                raise ValueError(f"{clip.name} lies in a shard that is not listed")
            if place.offset + place.length + RECORD_OVERHEAD > index.shards[place.shard].size:
                raise ValueError(f"{clip.name} lies beyond its shard's end")
