"""Runs models and baselines over a dataset's pairs and sequences and measures every result.

Pairs are read, rendered and measured one at a time, and only numbers are kept, so memory does not grow with the
dataset; pictures are rendered again when needed.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation import evaluation_pairs, metric_columns
from tf_unseen_pose.evaluation.baselines import copy_photo, copy_source, warp_only
from tf_unseen_pose.evaluation.compared_models import Model, require_same_canvas
from tf_unseen_pose.evaluation.evaluation_pairs import EvaluationPair, PairSequence
from tf_unseen_pose.evaluation.example_pictures import Example, ExampleReader
from tf_unseen_pose.evaluation.limb_choice import measure_choice
from tf_unseen_pose.evaluation.metric_table import MetricTable
from tf_unseen_pose.evaluation.perceptual_units import open_perceptual
from tf_unseen_pose.evaluation.photo_metrics import PhotoJudge, open_judge
from tf_unseen_pose.evaluation.result_metrics import Detector, Measuring, measure_flicker
from tf_unseen_pose.known_skeletons import PERSON, is_person
from tf_unseen_pose.skeleton import Skeleton

# Columns without a model. The target photographs show the limit of the pose detector.
COPY, WARP, TARGET = "copy", "warp", "target"
_SEQUENCES = 20

Method = Callable[[Example], np.ndarray]


@dataclass(frozen=True)
class Options:
    """Options of an evaluation.

    Attributes:
        split: "validation", "train" or "all".
        pairs: maximum number of pairs, and with `across` of pairs across actions.
        seed: of the choice of pairs and the bootstrap.
        across: whether to use poses of other actions, too.
        poses: whether to detect poses in the results.
        pose_model: MediaPipe's .task file; see `pose.landmarker_model`.
        features_weights: as `loss.features_weights`; by default the one that the first model was trained with.
        joints: given to the methods for people: "all" of the dataset's, or "14", those of `PERSON`.
    """

    split: str = "validation"
    pairs: int = 200
    seed: int = 0
    across: bool = False
    poses: bool = True
    pose_model: Path | None = None
    features_weights: Path | None = None
    joints: str = "all"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The results, and what is needed to show them.

    Attributes:
        models: by name, the evaluated one first.
        methods: the models and the two baselines, by the name of their column.
        within: pairs of one clip, with the truth.
        sequences: clips frame by frame; None where no clip has frames in succession.
        across: poses of other actions, without a truth; None if not requested.
        left_out: pairs across actions whose people have too few joints in common.
        drawn_masks: pairs of which a mask had to be drawn from the joints.
        seconds: median time of one picture, by method.
        perceptual: what units the VGG error has, or why there is none.
        unplaced: pairs not measured as whole photos, since a pose leaves the photo.
        faces: why faces were not compared; empty if they were.
    """

    dataset: ClipDataset
    options: Options
    reader: ExampleReader
    models: dict[str, Model]
    methods: dict[str, Method]
    within: MetricTable[EvaluationPair]
    sequences: MetricTable[PairSequence] | None
    across: MetricTable[EvaluationPair] | None
    left_out: int
    drawn_masks: int
    seconds: dict[str, float]
    perceptual: str
    unplaced: int
    faces: str

    def render(self, example: Example) -> dict[str, np.ndarray]:
        """Every method's result: uint8 [H, W, 3]."""
        return {name: method(example) for name, method in self.methods.items()}


def evaluate(dataset: ClipDataset, models: dict[str, Model], options: Options, progress: bool = True) -> Evaluation:
    """Evaluates models and the baselines (copying, warping) on the same pairs.

    Args:
        models: by the name of their column, the evaluated one first; of one canvas, each of a skeleton as which the
            dataset can be read (`ClipDataset.as_of`).
        progress: shows a bar.

    Raises:
        UserError: nothing to evaluate on, models of different canvases or named like a baseline, a dataset of another
            skeleton (or of none of a person's, for 14 joints), a weights file or pose model that cannot be read.
    """
    _check_names(models)
    require_same_canvas(models)
    first = next(iter(models.values()))
    clips = evaluation_pairs.clips_of_split(dataset, options.split)
    pairs = evaluation_pairs.pairs_within(dataset, clips, options.pairs, options.seed, first.config.data.min_gap)
    others = evaluation_pairs.pairs_across(dataset, clips, options.pairs, options.seed) if options.across else []
    runs = evaluation_pairs.sequences(dataset, clips, _SEQUENCES, options.seed)
    # Before minutes of work: rejects a dataset of another skeleton.
    for model in models.values():
        dataset.as_of(model.config.model.body)
    skeleton, given = dataset.skeleton, _given(dataset, options)
    models = {name: model.limited_to(given) for name, model in models.items()}
    reader = ExampleReader(dataset, first.config)
    perceptual, note = open_perceptual(dataset, first, options.features_weights)
    name, *more = models
    methods: dict[str, Method] = {name: models[name], COPY: copy_source, WARP: partial(warp_only, skeleton=given)}
    methods |= {name: models[name] for name in more}
    with ExitStack() as stack:
        detector = _open_detector(skeleton, options, stack)
        photographers = {name: model.repose for name, model in models.items() if model.repose}
        judge = open_judge({COPY: copy_photo} | photographers, skeleton, detector, TARGET) if photographers else None
        work = _Work(dataset, reader, models, methods, Measuring(perceptual, detector), judge)
        bar = stack.enter_context(
            tqdm(total=len(pairs) + len(runs) + len(others), desc="Evaluating", unit="case", disable=not progress)
        )
        within, drawn_masks = work.within(pairs, bar)
        sequences = work.sequences(runs, bar)
        across, left_out = work.across(others, bar)
    seconds = {name: float(np.median(times)) for name, times in work.times.items()}
    return Evaluation(
        dataset, options, reader, models, methods, within, sequences, across, left_out, drawn_masks, seconds, note,
        judge.unplaced if judge else 0, judge.without_faces if judge else "",
    )  # fmt: skip


