"""`prepare` with Apache Beam, on many machines.

    plan -> stage every clip -> which clip goes to which shard -> join every shard -> index

Staging and joining are pipelines; the process that starts them does the rest. Workers exchange only files, those that
`dataset_writer` describes. A runner thus needs nothing beyond a parallel map, clips do not travel through it, and a
stopped run resumes: by the same command, or in a common folder by `prepare.prepare`.

Inputs and dataset must be accessible to all workers, as a common folder or an address of Beam's file systems (gs://,
s3://, hdfs://). Workers need this package.
"""

import contextlib
import io
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from tf_unseen_pose.data.beam_runner import graph_of_map, options_of, run_map
from tf_unseen_pose.data.clips import BrokenClip, Clip, Frame, Rejected
from tf_unseen_pose.data.dataset_index import INDEX_NAME
from tf_unseen_pose.data.dataset_writer import (
    PLAN_NAME,
    SHARD_LIMIT,
    STAGE_NAME,
    SealedShard,
    index_text,
    join_clips,
    make_index,
    other_recipe,
    recipe_hash,
    shard_state,
)
from tf_unseen_pose.data.plan import Options, plan_clips
from tf_unseen_pose.data.prepare import Summary, nothing_usable, summarize, try_staging
from tf_unseen_pose.data.staging import StagedClip, staged_file
from tf_unseen_pose.data.video_clips import VideoOptions, video_clip, video_frames
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.locks import at_work

# Small files that are read at once, since each takes a round trip to a bucket.
_READERS = 32


def prepare_with_beam(
    inputs: list[str], output: str, options: Options, flags: list[str], shard_limit: int = SHARD_LIMIT
) -> Summary:
    """Writes the same dataset as `prepare.prepare`, byte for byte, and resumes like it.

    Args:
        inputs: as for `plan_clips`, or, for videos, addresses of folders such as gs://bucket/videos.
        output: the dataset's folder or address.
        flags: of the runner, such as --runner=FlinkRunner.
        shard_limit: bytes after which a shard is closed.

    Raises:
        UserError: as `prepare`; a runner that does not exist or gave up.
    """
    # The starting process locks the folder for all workers; an address cannot be locked.
    with contextlib.nullcontext() if "://" in output else at_work(Path(output)):
        return _prepare(inputs, output, options, flags, shard_limit)


def portable_graphs(inputs: list[str], output: str, options: Options, flags: list[str]) -> list[dict]:
    """Both pipelines in Beam's portable form (`beam_runner_api.proto` as JSON), as a runner would get them.

    Nothing runs and nothing is written; the second pipeline has one shard of all clips.

    Raises:
        UserError: as `prepare_with_beam`, before the runner starts.
    """
    runner = options_of(flags)
    clips, stage = _plan(inputs, options), FileSystems.join(output, STAGE_NAME)
    items: list[list] = [list(enumerate(clips)), [(0, list(range(len(clips))))]]
    return [
        graph_of_map(name, these, function, runner)
        for (name, function), these in zip(_steps(stage, output).items(), items, strict=True)
    ]


def _steps(stage: str, output: str) -> dict[str, partial]:
    return {"Stage clips": partial(_stage, stage), "Join shards": partial(_join, stage, output)}


def _prepare(inputs: list[str], output: str, options: Options, flags: list[str], shard_limit: int) -> Summary:
    runner = options_of(flags)
    clips = _plan(inputs, options)
    index_file, stage = FileSystems.join(output, INDEX_NAME), FileSystems.join(output, STAGE_NAME)
    if FileSystems.exists(index_file):
        raise UserError(f"{output} holds a dataset already; delete it or name another folder.")
    recipe = recipe_hash(options.recipe(clips))
    done = _begin(output, stage, recipe)
    (stage_name, stage_one), (join_name, join_one) = _steps(stage, output).items()
    todo = [(i, clip) for i, clip in enumerate(clips) if not done & {_state_name(i), _broken_name(i)}]
    run_map(stage_name, todo, stage_one, runner)
    staged, broken = _results(stage)
    if not staged:
        FileSystems.delete([stage])
        raise nothing_usable({clips[i].name: reason for i, reason in broken.items()})
    shards = list(enumerate(clips_of_shards({i: clip.size for i, clip in staged.items()}, shard_limit)))
    run_map(join_name, [shard for shard in shards if shard_state(shard[0]) not in done], join_one, runner)
    sealed = _read_all(stage, [shard_state(number) for number, _ in shards])
    index = make_index(
        clips[0].skeleton.name,
        recipe,
        [SealedShard.model_validate_json(text) for text in sealed],
        {clips[i].name: reason for i, reason in broken.items()},
    )
    _write(index_file, index_text(index).encode())
    FileSystems.delete([stage])
    return summarize(output, index)


def _plan(inputs: list[str], options: Options) -> list[Clip]:
    remote = [address for address in inputs if "://" in address]
    if remote and options.format != "video":
        raise UserError(f"Only videos are read from an address such as {remote[0]}; copy the folder to a disk.")
    found = [clip for address in remote for clip in _remote_clips(address, options)]
    return plan_clips([Path(path) for path in inputs if path not in remote], options, found)


