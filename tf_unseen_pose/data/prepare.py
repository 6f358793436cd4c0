"""`prepare`: from clips in any known format to a dataset on disk, on one machine."""

import logging
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from tf_unseen_pose.data.clips import BrokenClip, Clip, Frame, Rejected
from tf_unseen_pose.data.dataset_index import Index, read_index
from tf_unseen_pose.data.dataset_writer import DatasetWriter
from tf_unseen_pose.data.plan import LEAST_FRAMES, Options, plan_clips
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.staging import StagedClip, stage_clip
from tf_unseen_pose.data.summary_page import PAGE_NAME, write_summary_page
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.locks import at_work
from tf_unseen_pose.words import counted

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Summary:
    """The result of `prepare`.

    Attributes:
        page: the summary page; None if the dataset is not on this machine.
        clips, frames: their numbers.
        validation_clips: number of clips for validation.
        size: bytes of its shards.
        rejected: numbers of rejected frames by reason.
        broken: reason by name of every clip that was skipped.
        was_complete: whether the dataset existed already.
    """

    page: Path | None
    clips: int
    frames: int
    validation_clips: int
    size: int
    rejected: dict[str, int]
    broken: dict[str, str]
    was_complete: bool = False


def prepare(
    inputs: list[Path], output: Path, options: Options, workers: int | None = None, progress: bool = True
) -> Summary:
    """Writes a dataset. After it was killed, the same call resumes and ends with the same bytes.

    Options and clip names identify a run; changed pictures under unchanged names are not noticed. Clips that cannot be
    read or have fewer than two usable frames are skipped, with a message in the log.

    Args:
        inputs: see `plan_clips`.
        output: the dataset's folder.
        workers: number of processes that read clips; one reads in this process. By default one per core for videos,
            else one.
        progress: shows a bar.

    Raises:
        UserError: missing or wrong input, nothing usable in it, or an output that holds other data, cannot be written
            or is in use by another process.
    """
    clips, output = plan_clips([Path(path) for path in inputs], options), Path(output)
    # The reading processes write only staged clips.
    with at_work(output):
        return _prepare(clips, output, options, workers, progress)


def _prepare(clips: list[Clip], output: Path, options: Options, workers: int | None, progress: bool) -> Summary:
    writer = DatasetWriter(output, clips[0].skeleton.name, options.recipe(clips))
    if writer.complete:
        writer.discard()
        return replace(summarize(output, read_index(output)), was_complete=True)
    workers = workers or (os.cpu_count() or 1 if options.format == "video" else 1)
    broken = _stage_all(writer, clips, workers, progress)
    if len(broken) == len(clips):
        writer.discard()
        raise nothing_usable(broken)
    return summarize(output, writer.finish(broken))


def nothing_usable(broken: dict[str, str]) -> UserError:
    """The error if no clip is usable."""
    name, reason = next(iter(broken.items()))
    return UserError(f"No clip of {len(broken)} can be used: the first, '{name}', failed because {reason}.")


def summarize(output: Path | str, index: Index) -> Summary:
    """The summary of a finished dataset; writes its page if missing and the dataset is on this machine.

    Raises:
        UserError: the page cannot be written.
    """
    page = Path(output) / PAGE_NAME
    if page.parent.is_dir() and not page.is_file():
        write_summary_page(ClipDataset(page.parent, index))
    return Summary(
        page=page if page.is_file() else None,
        clips=len(index.clips),
        frames=sum(len(clip.frames) for clip in index.clips),
        validation_clips=sum(clip.split == "validation" for clip in index.clips),
        size=sum(shard.size for shard in index.shards),
        rejected=dict(sum((Counter(clip.rejected) for clip in index.clips), Counter())),
        broken=index.broken,
    )


def _stage_all(writer: DatasetWriter, clips: list[Clip], workers: int, progress: bool) -> dict[str, str]:
    """Stages the remaining clips; returns names and reasons of unusable ones in the plan's order."""
    todo = [position for position in range(len(clips)) if not writer.has(position)]
    broken = {}
    with tqdm(total=len(todo), desc="Preparing", unit="clip", disable=not progress) as bar:
        for position, staged in _staged(writer.stage, clips, todo, min(workers, len(todo)), progress):
            if isinstance(staged, str):
                broken[position] = staged
                writer.settle(position, None)
            else:
                writer.settle(position, staged)
            for line in _report(staged):
                _log.warning("%s: %s", clips[position].name, line)
            bar.update()
    return {clips[position].name: broken[position] for position in sorted(broken)}


def _report(staged: StagedClip | str) -> list[str]:
    if isinstance(staged, str):
        return [f"skipped, {staged}"]
    return [f"{counted(count, 'frame')} left out, {reason}" for reason, count in staged.rejected.items()]


def _staged(
    stage: Path, clips: list[Clip], todo: list[int], workers: int, progress: bool
) -> Iterator[tuple[int, StagedClip | str]]:
    """Position and result of every clip, in order of completion."""
    if workers <= 1:
        for position in todo:
            yield position, try_staging(stage, position, _with_bar(clips[position]) if progress else clips[position])
        return
    # TensorFlow does not survive a fork. Ctrl-C ends the workers at once; unfinished files are not renamed.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, signal.signal, (signal.SIGINT, signal.SIG_DFL)) as pool:
        futures = {pool.submit(try_staging, stage, position, clips[position]): position for position in todo}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise UserError(
                "A process that reads clips was killed, perhaps for lack of memory; run the command again with fewer "
                "--workers."
            ) from error
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def try_staging(stage: Path, position: int, clip: Clip) -> StagedClip | str:
    """`stage_clip`, or the reason why the clip is unusable.

    Raises:
        UserError: the disk is full or may not be written.
    """
    try:
        return stage_clip(stage, position, clip, LEAST_FRAMES)
    except BrokenClip as error:
        return str(error)


def _with_bar(clip: Clip) -> Clip:
    """The clip with a progress bar of its frames."""

    def frames() -> Iterator[Frame | Rejected]:
        return tqdm(clip.frames(), clip.name, unit=" frames", leave=False)

    return replace(clip, frames=frames)