def _check_names(models: dict[str, Model]) -> None:
    for name in models:
        if name in (COPY, WARP, TARGET):
            raise UserError(f"'{name}' is the name of a built-in column; give the model another name.")


def _given(dataset: ClipDataset, options: Options) -> Skeleton:
    """The skeleton of the joints given to all methods."""
    if options.joints == "all":
        return dataset.skeleton
    if not is_person(dataset.skeleton):
        raise UserError(
            f"{dataset.path} has the joints of '{dataset.skeleton.name}', and --joints 14 is for those of people; "
            "leave it out."
        )
    return PERSON


def _open_detector(skeleton: Skeleton, options: Options, stack: ExitStack) -> Detector | None:
    # MediaPipe detects only people.
    if not options.poses or not is_person(skeleton):
        return None
    # MediaPipe is large, and not needed without poses.
    from tf_unseen_pose.pose.estimation import open_estimator

    return stack.enter_context(open_estimator(model=options.pose_model))


class _Work:
    """The loops over pairs and sequences.

    Attributes:
        times: seconds of every picture of the pairs, by method; the first, in which graphs are traced, is left out.
    """

    def __init__(
        self,
        dataset: ClipDataset,
        reader: ExampleReader,
        models: dict[str, Model],
        methods: dict[str, Method],
        measuring: Measuring,
        judge: PhotoJudge | None,
    ):
        self._dataset, self._reader, self._models, self._methods = dataset, reader, models, methods
        self._measuring, self._judge = measuring, judge
        self.times: dict[str, list[float]] = {name: [] for name in methods}

    def within(self, pairs: Sequence[EvaluationPair], bar: tqdm) -> tuple[MetricTable[EvaluationPair], int]:
        """The pairs' numbers, and of how many a mask was drawn."""
        measured, movement, drawn_masks = [], [], 0
        for i, pair in enumerate(pairs):
            example = self._reader.within(pair)
            if i == 0:
                self._measured(example)
                self.times = {name: [] for name in self._methods}
            found = self._measured(example)
            for name, model in self._models.items():
                found[name] |= self._choice(model, example)
            found[TARGET] = self._measuring.against(example).pose(example.target)
            if self._judge:
                for name, values in self._judge(self._reader.photos(pair)).items():
                    found[name] |= values
            measured.append(found)
            movement.append(example.movement)
            drawn_masks += example.masks_drawn
            bar.update()
        return self._table(pairs, movement, metric_columns.PAIRS, measured, [*self._methods, TARGET]), drawn_masks

    def across(self, pairs: Sequence[EvaluationPair], bar: tqdm) -> tuple[MetricTable[EvaluationPair] | None, int]:
        """The numbers of pairs across actions, and how many poses could not be fitted to the source."""
        kept, measured, movement, left_out = [], [], [], 0
        for pair in pairs:
            try:
                example = self._reader.across(pair)
            except UserError:
                left_out += 1
            else:
                kept.append(pair)
                measured.append(self._measured(example))
                movement.append(example.movement)
            bar.update()
        if not kept:
            return None, left_out
        return self._table(kept, movement, metric_columns.ACROSS, measured, [*self._methods]), left_out

    def sequences(self, runs: Sequence[PairSequence], bar: tqdm) -> MetricTable[PairSequence] | None:
        """Flicker; None where there are no sequences."""
        measured, movement = [], []
        for run in runs:
            steps, way = [], []
            for (before, old), (now, new) in pairwise(
                (example, {name: method(example) for name, method in self._methods.items()})
                for example in self._reader.sequence(run)
            ):
                steps.append({name: measure_flicker((old[name], new[name]), (before, now)) for name in new})
                way.append(now.movement)
            measured.append({name: _means([step[name] for step in steps]) for name in self._methods})
            movement.append(float(np.nanmean(way)))
            bar.update()
        return self._table(runs, movement, metric_columns.SEQUENCES, measured, [*self._methods]) if runs else None

    def _measured(self, example: Example) -> dict[str, dict[str, float]]:
        comparison, found = self._measuring.against(example), {}
        for name, method in self._methods.items():
            start = time.perf_counter()
            result = method(example)
            self.times[name].append(time.perf_counter() - start)
            found[name] = comparison.measure(result)
        return found

    def _choice(self, model: Model, example: Example) -> dict[str, float]:
        labels = example.target_limbs
        choice = None if labels is None else model.choice(example)
        return {} if choice is None else measure_choice(choice, labels, self._dataset.skeleton)

    def _table(
        self,
        samples: Sequence[Any],
        movement: list[float],
        metrics: Sequence[metric_columns.MetricColumn],
        measured: list[dict[str, dict[str, float]]],
        methods: list[str],
    ) -> MetricTable[Any]:
        pairs = [isinstance(sample, EvaluationPair) for sample in samples]
        sources = [of.source_clip if pair else of.clip for of, pair in zip(samples, pairs, strict=True)]
        targets = [of.target_clip if pair else of.clip for of, pair in zip(samples, pairs, strict=True)]
        actions = [self._dataset.clips[clip].action for clip in targets]
        return MetricTable.collect(samples, sources, actions, movement, methods, metrics, measured)


def _means(values: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of every metric over those that have it."""
    return {
        key: float(np.mean(known)) if (known := [v[key] for v in values if np.isfinite(v[key])]) else float("nan")
        for key in values[0]
    }
