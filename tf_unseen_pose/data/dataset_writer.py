"""Writes the datasets that `records` reads, resumably.

Files are written atomically, the index last: a folder with a `dataset.json` is complete. Until then
`DATASET/.unfinished` keeps the finished work:

    plan.json                    the recipe, to reject a run with other inputs
    clip-000012.tfrecord, .json  clips that wait for a shard; see `staging`
    broken-000013.txt            why a clip cannot be used; only `beam` writes it
    shard-00000.json             index entries of a finished shard

Clips may be staged in any order, by any process. They go to shards in the plan's order, and a shard is closed when it
exceeds the limit, so the bytes depend neither on the order nor on interruptions.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from tf_unseen_pose.data.dataset_index import INDEX_NAME, VERSION, ClipEntry, Index, ShardEntry, read_index
from tf_unseen_pose.data.staging import StagedClip, check_size, read_staged, staged_file, write_text, writing
from tf_unseen_pose.errors import UserError

SHARD_LIMIT = 64 * 2**20
STAGE_NAME, PLAN_NAME = ".unfinished", "plan.json"


class SealedShard(ShardEntry):
    """A finished shard and the clips in it, by their positions in the plan."""

    clips: dict[int, ClipEntry]


def recipe_hash(recipe: dict) -> str:
    """The hash of a dataset's recipe (JSON-able) for its index."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def join_clips(number: int, clips: Iterable[tuple[int, StagedClip, bytes]], shard: BinaryIO) -> SealedShard:
    """Writes clips, each with its position and its staged bytes, one behind the other to shard `number`."""
    digest, offset, entries = hashlib.sha256(), 0, {}
    for position, staged, data in clips:
        digest.update(data)
        shard.write(data)
        entries[position] = staged.moved(number, offset)
        offset += len(data)
    return SealedShard(file=f"shard-{number:05d}.tfrecord", size=offset, sha256=digest.hexdigest(), clips=entries)


def make_index(skeleton: str, recipe: str, shards: Sequence[SealedShard], broken: dict[str, str]) -> Index:
    """The index of a dataset whose shards are all written."""
    return Index(
        version=VERSION,
        skeleton=skeleton,
        recipe=recipe,
        shards=[ShardEntry(file=shard.file, size=shard.size, sha256=shard.sha256) for shard in shards],
        clips=[clip for shard in shards for clip in shard.clips.values()],
        broken=broken,
    )


def index_text(index: Index) -> str:
    """The content of `dataset.json`."""
    return index.model_dump_json() + "\n"


def shard_state(number: int) -> str:
    """The file of a `SealedShard` among the unfinished work."""
    return f"shard-{number:05d}.json"


def other_recipe(output: Path | str) -> UserError:
    """The error if a folder was made from other inputs."""
    return UserError(f"{output} holds a dataset made from something else; delete it or name another folder.")


class DatasetWriter:
    """A dataset in the making, perhaps resumed.

    Args:
        path: the dataset's folder; created where it does not exist.
        skeleton: name of the skeleton of all joints.
        recipe: JSON-able description of inputs and options.
        shard_limit: bytes after which a shard is closed.

    Attributes:
        complete: whether the folder already holds the finished dataset of that recipe.
        stage: the folder for `staging.stage_clip`.

    Raises:
        UserError: the folder holds a dataset of another recipe, or cannot be written.
    """

    def __init__(self, path: Path, skeleton: str, recipe: dict, shard_limit: int = SHARD_LIMIT):
        self.path, self.stage = path, path / STAGE_NAME
        self._skeleton, self._limit = skeleton, shard_limit
        self._recipe = recipe_hash(recipe)
        self._sealed: list[SealedShard] = []
        # Clips by position: those that wait for one before them, and those of the shard that is filling.
        self._ahead: dict[int, StagedClip | None] = {}
        self._filling: dict[int, StagedClip] = {}
        self._next = 0
        self.complete = (path / INDEX_NAME).is_file()
        if self.complete:
            self._check_recipe(read_index(path).recipe)
        else:
            with writing(path):
                self._resume()

    def _resume(self) -> None:
        self.stage.mkdir(parents=True, exist_ok=True)
        plan = self.stage / PLAN_NAME
        if plan.is_file():
            self._check_recipe(plan.read_text())
        else:
            write_text(plan, self._recipe)
        while (state := self._shard_state()).is_file():
            try:
                self._sealed.append(SealedShard.model_validate_json(state.read_bytes()))
            except ValidationError as error:
                raise UserError(f"{state} is damaged; delete {self.path} and run 'prepare' again.") from error
            check_size(self.path / self._sealed[-1].file, self._sealed[-1].size)
        sealed = {position for shard in self._sealed for position in shard.clips}
        self._ahead = dict.fromkeys(sealed)
        # A run killed just after it closed a shard leaves that shard's clips.
        self._ahead |= {position: clip for position, clip in read_staged(self.stage).items() if position not in sealed}
        self._known = set(self._ahead)
        self._advance()

    def _check_recipe(self, found: str) -> None:
        if found != self._recipe:
            raise other_recipe(self.path)

    def _shard_state(self) -> Path:
        return self.stage / shard_state(len(self._sealed))

    def has(self, position: int) -> bool:
        """Whether the resumed run had staged the clip at that position."""
        return position in self._known

    def settle(self, position: int, staged: StagedClip | None) -> None:
        """Adds a staged clip, or None for an unusable one, in any order.

        Raises:
            UserError: the disk is full or may not be written.
        """
        self._ahead[position] = staged
        with writing(self.path):
            self._advance()

    def _advance(self) -> None:
        """Fills shards with the next clips in order."""
        while self._next in self._ahead:
            staged = self._ahead.pop(self._next)
            if staged is not None:
                self._filling[self._next] = staged
            if sum(clip.size for clip in self._filling.values()) >= self._limit:
                self._seal()
            self._next += 1

    def _seal(self) -> None:
        """Joins the filling shard's clips to a file."""
        number = len(self._sealed)
        partial = self.path / f"shard-{number:05d}.partial"
        clips = (
            (position, staged, staged_file(self.stage, position).read_bytes())
            for position, staged in self._filling.items()
        )
        try:
            with partial.open("wb") as shard:
                sealed = join_clips(number, clips, shard)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        os.replace(partial, self.path / sealed.file)
        write_text(self._shard_state(), sealed.model_dump_json())
        self._sealed.append(sealed)
        for position in self._filling:
            staged_file(self.stage, position).with_suffix(".json").unlink()
            staged_file(self.stage, position).unlink()
        self._filling.clear()

    def finish(self, broken: dict[str, str] | None = None) -> Index:
        """Writes the index, which completes the dataset. All clips must be settled, and at least one usable.

        Args:
            broken: name and reason of every clip that cannot be used.

        Raises:
            UserError: the disk is full or may not be written.
        """
        with writing(self.path):
            if self._filling:
                self._seal()
            index = make_index(self._skeleton, self._recipe, self._sealed, broken or {})
            write_text(self.path / INDEX_NAME, index_text(index))
            self.discard()
        return index

    def discard(self) -> None:
        """Removes an unfinished run's files, and the folder if it is then empty."""
        shutil.rmtree(self.stage, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()
