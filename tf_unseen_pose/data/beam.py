"""`prepare` as an Apache Beam pipeline on many machines.

Clips are staged by the same function and joined to the same shards:

    plan -> stage every clip -> sizes of all -> which clip goes to which shard -> write the shards -> write the index

The plan is made by the process that starts the pipeline. Inputs and dataset must be accessible to all workers, as a
common folder or an address of Beam's file systems (gs://, s3://, hdfs://). Workers need this package.
"""

import contextlib
import io
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

import apache_beam as beam
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, SetupOptions

from tf_unseen_pose.data.clips import BrokenClip, Clip, Frame, Rejected
from tf_unseen_pose.data.dataset_index import INDEX_NAME, Index
from tf_unseen_pose.data.dataset_writer import SHARD_LIMIT, SealedShard, index_text, join_clips, make_index, recipe_hash
from tf_unseen_pose.data.plan import Options, plan_clips
from tf_unseen_pose.data.prepare import Summary, summarize, try_staging
from tf_unseen_pose.data.staging import StagedClip, staged_file
from tf_unseen_pose.data.video_clips import VideoOptions, video_clip, video_frames
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.locks import at_work


def prepare_with_beam(
    inputs: list[str], output: str, options: Options, flags: list[str], shard_limit: int = SHARD_LIMIT
) -> Summary:
    """Writes the same dataset as `prepare.prepare`, byte for byte.

    Args:
        inputs: as for `plan_clips`, or, for videos, addresses of folders such as gs://bucket/videos.
        output: the dataset's folder or address.
        flags: of the runner, such as --runner=FlinkRunner.
        shard_limit: bytes after which a shard is closed.

    Raises:
        UserError: as `prepare`; a runner that does not exist.
    """
    # The starting process locks the folder for all workers; an address cannot be locked.
    with contextlib.nullcontext() if "://" in output else at_work(Path(output)):
        return _prepare(inputs, output, options, flags, shard_limit)


def _prepare(inputs: list[str], output: str, options: Options, flags: list[str], shard_limit: int) -> Summary:
    clips = _plan(inputs, options)
    recipe = recipe_hash(options.recipe(clips))
    index_file = FileSystems.join(output, INDEX_NAME)
    if FileSystems.exists(index_file):
        raise UserError(f"{output} holds a dataset already; delete it or name another folder.")
    with _pipeline(flags) as pipeline:
        results = (
            pipeline
            | "Plan" >> beam.Create(list(enumerate(clips)))
            | "Stage" >> beam.MapTuple(_stage).with_outputs("broken", main="staged")
        )
        # So that later steps do not read clips again.
        staged = results.staged | beam.Reshuffle()
        shards = (
            staged
            | "Sizes" >> beam.Map(lambda clip: (clip[0], clip[1].size))
            | "All sizes" >> beam.combiners.ToList()
            | "Shards" >> beam.Map(shard_of_clips, shard_limit)
        )
        sealed = (
            staged
            | "Shard" >> beam.Map(lambda clip, shard: (shard[clip[0]], clip), beam.pvalue.AsSingleton(shards))
            | beam.GroupByKey()
            | "Write" >> beam.Map(_write_shard, output)
            | "All shards" >> beam.combiners.ToList()
        )
        names, skeleton = [clip.name for clip in clips], clips[0].skeleton.name
        broken = beam.pvalue.AsDict(results.broken)
        _ = sealed | "Index" >> beam.Map(_write_index, broken, names, skeleton, recipe, output)
    if not FileSystems.exists(index_file):
        raise UserError(f"No clip of {len(clips)} can be used; run 'prepare' without --runner to see why.")
    with FileSystems.open(index_file) as file:
        return summarize(output, Index.model_validate_json(file.read()))


def _pipeline(flags: list[str]) -> beam.Pipeline:
    options = PipelineOptions(flags)
    # Clips refer to functions of this package by name; nothing of the starting process is to travel with them.
    options.view_as(SetupOptions).save_main_session = False
    try:
        return beam.Pipeline(options=options)
    except ValueError as error:
        reason = str(error).partition(". ")[0].rstrip(".")
        raise UserError(
            f"Apache Beam refuses {' '.join(flags)} ({reason}); its documentation lists runners and their options."
        ) from error


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


def _stage(position: int, clip: Clip) -> tuple[int, StagedClip, bytes] | beam.pvalue.TaggedOutput:
    """Position, entry and bytes of a clip; or, to the output "broken", position and reason."""
    with tempfile.TemporaryDirectory() as folder:
        staged = try_staging(Path(folder), position, clip)
        if isinstance(staged, str):
            return beam.pvalue.TaggedOutput("broken", (position, staged))
        return position, staged, staged_file(Path(folder), position).read_bytes()


def shard_of_clips(sizes: list[tuple[int, int]], limit: int) -> dict[int, int]:
    """The shard of every clip, by position; sizes are (position, bytes). The rule of `DatasetWriter`."""
    shards, number, filled = {}, 0, 0
    for position, size in sorted(sizes):
        shards[position] = number
        filled += size
        if filled >= limit:
            number, filled = number + 1, 0
    return shards


def _write_shard(shard: tuple[int, Iterable[tuple[int, StagedClip, bytes]]], output: str) -> tuple[int, SealedShard]:
    """Joins a shard's clips. Writing a shard twice gives the same bytes."""
    number, clips = shard
    _make_folder(output)
    data = io.BytesIO()
    sealed = join_clips(number, sorted(clips, key=lambda clip: clip[0]), data)
    _write(FileSystems.join(output, sealed.file), data.getvalue())
    return number, sealed


def _write_index(
    shards: list[tuple[int, SealedShard]],
    broken: dict[int, str],
    names: list[str],
    skeleton: str,
    recipe: str,
    output: str,
) -> None:
    if shards:
        reasons = {names[position]: broken[position] for position in sorted(broken)}
        index = make_index(skeleton, recipe, [shard for _, shard in sorted(shards)], reasons)
        _write(FileSystems.join(output, INDEX_NAME), index_text(index).encode())


def _make_folder(path: str) -> None:
    if not FileSystems.exists(path):
        with contextlib.suppress(BeamIOError):
            FileSystems.mkdirs(path)


def _write(path: str, data: bytes) -> None:
    """Writes a file atomically."""
    folder, name = FileSystems.split(path)
    partial_path = FileSystems.join(folder, f".partial-{uuid.uuid4().hex}-{name}")
    with FileSystems.create(partial_path) as file:
        file.write(data)
    if FileSystems.exists(path):
        FileSystems.delete([path])
    FileSystems.rename([partial_path], [path])
