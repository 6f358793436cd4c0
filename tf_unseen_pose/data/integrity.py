"""Checks a dataset's shards against its index, and their records.

A checksum shows that a shard is unchanged, not that its records are valid, since other programs may write datasets. So
every record is checked when a dataset is opened. Pictures are not decoded, which would take long; damage behind a
header is found on use.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError

from tf_unseen_pose.data.clips import PICTURE_ERRORS, fault_of_pose, picture_size
from tf_unseen_pose.data.dataset_index import ClipEntry, Index
from tf_unseen_pose.data.tfrecord import Example, read_records
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import SKELETONS
from tf_unseen_pose.skeleton import Skeleton
from tf_unseen_pose.words import counted


def check_file(path: Path, size: int, sha256: str) -> None:
    """Compares a shard with its size in bytes and its checksum, in hexadecimal.

    Raises:
        UserError: it is truncated or altered.
        OSError: it cannot be read.
    """
    found = path.stat().st_size
    if found < size:
        raise UserError(f"{path} is truncated (expected {size} bytes, found {found}); run 'prepare' again.")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    if digest.hexdigest() != sha256:
        raise UserError(f"{path} is not what its index describes; run 'prepare' again.")


def find_faults(path: Path, index: Index) -> dict[tuple[int, int], str]:
    """The reasons against unusable frames, by clip and position in the index.

    Args:
        path: the dataset's folder.

    Raises:
        UserError: damaged records, or no frame that can be used.
        OSError: a shard cannot be read.
    """
    places: list[dict[int, list]] = [{} for _ in index.shards]
    for c, clip in enumerate(index.clips):
        for f, place in enumerate(clip.records):
            places[place.shard].setdefault(place.offset, []).append((c, f, place))
    faults: dict[tuple[int, int], str] = {}
    skeleton = SKELETONS[index.skeleton]
    for shard, indexed in zip(index.shards, places, strict=True):
        lengths = {offset: entries[0][2].length for offset, entries in indexed.items()}
        for offset, data in _indexed_records(path / shard.file, lengths):
            for c, f, entry in indexed[offset]:
                clip = index.clips[c]
                if f == len(clip.frames):
                    if fault := fault_of_background(data, clip):
                        faults |= {(c, frame): fault for frame in range(f)}
                elif fault := fault_of_record(data, skeleton, entry.width, entry.height):
                    faults[c, f] = fault
    if len(faults) == sum(len(clip.frames) for clip in index.clips):
        (c, f), fault = next(iter(faults.items()))
        raise UserError(
            f"No frame of {len(faults)} of {path} can be used (frame {index.clips[c].frames[f].number} of "
            f"'{index.clips[c].name}' has {fault}); run 'prepare' again or correct what wrote them."
        )
    return faults


def _indexed_records(path: Path, indexed: Mapping[int, int]) -> Iterator[tuple[int, bytes]]:
    """Offset and data of every indexed record of a shard.

    Args:
        indexed: by a record's offset the length of its data, as the index has them.

    Raises:
        UserError: a record that is damaged, or that does not lie where the index says.
        OSError: the shard cannot be read.
    """
    missing = dict(indexed)
    for offset, data in read_records(path):
        if offset not in missing:
            continue
        if len(data) != missing[offset]:
            break
        del missing[offset]
        yield offset, data
    if missing:
        raise UserError(f"{path} has other records than its index describes; run 'prepare' again.")


def fault_of_background(data: bytes, clip: ClipEntry) -> str | None:
    """A fault of a clip's background, as what its frames "have"; None without one.

    Args:
        data: a serialized `tf.train.Example`; see `records`.
    """
    try:
        pictures = list(Example.FromString(data).features.feature["background"].bytes_list.value)
    except DecodeError:
        return "a record that is no tf.train.Example"
    if len(pictures) != 1 or any(_size(pictures[0]) != (frame.width, frame.height) for frame in clip.frames):
        return "a background that is no picture of their size"
    return None


def fault_of_record(data: bytes, skeleton: Skeleton, width: int, height: int) -> str | None:
    """A fault of a frame, as what it "has"; None without one.

    Args:
        data: a serialized `tf.train.Example`; see `records`.
        skeleton: the dataset's.
        width, height: of the picture, as the index has them.
    """
    try:
        feature = Example.FromString(data).features.feature
    except DecodeError:
        return "a record that is no tf.train.Example"
    joints, box = (np.array(feature[name].float_list.value, np.float32) for name in ("joints", "box"))
    if joints.size != 3 * skeleton.joint_count:
        return f"{counted(joints.size, 'number')} for joints instead of {3 * skeleton.joint_count}"
    if box.size not in (0, 4):
        return f"a box of {counted(box.size, 'number')} instead of 4"
    if fault := fault_of_pose(joints.reshape(-1, 3), skeleton, box if box.size else None):
        return fault
    pictures = list(feature["image"].bytes_list.value)
    maps = [*feature["mask"].bytes_list.value, *feature["limbs"].bytes_list.value]
    sizes = [_size(picture) for picture in pictures + maps]
    if len(pictures) != 1 or sizes[0] is None:
        return "no readable picture"
    if set(sizes) != {(width, height)}:
        return "a picture, mask or limb map of another size than the index says"
    return None


def _size(picture: bytes) -> tuple[int, int] | None:
    try:
        return picture_size(picture)
    except PICTURE_ERRORS:
        return None
