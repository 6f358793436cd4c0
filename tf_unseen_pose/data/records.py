"""Reads datasets on disk: frames as TFRecords in a few large shards, with an index.

    DATASET/dataset.json               the index, see `dataset_index.Index`
    DATASET/shard-00000.tfrecord ...   one `tf.train.Example` per frame, a clip's frames in succession

The shards are plain TFRecord files. The index gives random access: a pair takes two reads at known offsets, whatever
the size of the dataset. `dataset_writer` writes them.

An Example's features: `image` (JPEG), `joints` (float, J x 3), `clip`, `action` (bytes), `fps` (float), `number` (int),
and if known `box` (float, 4), `mask` and `limbs` (PNG). A clip with a known empty scene has one more Example after its
frames: `clip` and `background` (JPEG).
"""

import copy
import hashlib
import logging
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from tf_unseen_pose.data import limb_maps
from tf_unseen_pose.data.clips import Clip, Frame
from tf_unseen_pose.data.dataset_index import ClipEntry, Index, Place, read_index
from tf_unseen_pose.data.integrity import check_file, find_faults
from tf_unseen_pose.data.tfrecord import RECORD_HEADER, Example
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import BODY, PERSON, SKELETONS, convert_joints
from tf_unseen_pose.skeleton import Skeleton
from tf_unseen_pose.words import counted

# Number of clips named in the warning about rejected frames.
_NAMED_CLIPS = 5
# These may be read as each other; other skeletons have held things.
_ALIKE = (PERSON, BODY)


def encode_frame(frame: Frame, clip: Clip) -> bytes:
    """A frame as a serialized `tf.train.Example`."""
    example = Example()
    feature = example.features.feature
    feature["image"].bytes_list.value.append(frame.jpeg)
    feature["joints"].float_list.value.extend(np.ravel(frame.joints))
    feature["clip"].bytes_list.value.append(clip.name.encode())
    feature["action"].bytes_list.value.append(clip.action.encode())
    feature["fps"].float_list.value.append(clip.fps)
    feature["number"].int64_list.value.append(frame.number)
    if frame.box is not None:
        feature["box"].float_list.value.extend(np.ravel(frame.box))
    if frame.mask_png is not None:
        feature["mask"].bytes_list.value.append(frame.mask_png)
    if frame.limbs_png is not None:
        feature["limbs"].bytes_list.value.append(frame.limbs_png)
    return example.SerializeToString(deterministic=True)


def encode_background(jpeg: bytes, clip: Clip) -> bytes:
    """A clip's background as a serialized `tf.train.Example`."""
    example = Example()
    example.features.feature["background"].bytes_list.value.append(jpeg)
    example.features.feature["clip"].bytes_list.value.append(clip.name.encode())
    return example.SerializeToString(deterministic=True)


def decode_frame(data: bytes) -> Frame:
    """The frame that `encode_frame` encoded."""
    feature = Example.FromString(data).features.feature
    box, mask, limbs = feature["box"].float_list.value, *(feature[name].bytes_list.value for name in ("mask", "limbs"))
    return Frame(
        jpeg=feature["image"].bytes_list.value[0],
        joints=np.array(feature["joints"].float_list.value, np.float32).reshape(-1, 3),
        number=feature["number"].int64_list.value[0],
        box=np.array(box, np.float32) if box else None,
        mask_png=mask[0] if mask else None,
        limbs_png=limbs[0] if limbs else None,
    )


