"""Datasets as input: `prepare --format dataset` joins several, and every clip keeps its split."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tf_unseen_pose.data.clips import Clip, Frame
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import BODY, PERSON


def dataset_clips(roots: list[Path]) -> list[Clip]:
    """The clips of datasets in the order of their indices.

    With several datasets, names, scenes and people get the prefix FOLDER-, since scene 3 of one is not scene 3 of
    another. Datasets of `PERSON` are converted if another one is of `BODY`.

    Raises:
        UserError: as `ClipDataset.open`; datasets of several skeletons.
    """
    clips: list[Clip] = []
    for root, dataset in zip(roots, _of_one_skeleton(roots), strict=True):
        prefix = f"{root.resolve().name}-" if len(roots) > 1 else ""
        for position, entry in enumerate(dataset.clips):
            name, scene, person = (part and prefix + part for part in (entry.name, entry.scene, entry.person))
            clips.append(
                Clip(
                    name, entry.action, entry.fps, partial(_frames, dataset, position), scene, person, entry.split,
                    dataset.skeleton, entry.format, background=partial(dataset.read_background, position),
                )
            )  # fmt: skip
    return clips


def _of_one_skeleton(roots: list[Path]) -> list[ClipDataset]:
    datasets = [ClipDataset.open(root) for root in roots]
    skeleton = datasets[0].skeleton
    for root, dataset in zip(roots, datasets, strict=True):
        if {skeleton, dataset.skeleton} <= {PERSON, BODY}:
            skeleton = max(skeleton, dataset.skeleton, key=lambda one: one.joint_count)
        elif dataset.skeleton != skeleton:
            raise UserError(
                f"{root} has the joints of '{dataset.skeleton.name}', {roots[0]} those of "
                f"'{datasets[0].skeleton.name}'; put datasets of one skeleton together."
            )
    return [dataset.as_of(skeleton) for dataset in datasets]


def _frames(dataset: ClipDataset, clip: int) -> Iterator[Frame]:
    for frame in range(len(dataset.clips[clip].frames)):
        yield dataset.read_frame(clip, frame)