def _remote_clips(address: str, options: Options) -> Iterator[Clip]:
    """The videos below an address, named as by `video_clips`."""
    root = address.rstrip("/")
    (match,) = FileSystems.match([f"{root}/**"])
    for file in sorted(metadata.path for metadata in match.metadata_list):
        frames = partial(_fetched_frames, file, options.video_options)
        yield video_clip(PurePosixPath(file[len(root) + 1 :]), root.rpartition("/")[2], frames, options.video_options)
    if not match.metadata_list:
        raise UserError(f"There is no video at {address}; name a folder that holds some.")


def _fetched_frames(address: str, options: VideoOptions) -> Iterator[Frame | Rejected]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / address.rpartition("/")[2]
        with FileSystems.open(address) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        try:
            yield from video_frames(copy, options)
        except BrokenClip as error:
            # The index gets the reason without the worker's path of the copy.
            raise BrokenClip(str(error).replace(str(copy), address)) from error


def _begin(output: str, stage: str, recipe: str) -> set[str]:
    """Creates the folders, or finds those of a stopped run; returns the names of its files."""
    for folder in (output, stage):
        if not FileSystems.exists(folder):
            with contextlib.suppress(BeamIOError):
                FileSystems.mkdirs(folder)
    names = _names(stage)
    if PLAN_NAME not in names:
        _write(FileSystems.join(stage, PLAN_NAME), recipe.encode())
    elif _read(FileSystems.join(stage, PLAN_NAME)).decode() != recipe:
        raise other_recipe(output)
    return names


def _names(folder: str) -> set[str]:
    (match,) = FileSystems.match([FileSystems.join(folder, "*")])
    return {FileSystems.split(metadata.path)[1] for metadata in match.metadata_list}


def _state_name(position: int) -> str:
    return staged_file(Path(), position).with_suffix(".json").name


def _file_name(position: int) -> str:
    return staged_file(Path(), position).name


def _broken_name(position: int) -> str:
    return f"broken-{position:06d}.txt"


def _stage(stage: str, position: int, clip: Clip) -> None:
    """Writes a clip's records and its entry, or the reason why it is unusable. Twice gives the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        staged = try_staging(Path(folder), position, clip)
        if isinstance(staged, str):
            _write(FileSystems.join(stage, _broken_name(position)), staged.encode())
            return
        for name in (_file_name(position), _state_name(position)):
            _write(FileSystems.join(stage, name), (Path(folder) / name).read_bytes())


def _results(stage: str) -> tuple[dict[int, StagedClip], dict[int, str]]:
    """The staged clips, and the reasons against the others, by position."""
    names = sorted(_names(stage))
    states = [name for name in names if name.startswith("clip-") and name.endswith(".json")]
    reasons = [name for name in names if name.startswith("broken-")]

    def positions(names: list[str]) -> list[int]:
        return [int(name.partition(".")[0].rpartition("-")[2]) for name in names]

    staged = map(StagedClip.model_validate_json, _read_all(stage, states))
    broken = (reason.decode() for reason in _read_all(stage, reasons))
    return dict(zip(positions(states), staged, strict=True)), dict(zip(positions(reasons), broken, strict=True))


def clips_of_shards(sizes: dict[int, int], limit: int) -> list[list[int]]:
    """The positions of every shard's clips, from bytes by position. The rule of `DatasetWriter`."""
    shards: list[list[int]] = [[]]
    filled = 0
    for position, size in sorted(sizes.items()):
        if filled >= limit:
            shards.append([])
            filled = 0
        shards[-1].append(position)
        filled += size
    return shards


def _join(stage: str, output: str, number: int, positions: list[int]) -> None:
    """Joins a shard's clips. Twice gives the same bytes."""
    data = io.BytesIO()
    states = _read_all(stage, [_state_name(position) for position in positions])
    clips = (
        (position, StagedClip.model_validate_json(state), _read(FileSystems.join(stage, _file_name(position))))
        for position, state in zip(positions, states, strict=True)
    )
    sealed = join_clips(number, clips, data)
    _write(FileSystems.join(output, sealed.file), data.getvalue())
    _write(FileSystems.join(stage, shard_state(number)), sealed.model_dump_json().encode())


def _read(path: str) -> bytes:
    with FileSystems.open(path) as file:
        return file.read()


def _read_all(folder: str, names: list[str]) -> list[bytes]:
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda name: _read(FileSystems.join(folder, name)), names))


def _write(path: str, data: bytes) -> None:
    """Writes a file atomically."""
    folder, name = FileSystems.split(path)
    partial_path = FileSystems.join(folder, f".partial-{uuid.uuid4().hex}-{name}")
    with FileSystems.create(partial_path) as file:
        file.write(data)
    if FileSystems.exists(path):
        FileSystems.delete([path])
    FileSystems.rename([partial_path], [path])
