"""Datasets as input: `prepare --format dataset` puts several together, and every clip keeps the part that it plays."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tf_unseen_pose.data.clips import Clip, Frame
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError


def dataset_clips(roots: list[Path]) -> list[Clip]:
    """The clips of datasets in the order of their indices.

    Of several datasets, names, scenes and people are called FOLDER-NAME: scene 3 of one is not scene 3 of another.

    Raises:
        UserError: as `ClipDataset.open`; datasets of several skeletons.
    """
    clips: list[Clip] = []
    for root in roots:
        dataset = ClipDataset.open(root)
        if clips and dataset.skeleton != clips[0].skeleton:
            raise UserError(
                f"{root} has the joints of '{dataset.skeleton.name}', {roots[0]} those of '{clips[0].skeleton.name}'; "
                "put datasets of one skeleton together."
            )
        prefix = f"{root.resolve().name}-" if len(roots) > 1 else ""
        for position, entry in enumerate(dataset.clips):
            name, scene, person = (part and prefix + part for part in (entry.name, entry.scene, entry.person))
            read = partial(_frames, dataset, position)
            clips.append(Clip(name, entry.action, entry.fps, read, scene, person, entry.split, dataset.skeleton))
    return clips


def _frames(dataset: ClipDataset, clip: int) -> Iterator[Frame]:
    for frame in range(len(dataset.clips[clip].frames)):
        yield dataset.read_frame(clip, frame)