class ClipDataset:
    """Random access to a dataset on disk. Holds no open files, so it may be shared among threads and processes.

    Args:
        path: the dataset's folder.
        index: its index.
        faults: reasons against unusable frames, by clip and position in `index`.

    Attributes:
        path: the dataset's folder.
        index: its index without unusable frames and empty clips;
            `index.clips[clip].frames[frame]` describes what `read_frame(clip, frame)` reads.
        left_out: numbers of frames left out, by clip name and reason.

    Example:
        >>> from pathlib import Path
        >>> from tf_unseen_pose import ClipDataset
        >>> from tf_unseen_pose.data.plan import Options
        >>> from tf_unseen_pose.data.prepare import prepare
        >>> drawn = prepare([], Path("data"), Options("synthetic", clips=1, frames=3, size=64), progress=False)
        >>> dataset = ClipDataset.open("data")
        >>> dataset.skeleton.name, len(dataset.clips), dataset.read_frame(0, 2).joints.shape
        ('person', 1, (14, 3))
    """

    def __init__(self, path: Path, index: Index, faults: Mapping[tuple[int, int], str] | None = None):
        self.path = path
        self.index = _without(index, faults or {})
        self._skeleton: Skeleton | None = None
        self.left_out: dict[str, Counter] = {}
        for (clip, _), fault in (faults or {}).items():
            self.left_out.setdefault(index.clips[clip].name, Counter())[fault] += 1
        # Defaults are omitted, so that new fields do not change old datasets' fingerprints.
        content = index.model_dump_json(exclude_defaults=True)
        self._fingerprint = hashlib.sha256(content.encode()).hexdigest()[:16]
        # Sizes and times of the shards when they were checked.
        self._states: dict[str, tuple[int, int]] = {}

    @classmethod
    def open(cls, path: Path | str) -> "ClipDataset":
        """Opens a dataset after checking its index, the size and checksum of its shards, and every record.

        Unusable frames are left out, with a warning in the log; see `integrity`.

        Raises:
            UserError: no dataset, an index that is damaged or of another version, a shard that is missing, truncated,
                altered or damaged, or no frame that can be used.
        """
        path = Path(path)
        index = read_index(path)
        states = {}
        try:
            for shard in index.shards:
                # Taken before the check, to notice changes during it.
                states[shard.file] = _file_state((path / shard.file).stat())
                check_file(path / shard.file, shard.size, shard.sha256)
            dataset = cls(path, index, find_faults(path, index))
        except OSError as error:
            raise _unreadable(error.filename or path, error) from error
        dataset._states = states
        if dataset.left_out:
            logging.getLogger(__name__).warning("%s: %s", path, _describe(dataset.left_out, index))
        return dataset

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with anything in the index, and so in any shard.

        They depend neither on the dataset's place nor on which frames are usable.
        """
        return self._fingerprint

    @property
    def clips(self) -> tuple[ClipEntry, ...]:
        """The clips with usable frames."""
        return self.index.clips

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton of the frames as read."""
        return self._skeleton or SKELETONS[self.index.skeleton]

    def as_of(self, skeleton: Skeleton) -> "ClipDataset":
        """The same dataset, read with another skeleton: `PERSON` for `BODY` or the reverse.

        Missing joints are absent; limb maps are unknown if the dataset distinguishes fewer limbs.

        Raises:
            UserError: another skeleton.
        """
        if skeleton == self.skeleton:
            return self
        if not {skeleton, self.skeleton} <= set(_ALIKE):
            raise UserError(
                f"{self.path} has the joints of '{self.skeleton.name}', the model those of '{skeleton.name}'; set "
                "model.skeleton or prepare other data."
            )
        other = copy.copy(self)
        other._skeleton = skeleton
        return other

    def read(self, clip: int, frame: int) -> bytes:
        """The serialized Example of a frame, by positions in the index.

        Raises:
            UserError: the shard was changed since the dataset was opened.
        """
        return self._record(self.index.clips[clip].frames[frame])

    def _record(self, place: Place) -> bytes:
        path = self.path / self.index.shards[place.shard].file
        try:
            with open(path, "rb", buffering=0) as file:
                record = os.pread(file.fileno(), RECORD_HEADER + place.length, place.offset)
                state = _file_state(os.fstat(file.fileno()))
        except OSError as error:
            raise _unreadable(path, error) from error
        whole = record.startswith(place.length.to_bytes(8, "little")) and len(record) == RECORD_HEADER + place.length
        if not whole or state != self._states.get(path.name, state):
            raise UserError(f"{path} was changed while it was in use; run 'prepare' again.")
        return record[RECORD_HEADER:]

    def read_frame(self, clip: int, frame: int) -> Frame:
        """`read`, decoded (the picture itself stays a JPEG).

        Raises:
            UserError: as `read`.
        """
        stored, of = decode_frame(self.read(clip, frame)), SKELETONS[self.index.skeleton]
        if self.skeleton == of:
            return stored
        limbs = stored.limbs_png and limb_maps.converted(stored.limbs_png, of, self.skeleton)
        return replace(stored, joints=convert_joints(stored.joints, of, self.skeleton), limbs_png=limbs)

    def read_background(self, clip: int) -> bytes | None:
        """The scene of a clip without the person, a JPEG of the frames' size, or None.

        Raises:
            UserError: as `read`.
        """
        place = self.index.clips[clip].background
        if place is None:
            return None
        return Example.FromString(self._record(place)).features.feature["background"].bytes_list.value[0]


def _file_state(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"Cannot read {path}: {error.strerror}; run 'prepare' again.")


def _without(index: Index, faults: Mapping[tuple[int, int], str]) -> Index:
    """The index without some frames, and without the clips of which none is left."""
    if not faults:
        return index
    clips = []
    for c, clip in enumerate(index.clips):
        frames = tuple(entry for f, entry in enumerate(clip.frames) if (c, f) not in faults)
        if frames:
            clips.append(clip.model_copy(update={"frames": frames}))
    return index.model_copy(update={"clips": tuple(clips)})


def _describe(left_out: dict[str, Counter], index: Index) -> str:
    """How many of an index's frames were left out, and why."""
    count = sum(sum(reasons.values()) for reasons in left_out.values())
    parts = [
        f"{frames} of '{name}' with {reason}"
        for name, reasons in list(left_out.items())[:_NAMED_CLIPS]
        for reason, frames in reasons.items()
    ]
    if len(left_out) > _NAMED_CLIPS:
        parts.append(f"and more of {counted(len(left_out) - _NAMED_CLIPS, 'other clip')}")
    total = counted(sum(len(clip.frames) for clip in index.clips), "frame")
    return f"{count} of {total} left out: {', '.join(parts)}."
