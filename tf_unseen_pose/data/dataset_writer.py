"""Writes the datasets that `records` reads, so that a killed run can be taken up again.

Every file is written under another name and renamed when it is whole, and the index comes last: a folder with a
`dataset.json` is complete. Until then `DATASET/.unfinished` keeps what is done:

    plan.json                    the recipe, to refuse a run with other inputs
    clip-000012.tfrecord, .json  clips that wait for a shard
    shard-00000.json             index entries of a finished shard

Clips go to shards in the plan's order and a shard is closed when it exceeds the limit, so a run that was interrupted
ends with the same bytes as one that was not.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from pydantic import ValidationError

from tf_unseen_pose.data.clips import BrokenClip, Clip, picture_size
from tf_unseen_pose.data.records import (
    INDEX_NAME,
    RECORD_OVERHEAD,
    VERSION,
    ClipEntry,
    FrameEntry,
    Index,
    ShardEntry,
    encode_frame,
    read_index,
)
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing

SHARD_LIMIT = 64 * 2**20
_STAGE = ".unfinished"


class _Staged(ClipEntry):
    """A clip whose frames' offsets count from the start of its own file of `size` bytes."""

    size: int
    left_out: tuple[str, ...]


class _Sealed(ShardEntry):
    """A finished shard and the clips in it."""

    clips: tuple[ClipEntry, ...]
    left_out: tuple[tuple[str, ...], ...]


