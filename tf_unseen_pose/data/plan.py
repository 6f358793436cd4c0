"""The plan of a dataset: its clips, before any of them is read."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tf_unseen_pose.data.avatar_poses import avatar_clips
from tf_unseen_pose.data.clips import Clip, Frame, encode_picture
from tf_unseen_pose.data.dataset_clips import dataset_clips
from tf_unseen_pose.data.photo_pairs import pair_clips
from tf_unseen_pose.data.posewarp_format import posewarp_clips
from tf_unseen_pose.data.registration import registered
from tf_unseen_pose.data.synthetic import actions_of, synthetic_clip
from tf_unseen_pose.data.video_clips import VideoOptions, video_clips
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import PERSON, named_skeleton
from tf_unseen_pose.skeleton import Skeleton

# A pair needs two frames.
LEAST_FRAMES = 2
SYNTHETIC_FPS = 25.0


@dataclass(frozen=True)
class Options:
    """Options of a dataset.

    Attributes:
        format: layout of the input.
        action: label of all clips; by default the format's own (of videos: their folder's name).
        only: names of the clips to keep; all when empty.
        max_side: pictures with a longer side are shrunk to it; by default 1280 for videos, no limit for others.
        register: whether to remove small camera movements; by default for videos only.
        validation: share of the people held out for validation, with all their clips; datasets keep their own choice.
        video: 'video' only; see `VideoOptions`.
        clips, frames, size, seed: 'synthetic' only: number of clips, frames per clip, side of the square pictures in
            pixels, and the seed.
        skeleton: 'synthetic' only: name of the figures' skeleton.
    """

    format: Literal["video", "posewarp", "pairs", "avatars", "synthetic", "dataset"]
    action: str | None = None
    only: tuple[str, ...] = ()
    max_side: int | None = None
    register: bool | None = None
    validation: float = 0.1
    video: VideoOptions = VideoOptions()
    clips: int = 8
    frames: int = 32
    size: int = 256
    seed: int = 0
    skeleton: str = PERSON.name

    @property
    def video_options(self) -> VideoOptions:
        """`video` with the options of all formats."""
        said: dict[str, Any] = {"max_side": self.max_side, "register": self.register}
        return replace(self.video, **{name: value for name, value in said.items() if value is not None})

    def recipe(self, clips: list[Clip]) -> dict:
        """The identity of a dataset of these clips (JSON-able)."""
        chosen = asdict(self) | {"names": [clip.name for clip in clips]}
        # The estimator's file may be elsewhere when a run is resumed.
        chosen["video"].pop("pose_model")
        # Recipes of whole videos predate this option.
        if self.video.span.is_whole:
            chosen["video"].pop("span")
        # The clips' actual skeleton, which no option states for datasets. Recipes of persons predate it.
        chosen["skeleton"] = clips[0].skeleton.name
        if clips[0].skeleton == PERSON:
            chosen.pop("skeleton")
        return chosen


def plan_clips(inputs: list[Path], options: Options, found: Sequence[Clip] = ()) -> list[Clip]:
    """The clips in the dataset's order, with their splits.

    Args:
        inputs: videos or folders of them, folders of the other formats; none for 'synthetic'.
        found: clips found elsewhere, which come first.

    Raises:
        UserError: missing or wrong input, options out of range, no clip or two of one name.
    """
    _check(inputs, options)
    if not (inputs or found or options.format == "synthetic"):
        raise UserError(f"The format '{options.format}' needs something to read; name one or more.")
    clips = _selected([*found, *_FORMATS[options.format](inputs, options)], options.only)
    if not options.video.span.is_whole and (options.format != "video" or len(clips) > 1):
        raise UserError("A start and an end are for one video; name it alone, or by --only.")
    if options.action is not None:
        clips = [replace(clip, action=options.action) for clip in clips]
    if options.register and options.format != "video":
        clips = [registered(clip) for clip in clips]
    if options.format == "dataset":
        return clips
    return _split([replace(clip, format=options.format) for clip in clips], options.validation)


def _check(inputs: list[Path], options: Options) -> None:
    if options.format not in _FORMATS:
        raise UserError(f"There is no format '{options.format}'; known are {', '.join(_FORMATS)}.")
    named_skeleton(options.skeleton, "--skeleton")
    if options.skeleton != PERSON.name and options.format != "synthetic":
        raise UserError(f"The skeleton '{options.skeleton}' is for synthetic data; leave out --skeleton.")
    if options.format == "synthetic":
        if inputs:
            raise UserError(f"The format 'synthetic' reads nothing; leave out {inputs[0]}.")
        if options.clips < 1 or options.frames < LEAST_FRAMES or options.seed < 0:
            raise UserError("Synthetic data need at least one clip, two frames a clip and a seed that is not negative.")
    if options.max_side is not None and options.max_side < 1:
        raise UserError(f"A longest side of {options.max_side} pixels leaves no picture; give a positive number.")
    if options.format == "dataset" and options.max_side is not None:
        raise UserError("The pictures of datasets keep their size; give the longest side when a dataset is made.")
    if not 0 <= options.validation < 1:
        raise UserError(f"A validation part of {options.validation} is not within 0..1; give 0.1, or 0 for none.")


def _posewarp(inputs: list[Path], options: Options) -> list[Clip]:
    return [clip for root in inputs for clip in posewarp_clips(root, max_side=options.max_side)]


def _pairs(inputs: list[Path], options: Options) -> list[Clip]:
    return [clip for root in inputs for clip in pair_clips(root, max_side=options.max_side)]


def _avatars(inputs: list[Path], options: Options) -> list[Clip]:
    return [clip for root in inputs for clip in avatar_clips(root, max_side=options.max_side)]


def _videos(inputs: list[Path], options: Options) -> list[Clip]:
    return video_clips(inputs, options.video_options)


def _datasets(inputs: list[Path], options: Options) -> list[Clip]:
    return dataset_clips(inputs)


def _synthetic(inputs: list[Path], options: Options) -> list[Clip]:
    """Clips of drawn people, with the given action or all in turn."""
    skeleton, clips = named_skeleton(options.skeleton, "--skeleton"), []
    known = actions_of(skeleton)
    actions = [options.action or known[number % len(known)] for number in range(options.clips)]
    for number, action in enumerate(actions):
        seed = synthetic_clip_seed(options.seed, number)
        drawn = (seed, options.frames, options.size, options.size, action, skeleton)
        # Called now to check its arguments; it draws lazily.
        synthetic_clip(*drawn)
        frames = partial(_drawn_frames, *drawn)
        clips.append(Clip(f"synthetic-{number:04d}", action, SYNTHETIC_FPS, frames, skeleton=skeleton))
    return clips


_FORMATS = {
    "video": _videos,
    "posewarp": _posewarp,
    "pairs": _pairs,
    "avatars": _avatars,
    "synthetic": _synthetic,
    "dataset": _datasets,
}


def synthetic_clip_seed(seed: int, number: int) -> int:
    """The seed of `synthetic_clip` behind clip `number` of a synthetic dataset that was prepared with `seed`."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _drawn_frames(
    seed: int, frame_count: int, height: int, width: int, action: str, skeleton: Skeleton
) -> Iterator[Frame]:
    for index, frame in enumerate(synthetic_clip(seed, frame_count, height, width, action, skeleton)):
        jpeg, mask = encode_picture(frame.image, "JPEG"), encode_picture(frame.mask, "PNG")
        yield Frame(jpeg, frame.joints, index, mask_png=mask)


def _selected(clips: list[Clip], only: tuple[str, ...]) -> list[Clip]:
    names = [clip.name for clip in clips]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise UserError(f"Two clips are named '{name}'; rename one of them.")
    unknown = sorted(set(only) - set(names))
    if unknown:
        raise UserError(f"There is no clip '{unknown[0]}' in the input; the first of its clips is '{names[0]}'.")
    return [clip for clip in clips if clip.name in only] if only else clips


def _split(clips: list[Clip], validation: float) -> list[Clip]:
    """Holds out people for validation: those with the least hashes of their names, of every group in turn.

    The choice is reproducible.
    """
    groups: dict[str, list[str]] = {}
    for person, group in sorted({clip.person: clip.group for clip in clips}.items(), key=_by_hash):
        groups.setdefault(group, []).append(person)
    people = [person for rank in zip_longest(*groups.values()) for person in rank if person is not None]
    aside = set(people[: round(validation * len(people))])
    return [replace(clip, split="validation" if clip.person in aside else "train") for clip in clips]


def _by_hash(item: tuple[str, str]) -> bytes:
    return hashlib.sha256(item[0].encode()).digest()
