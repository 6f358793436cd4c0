"""From clips in any known format to a dataset on disk."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from tf_unseen_pose.data.clips import BrokenClip, Clip, Frame, encode_picture
from tf_unseen_pose.data.dataset_writer import DatasetWriter
from tf_unseen_pose.data.photo_pairs import pair_clips
from tf_unseen_pose.data.posewarp_format import posewarp_clips
from tf_unseen_pose.data.records import Index, read_index
from tf_unseen_pose.data.synthetic import ACTIONS, synthetic_clip
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.skeleton import PERSON

Format = Literal["posewarp", "pairs", "synthetic"]
# A pair needs two frames, a crop two visible joints.
_LEAST_FRAMES = _LEAST_JOINTS = 2
SYNTHETIC_FPS = 25.0


@dataclass(frozen=True)
class Summary:
    """What `prepare` did.

    Attributes:
        path: the dataset.
        clips, frames: how many it holds.
        size: bytes of its shards.
        broken: name and reason of every clip that was skipped.
        left_out: one line a frame that was skipped in a clip that was not.
        was_complete: the dataset was there already and nothing was done.
    """

    path: Path
    clips: int
    frames: int
    size: int
    broken: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    was_complete: bool = False


def prepare(
    inputs: list[Path],
    output: Path,
    format: Format,
    *,
    clips: int = 8,
    frames: int = 32,
    size: int = 256,
    seed: int = 0,
    action: str | None = None,
    only: list[str] | None = None,
    max_side: int | None = None,
    progress: bool = True,
) -> Summary:
    """Writes a dataset. Begun again after it was killed, it goes on and ends with the same bytes.

    A run is the same when format, options and the clips' names are; changed pictures under unchanged names are not
    noticed. Clips that cannot be read or have fewer than two usable frames are skipped and reported.

    Args:
        inputs: folders of the format; none for 'synthetic'.
        output: the dataset's folder.
        clips, frames, size, seed: of 'synthetic' only: how many clips, frames a clip, side of the square pictures in
            pixels, and what decides everything else.
        action: label of all clips (for 'synthetic' the action drawn); by default the format's own.
        only: names of the clips to keep; all when None or empty.
        max_side: pictures with a longer side are shrunk to it.
        progress: shows a progress bar, and a line for everything that is skipped, on the standard error stream.

    Raises:
        UserError: missing or wrong input, nothing usable in it, an output that holds other data or cannot be written.
    """
    inputs, output = [Path(path) for path in inputs], Path(output)
    if format == "synthetic":
        found = _synthetic_clips(inputs, clips, frames, size, seed, action)
        options = {"clips": clips, "frames": frames, "size": size, "seed": seed}
    else:
        found, options = _read_clips(inputs, format, action, max_side), {"max_side": max_side}
    found = _selected(found, only)
    recipe = {"format": format, "action": action, "names": [clip.name for clip in found], **options}
    writer = DatasetWriter(output, PERSON.name, recipe)
    if writer.complete:
        writer.discard()
        return replace(_summary(output, read_index(output)), was_complete=True)
    broken = _add_all(writer, found, progress)
    if len(broken) == len(found):
        writer.discard()
        name, reason = broken[0]
        raise UserError(f"None of the {len(found)} clips can be used: the first, '{name}', failed because {reason}.")
    return replace(_summary(output, writer.finish()), broken=tuple(broken), left_out=tuple(writer.left_out))


def _summary(path: Path, index: Index) -> Summary:
    return Summary(
        path=path,
        clips=len(index.clips),
        frames=sum(len(clip.frames) for clip in index.clips),
        size=sum(shard.size for shard in index.shards),
    )


def _add_all(writer: DatasetWriter, clips: list[Clip], progress: bool) -> list[tuple[str, str]]:
    """Adds what is not there yet; returns name and reason of the clips that cannot be used."""
    broken = []
    for position, clip in enumerate(tqdm(clips, "Preparing", unit="clip", disable=not progress)):
        if writer.has(clip.name):
            continue
        try:
            writer.add(position, _usable(clip), _LEAST_FRAMES)
            lines = clip.left_out
        except BrokenClip as error:
            broken.append((clip.name, str(error)))
            lines = [f"skipped, {error}"]
        if progress:
            for line in lines:
                tqdm.write(f"{clip.name}: {line}", file=sys.stderr)
    return broken


def _usable(clip: Clip) -> Clip:
    """The clip without frames that no crop can be found for."""

    def frames() -> Iterator[Frame]:
        for frame in clip.frames():
            visible = frame.joints[frame.joints[:, 2] > 0, :2]
            if len(visible) >= _LEAST_JOINTS and np.ptp(visible, axis=0).max() > 0:
                yield frame
            else:
                clip.left_out.append(f"frame {frame.number} shows fewer than {_LEAST_JOINTS} joints")

    return replace(clip, frames=frames)


def _read_clips(inputs: list[Path], format: str, action: str | None, max_side: int | None) -> list[Clip]:
    if not inputs:
        raise UserError(f"The format '{format}' needs a folder to read; name one or more.")
    if max_side is not None and max_side < 1:
        raise UserError(f"A longest side of {max_side} pixels leaves no picture; give a positive number.")
    if format == "posewarp":
        return [clip for root in inputs for clip in posewarp_clips(root, action or "", max_side)]
    if format == "pairs":
        return [clip for root in inputs for clip in pair_clips(root, action, max_side)]
    raise UserError(f"There is no format '{format}'; known are posewarp, pairs and synthetic.")


def _selected(clips: list[Clip], only: list[str] | None) -> list[Clip]:
    names = [clip.name for clip in clips]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise UserError(f"Two clips are named '{name}'; rename one of them.")
    unknown = sorted(set(only or ()) - set(names))
    if unknown:
        raise UserError(f"There is no clip '{unknown[0]}' in the input; the first of its clips is '{names[0]}'.")
    return [clip for clip in clips if clip.name in only] if only else clips


def _synthetic_clips(
    inputs: list[Path], clips: int, frames: int, size: int, seed: int, action: str | None
) -> list[Clip]:
    """Clips of drawn people: the actions in turn, unless one is given."""
    if inputs:
        raise UserError(f"The format 'synthetic' reads nothing; leave out {inputs[0]}.")
    if clips < 1 or frames < _LEAST_FRAMES or seed < 0:
        raise UserError("Synthetic data need at least one clip, two frames a clip and a seed that is not negative.")
    actions = [action or ACTIONS[number % len(ACTIONS)] for number in range(clips)]
    return [_synthetic_clip(number, label, frames, size, seed) for number, label in enumerate(actions)]


def synthetic_clip_seed(seed: int, number: int) -> int:
    """The seed of `synthetic_clip` behind clip `number` of a synthetic dataset that was prepared with `seed`."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _synthetic_clip(number: int, action: str, frame_count: int, size: int, seed: int) -> Clip:
    # Called now: it checks its arguments, but draws nothing before it is asked to.
    drawn = synthetic_clip(synthetic_clip_seed(seed, number), frame_count, size, size, action)

    def frames() -> Iterator[Frame]:
        for index, frame in enumerate(drawn):
            jpeg, mask = encode_picture(frame.image, "JPEG"), encode_picture(frame.mask, "PNG")
            yield Frame(jpeg, frame.joints, index, mask_png=mask)

    return Clip(f"synthetic-{number:04d}", action, SYNTHETIC_FPS, frames)
