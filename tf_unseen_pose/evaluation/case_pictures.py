"""Contact sheets of pairs, cut out of the whole photos: the people, and their enlarged faces below.

The model's canvas is too small to judge faces. If no model renders whole photos, or a pose leaves the photo, canvases
are shown.
"""

import numpy as np

from tf_unseen_pose.data.clip_poses import spread
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation.evaluate import COPY, TARGET, WARP, Evaluation
from tf_unseen_pose.evaluation.evaluation_pairs import EvaluationPair
from tf_unseen_pose.evaluation.metrics import head_length
from tf_unseen_pose.imaging.crop import common_crop
from tf_unseen_pose.imaging.drawing import contact_sheet
from tf_unseen_pose.imaging.resampling import cut_out
from tf_unseen_pose.skeleton import Skeleton

LABELS = {COPY: "copying the source", WARP: "warp only", TARGET: "target photographs"}
# Pairs on the sheet beside the table, and the height of its panels.
_SHOWN, _SIDE = 8, 256
# A face is shown with so much about it, in lengths of the head.
_HEADS = 1.5

Panels = list[tuple[str, np.ndarray]]


def pair_sheet(evaluation: Evaluation) -> np.ndarray:
    """A contact sheet, uint8 [H, W, 3], of pairs spread over the evaluated ones.

    Raises:
        UserError: as `case_rows`.
    """
    rows = []
    for position in spread(len(evaluation.within.samples), _SHOWN):
        rows += case_rows(evaluation, evaluation.within.samples[position], _SIDE)
    # Cases that are shown on canvases have more panels than others: the sheet is as wide as the widest.
    columns = max(len(row) for row in rows)
    blank = "", np.zeros_like(rows[0][0][1])
    return contact_sheet([panel for row in rows for panel in [*row, *[blank] * (columns - len(row))]], columns, _SIDE)


def case_rows(evaluation: Evaluation, pair: EvaluationPair, side: int) -> list[Panels]:
    """Source, target and every model's result as labelled panels: a row of people, and one of faces.

    Args:
        side: the panels' height in pixels; their width is in the canvas's proportion.

    Returns:
        Rows of one length. Where the target shows no head, there is none of faces; on canvases there is none either,
        but a panel for each baseline.

    Raises:
        UserError: a frame that cannot be read, a pose without a size.
    """
    pictures = _photos(evaluation, pair)
    if pictures is None:
        example = evaluation.reader.within(pair)
        results = [(LABELS.get(name, name), picture) for name, picture in evaluation.render(example).items()]
        return [[("source", example.source), ("target", np.asarray(example.target)), *results]]
    photos, model = evaluation.reader.photos(pair), next(iter(evaluation.models.values())).config
    poses, skeleton = [photos.source_joints, *[photos.target_joints] * (len(pictures) - 1)], evaluation.dataset.skeleton
    height, width = model.model.height, model.model.width
    people = common_crop(poses[:2], skeleton, height, width, model.data.crop_factor)
    size = side, round(side * width / height)
    rows = [[(name, _shown(picture, people, height, size)) for name, picture in pictures]]
    places = [_face(joints, skeleton, size) for joints in poses]
    if places[1] is not None:
        blank = np.zeros((*size, 3), np.uint8)
        faces = [blank if to is None else cut_out(of, to, *size) for (_, of), to in zip(pictures, places, strict=True)]
        rows.append([("", face) for face in faces])
    return rows


def _photos(evaluation: Evaluation, pair: EvaluationPair) -> Panels | None:
    """The whole photos by name: source, target, results; None where there are none."""
    methods = {name: model.repose for name, model in evaluation.models.items() if model.repose is not None}
    if not methods:
        return None
    photos = evaluation.reader.photos(pair)
    poses = photos.target_joints, photos.source_joints
    try:
        results = [(name, repose(photos.source, *poses)) for name, repose in methods.items()]
    except UserError:
        return None
    return [("source", photos.source), ("target", photos.target), *results]


def _shown(picture: np.ndarray, canvas_to_photo: np.ndarray, height: int, size: tuple[int, int]) -> np.ndarray:
    """The part of a photo that a canvas covers, at a given height: uint8 [size, 3]."""
    part = height / size[0]
    # Pixel corners, not centres, are aligned.
    shift = canvas_to_photo[:, :2] @ np.full(2, (part - 1) / 2)
    return cut_out(picture, np.column_stack([part * canvas_to_photo[:, :2], canvas_to_photo[:, 2] + shift]), *size)


def _face(joints: np.ndarray, skeleton: Skeleton, size: tuple[int, int]) -> np.ndarray | None:
    """From a panel of some size about a pose's head to its photo: [2, 3]; None where head or neck are absent."""
    ends = joints[skeleton.joint_index("head", "neck")]
    if (ends[:, 2] <= 0).any():
        return None
    step = _HEADS * head_length(joints, skeleton) / min(size)
    height, width = size
    corner = ends[:, :2].mean(axis=0) - step * (np.array([width, height]) - 1) / 2
    return np.array([[step, 0, corner[0]], [0, step, corner[1]]])