class DatasetWriter:
    """Adds clips to a dataset that is, or may have been, begun.

    Args:
        path: the dataset's folder; created where it does not exist.
        skeleton: name of the skeleton of all joints.
        recipe: JSON-able description of what the dataset is made from and how.
        shard_limit: bytes after which a shard is closed.

    Attributes:
        complete: whether the folder already holds the finished dataset of that recipe.

    Raises:
        UserError: the folder holds a dataset of another recipe, or cannot be written.
    """

    def __init__(self, path: Path, skeleton: str, recipe: dict, shard_limit: int = SHARD_LIMIT):
        self.path, self.stage = path, path / _STAGE
        self._skeleton, self._limit = skeleton, shard_limit
        self._recipe = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
        self._sealed: list[_Sealed] = []
        self._waiting: dict[int, _Staged] = {}
        self._names: set[str] = set()
        self.complete = (path / INDEX_NAME).is_file()
        if self.complete:
            self._check_recipe(read_index(path).recipe)
        else:
            with _writing(path):
                self._resume()

    def _resume(self) -> None:
        self.stage.mkdir(parents=True, exist_ok=True)
        plan = self.stage / "plan.json"
        if plan.is_file():
            self._check_recipe(plan.read_text())
        else:
            _write(plan, self._recipe)
        try:
            self._load_states()
        except ValidationError as error:
            raise UserError(f"{self.stage} is damaged; delete {self.path} and run 'prepare' again.") from error
        self._seal_when_full()

    def _load_states(self) -> None:
        while (state := self._shard_state()).is_file():
            self._sealed.append(_Sealed.model_validate_json(state.read_bytes()))
            _check_size(self.path / self._sealed[-1].file, self._sealed[-1].size)
        self._names = {clip.name for shard in self._sealed for clip in shard.clips}
        for state in sorted(self.stage.glob("clip-*.json")):
            staged = _Staged.model_validate_json(state.read_bytes())
            # A run that was killed just after it closed a shard leaves clips that are in it.
            if staged.name not in self._names:
                _check_size(state.with_suffix(".tfrecord"), staged.size)
                self._waiting[int(state.stem.removeprefix("clip-"))] = staged
        self._names |= {clip.name for clip in self._waiting.values()}

    def _check_recipe(self, found: str) -> None:
        if found != self._recipe:
            raise UserError(f"{self.path} holds a dataset made from something else; delete it or name another folder.")

    def _shard_state(self) -> Path:
        return self.stage / f"shard-{len(self._sealed):05d}.json"

    def _clip_file(self, position: int) -> Path:
        return self.stage / f"clip-{position:06d}.tfrecord"

    def has(self, name: str) -> bool:
        """Whether the clip was added before, by this run or the one that it continues."""
        return name in self._names

    @property
    def left_out(self) -> list[str]:
        """One line a frame that the added clips had to leave out."""
        lines = [line for shard in self._sealed for clip in shard.left_out for line in clip]
        return lines + [line for clip in self._waiting.values() for line in clip.left_out]

    def add(self, position: int, clip: Clip, least_frames: int = 1) -> None:
        """Reads a clip and adds it.

        Args:
            position: of the clip in the plan; must rise from call to call.
            least_frames: a clip of fewer is refused.

        Raises:
            BrokenClip: the clip cannot be read; nothing was added.
            UserError: the disk is full or may not be written.
        """
        file = self._clip_file(position)
        partial = file.with_suffix(".partial")
        with _removed_on_error(partial):
            frames = _write_records(partial, clip)
            if len(frames) < least_frames:
                raise BrokenClip(f"it has too few usable frames ({len(frames)} of at least {least_frames})")
            size = frames[-1].offset + frames[-1].length + RECORD_OVERHEAD
            staged = _Staged(
                name=clip.name, action=clip.action, fps=clip.fps, scene=clip.scene, frames=frames,
                size=size, left_out=tuple(f"{clip.name}: {line}" for line in clip.left_out),
            )  # fmt: skip
            with _writing(file):
                os.replace(partial, file)
                _write(file.with_suffix(".json"), staged.model_dump_json())
                self._waiting[position] = staged
                self._names.add(clip.name)
                self._seal_when_full()

    def _seal_when_full(self) -> None:
        if sum(clip.size for clip in self._waiting.values()) >= self._limit:
            self._seal()

    def _seal(self) -> None:
        """Joins the waiting clips into a shard."""
        number = len(self._sealed)
        final = self.path / f"shard-{number:05d}.tfrecord"
        partial = final.with_suffix(".partial")
        digest, offset, clips = hashlib.sha256(), 0, []
        with _removed_on_error(partial), partial.open("wb") as shard:
            for position, staged in self._waiting.items():
                data = self._clip_file(position).read_bytes()
                digest.update(data)
                shard.write(data)
                clips.append(_moved(staged, number, offset))
                offset += len(data)
        os.replace(partial, final)
        sealed = _Sealed(
            file=final.name, size=offset, sha256=digest.hexdigest(), clips=clips,
            left_out=tuple(clip.left_out for clip in self._waiting.values()),
        )  # fmt: skip
        _write(self._shard_state(), sealed.model_dump_json())
        self._sealed.append(sealed)
        for position in self._waiting:
            self._clip_file(position).with_suffix(".json").unlink()
            self._clip_file(position).unlink()
        self._waiting.clear()

    def finish(self) -> Index:
        """Writes the index; the dataset is complete then. At least one clip must have been added."""
        with _writing(self.path):
            if self._waiting:
                self._seal()
            index = Index(
                version=VERSION,
                skeleton=self._skeleton,
                recipe=self._recipe,
                shards=[ShardEntry(file=shard.file, size=shard.size, sha256=shard.sha256) for shard in self._sealed],
                clips=[clip for shard in self._sealed for clip in shard.clips],
            )
            _write(self.path / INDEX_NAME, index.model_dump_json() + "\n")
            self.discard()
        return index

    def discard(self) -> None:
        """Removes what an unfinished run keeps, and the folder itself where that leaves it empty."""
        shutil.rmtree(self.stage, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()


def _write_records(path: Path, clip: Clip) -> list[FrameEntry]:
    """Writes a clip's frames to a TFRecord file of their own."""
    frames, offset = [], 0
    with _writing(path), tf.io.TFRecordWriter(str(path)) as writer:
        for frame in clip.frames():
            data = encode_frame(frame, clip)
            writer.write(data)
            width, height = picture_size(frame.jpeg)
            frames.append(
                FrameEntry(
                    shard=0, offset=offset, length=len(data), number=frame.number, width=width, height=height,
                    has_mask=frame.mask_png is not None,
                )
            )  # fmt: skip
            offset += len(data) + RECORD_OVERHEAD
    return frames


def _moved(clip: _Staged, shard: int, offset: int) -> ClipEntry:
    """A staged clip as it lies in a shard."""
    frames = [frame.model_copy(update={"shard": shard, "offset": frame.offset + offset}) for frame in clip.frames]
    return ClipEntry(name=clip.name, action=clip.action, fps=clip.fps, scene=clip.scene, frames=frames)


def _check_size(path: Path, size: int) -> None:
    if not path.is_file() or path.stat().st_size != size:
        raise UserError(f"{path} is not as 'prepare' left it; delete {path.parent} and run 'prepare' again.")


def _write(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turns failures of the disk into a sentence for the user."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.message.rpartition("; ")[2]
        raise UserError(
            f"Cannot write {path}: {reason}; name a folder with free space that you may write to."
        ) from error
