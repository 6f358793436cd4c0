"""Stages one clip's frames as a TFRecord file of its own, before it is joined to a shard.

    clip-000012.tfrecord   the frames of the clip at position 12 of the plan, and its background
    clip-000012.json       `StagedClip`; written last, so that it implies a complete clip

Staging needs only the clip, so any process or machine may do it.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from tf_unseen_pose.data.clips import BrokenClip, Clip, Rejected, fault_of_pose, picture_size
from tf_unseen_pose.data.dataset_index import ClipEntry, FrameEntry, Place
from tf_unseen_pose.data.records import encode_background, encode_frame
from tf_unseen_pose.data.tfrecord import write_record
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing


class StagedClip(ClipEntry):
    """A clip with record offsets in its own file of `size` bytes."""

    size: int

    def moved(self, shard: int, offset: int) -> ClipEntry:
        """The clip with offsets in a shard, `offset` bytes from its start."""

        def moved(place: Place) -> Place:
            return replace(place, shard=shard, offset=place.offset + offset)

        fields = {name: getattr(self, name) for name in ClipEntry.model_fields}
        background = None if self.background is None else moved(self.background)
        return ClipEntry(**fields | {"frames": [moved(frame) for frame in self.frames], "background": background})


def staged_file(folder: Path, position: int) -> Path:
    """The file of the staged clip at `position` of the plan."""
    return folder / f"clip-{position:06d}.tfrecord"


def stage_clip(folder: Path, position: int, clip: Clip, least_frames: int = 1) -> StagedClip:
    """Reads a clip and stages its usable frames.

    Args:
        folder: an existing folder.
        position: of the clip in the plan.
        least_frames: clips with fewer are rejected.

    Raises:
        BrokenClip: the clip cannot be read or has too few frames; nothing is staged.
        UserError: the disk is full or may not be written.
    """
    file = staged_file(folder, position)
    # Two overlapping runs, one of them dying, write the same bytes, but to different files.
    partial = file.with_suffix(f".{os.getpid()}.partial")
    try:
        with writing(file), partial.open("wb") as records:
            frames, rejected = _write_frames(records, clip)
            if len(frames) < least_frames:
                raise BrokenClip(_too_few(len(frames), least_frames, rejected))
            background = _write_background(records, clip, frames)
            size = records.tell()
        staged = StagedClip(
            name=clip.name, action=clip.action, fps=clip.fps, scene=clip.scene, person=clip.person, split=clip.split,
            rejected=dict(sorted(rejected.items())), format=clip.format, frames=frames, background=background,
            size=size,
        )  # fmt: skip
        with writing(file):
            os.replace(partial, file)
            write_text(file.with_suffix(".json"), staged.model_dump_json())
        return staged
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read_staged(folder: Path) -> dict[int, StagedClip]:
    """The clips that are staged in a folder, by position.

    Raises:
        UserError: one of them is damaged.
    """
    clips = {}
    for state in sorted(folder.glob("clip-*.json")):
        try:
            staged = StagedClip.model_validate_json(state.read_bytes())
        except ValidationError as error:
            raise UserError(
                f"{state} is damaged; delete the folder {folder.parent} and run 'prepare' again."
            ) from error
        check_size(state.with_suffix(".tfrecord"), staged.size)
        clips[int(state.stem.removeprefix("clip-"))] = staged
    return clips


def check_size(path: Path, size: int) -> None:
    """Checks a file's size in bytes.

    Raises:
        UserError: it has another size, or is missing.
    """
    if not path.is_file() or path.stat().st_size != size:
        raise UserError(f"{path} is not as 'prepare' left it; delete its dataset and run 'prepare' again.")


def _write_frames(records: BinaryIO, clip: Clip) -> tuple[list[FrameEntry], Counter]:
    """Writes the usable frames; returns their entries, and the reasons against the others."""
    frames: list[FrameEntry] = []
    rejected: Counter[str] = Counter()
    for frame in clip.frames():
        if isinstance(frame, Rejected):
            rejected[frame.reason] += 1
            continue
        if fault := fault_of_pose(frame.joints, clip.skeleton, frame.box):
            rejected[fault] += 1
            continue
        place, (width, height) = _write(records, encode_frame(frame, clip)), picture_size(frame.jpeg)
        frames.append(
            FrameEntry(
                **asdict(place), number=frame.number, width=width, height=height,
                has_mask=frame.mask_png is not None, has_limbs=frame.limbs_png is not None,
            )
        )  # fmt: skip
    return frames, rejected


def _write_background(records: BinaryIO, clip: Clip, frames: list[FrameEntry]) -> Place | None:
    jpeg = clip.background() if clip.background else None
    if jpeg is None:
        return None
    if {picture_size(jpeg)} != {(frame.width, frame.height) for frame in frames}:
        raise BrokenClip("its background is not of its frames' size")
    return _write(records, encode_background(jpeg, clip))


def _write(records: BinaryIO, data: bytes) -> Place:
    place = Place(shard=0, offset=records.tell(), length=len(data))
    write_record(records, data)
    return place


def _too_few(count: int, least: int, rejected: Counter) -> str:
    sentence = f"it has too few usable frames ({count} of at least {least})"
    reasons = ", ".join(f"{frames} x {reason}" for reason, frames in rejected.most_common())
    return f"{sentence}; rejected were {reasons}" if reasons else sentence


def write_text(path: Path, text: str) -> None:
    """Writes a small file atomically."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns disk errors into a `UserError`.

    Raises:
        UserError: a disk error within the context.
    """
    try:
        yield
    except OSError as error:
        raise UserError(
            f"Cannot write {path}: {error.strerror}; name a folder with free space that you may write to."
        ) from error
