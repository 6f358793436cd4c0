"""The summary page between `prepare` and `train`: contents, warnings, and pictures of a dataset's clips.

`DATASET/summary.html` is self-contained, and equal datasets give equal bytes.
"""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import jinja2
import numpy as np
from PIL import Image
from scipy.ndimage import binary_erosion

from tf_unseen_pose.data.clip_poses import SMALL_MOVEMENT, SMALL_PERSON, ClipPoses, spread
from tf_unseen_pose.data.clips import Frame
from tf_unseen_pose.data.dataset_index import ClipEntry, Index
from tf_unseen_pose.data.pose_plots import PLOTS, plot
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing
from tf_unseen_pose.imaging.affine import invert, transform_joints
from tf_unseen_pose.imaging.crop import common_crop
from tf_unseen_pose.imaging.drawing import draw_pose
from tf_unseen_pose.imaging.person_measures import person_box
from tf_unseen_pose.imaging.resampling import cut_out
from tf_unseen_pose.skeleton import Skeleton
from tf_unseen_pose.words import counted

PAGE_NAME = "summary.html"

# With fewer clips, each is more than a twentieth of training: 20 000 of the paper's 400 000 pairs.
FEW_CLIPS = 20
# Training draws clips equally often, so the 72 pairs of 9 frames appear as often as a long clip's thousands.
FEW_FRAMES = 10
# Faults of single clips cause a warning if they concern at least this share of training.
MANY_CLIPS = 0.1
MOST = 0.5

_SHOWN_CLIPS, _SHOWN_FRAMES = 60, 6
_MEASURED_CLIPS, _MEASURED_FRAMES = 500, 2000
_LISTED = 12
_THUMBNAIL, _THUMBNAIL_QUALITY = 160, 70
_OUTLINE = (255, 225, 0)


def write_summary_page(dataset: ClipDataset) -> Path:
    """Writes `DATASET/summary.html`, replacing an older one.

    Counts are of the whole index. Poses are measured on at most 2000 frames, spread over all clips or, with very many,
    over some 500; the first 60 clips are shown.

    Returns:
        The page's path.

    Raises:
        UserError: a shard was changed since the dataset was opened, or the page cannot be written.
    """
    index, skeleton = dataset.index, dataset.skeleton
    poses = _measure(dataset)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tf_unseen_pose", "data"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("summary_page.html.jinja").render(
        name=dataset.path.resolve().name,
        count=counted,
        index=index,
        lengths=[len(clip.frames) for clip in index.clips],
        median_length=np.median([len(clip.frames) for clip in index.clips]),
        masks=sum(frame.has_mask for clip in index.clips for frame in clip.frames),
        limbs=sum(frame.has_limbs for clip in index.clips for frame in clip.frames),
        backgrounds=sum(clip.background is not None for clip in index.clips),
        actions=Counter(clip.action for clip in index.clips).most_common(),
        action_frames=_total({clip.action: len(clip.frames)} for clip in index.clips),
        warnings=[*_content_warnings(index), *_pose_warnings(index, poses, skeleton)],
        rejected=_total(clip.rejected for clip in index.clips),
        rejecting=sorted(filter(_rejected, index.clips), key=_rejected, reverse=True),
        listed=_LISTED,
        measured_clips=len(poses),
        measured_frames=sum(len(of_clip.joints) for of_clip in poses.values()),
        plots=_plots([*poses.values()], skeleton),
        shown=[
            (clip, poses[i], _remarks(clip, poses[i]), _strip(dataset, i))
            for i, clip in enumerate(index.clips[:_SHOWN_CLIPS])
        ],
    )
    path = dataset.path / PAGE_NAME
    try:
        with replacing(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror}; free space or allow writing there.") from error
    return path


# Measuring -----------------------------------------------------------------------------------------------------------


def _measure(dataset: ClipDataset) -> dict[int, ClipPoses]:
    """By the clips' positions; every clip that is shown is among them."""
    count = len(dataset.clips)
    clips = sorted({*range(min(count, _SHOWN_CLIPS)), *spread(count, _MEASURED_CLIPS)})
    return {clip: ClipPoses.read(dataset, clip, _MEASURED_FRAMES // len(clips)) for clip in clips}


def _total(counts: Iterable[dict[str, int]]) -> Counter:
    total: Counter[str] = Counter()
    for of_clip in counts:
        total.update(of_clip)
    return total


def _rejected(clip: ClipEntry) -> int:
    return sum(clip.rejected.values())


# Judging -------------------------------------------------------------------------------------------------------------


def _content_warnings(index: Index) -> Iterator[tuple[str, str]]:
    """Warnings with the way out, from counts."""
    train = [clip for clip in index.clips if clip.split == "train"]
    validation = [clip for clip in index.clips if clip.split == "validation"]
    if len(train) < FEW_CLIPS:
        yield (
            f"There are few clips to train on: {len(train)}.",
            "The network will memorize their people and rooms; add clips, unless it is meant for these people alone.",
        )
    actions = {clip.action for clip in train}
    if len(actions) == 1 and "" not in actions:
        yield (
            f"All clips to train on show one action, '{actions.pop()}'.",
            "Poses of other actions will look wrong; add clips of them, unless this action is all you want to draw.",
        )
    short = [clip.name for clip in train if len(clip.frames) < FEW_FRAMES]
    if _are_many(short, train):
        yield (
            f"Clips with fewer than {FEW_FRAMES} frames: {len(short)} of {len(train)} to train on ({_some(short)}).",
            "Their few pairs come again and again; take longer clips, or very many short ones.",
        )
    if not validation:
        yield (
            "No clip is kept for validation.",
            f"You will not see whether the network memorizes; {_way_to_validation(len({c.person for c in train}))}.",
        )
    both = {clip.person for clip in train} & {clip.person for clip in validation} - {""}
    if both:
        yield (
            f"People of the training clips are also in the validation clips: {_some(sorted(both))}.",
            "Validation will look better than the network is with new people; keep all clips of a person in one part.",
        )
    if not any(frame.has_mask for clip in train for frame in clip.frames):
        yield (
            "No frame to train on has a mask of the person.",
            "The losses that learn from masks (loss.mask, loss.background) will do nothing; prepare the dataset again "
            "with masks, or leave these losses at 0.",
        )
    rejected = _total(clip.rejected for clip in index.clips)
    frames = rejected.total() + sum(len(clip.frames) for clip in index.clips)
    for reason, count in rejected.most_common(1):
        if count > MOST * frames:
            yield (
                f"One reason rejected {count} of {counted(frames, 'frame')}, '{reason}'.",
                "Little is left of what was filmed; see below under Rejections which clips it concerns, then cut them, "
                "film anew or choose others.",
            )


def _pose_warnings(index: Index, poses: dict[int, ClipPoses], skeleton: Skeleton) -> Iterator[tuple[str, str]]:
    """Warnings from the measured poses of training clips."""
    train = {index.clips[i].name: of_clip for i, of_clip in poses.items() if index.clips[i].split == "train"}
    if not train:
        return
    size = np.median(np.concatenate([of_clip.sizes for of_clip in train.values()]))
    if size < SMALL_PERSON:
        yield (
            f"People are small: half of them less than {size:.0f} pixels tall.",
            "On a canvas of 256 pixels they are enlarged more than twice, and the network learns the blur; film closer "
            "or in a higher resolution, or train on a smaller canvas (model.height, model.width).",
        )
    still = [name for name, of_clip in train.items() if of_clip.movement < SMALL_MOVEMENT]
    if _are_many(still, train):
        yield (
            f"Clips in which poses hardly vary: {len(still)} of {len(train)} measured ({_some(still)}).",
            "From them the network learns to copy; leave them out, or cut them where the person moves.",
        )
    seen = np.concatenate([of_clip.joints[..., 2] > 0 for of_clip in train.values()]).mean(axis=0)
    rare = [joint.replace("_", " ") for joint, share in zip(skeleton.joints, seen, strict=True) if share < 1 - MOST]
    if rare:
        yield (
            f"Most frames lack {', '.join(rare)}.",
            "Limbs there will be drawn badly; film the whole body, unless you need no more than is seen.",
        )


def _remarks(clip: ClipEntry, poses: ClipPoses) -> list[str]:
    """The faults of one clip, in a few words each."""
    rejected = _rejected(clip) / (_rejected(clip) + len(clip.frames))
    remarks = {
        "hardly moves": poses.movement < SMALL_MOVEMENT,
        "small person": poses.size < SMALL_PERSON,
        f"{rejected:.0%} rejected": rejected > MOST,
    }
    return [remark for remark, applies in remarks.items() if applies]


def _are_many(names: Sequence, clips: Sequence | dict) -> bool:
    return len(names) > 0 and len(names) >= MANY_CLIPS * len(clips)


def _way_to_validation(people: int) -> str:
    if people < 2:
        return "add clips of other people and prepare the dataset again"
    return f"add people, or prepare the dataset again with --validation {1 / people:.2f} to set one of them aside"


def _some(names: list[str], limit: int = 5) -> str:
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


# Drawing -------------------------------------------------------------------------------------------------------------


def _data_uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _plots(clips: list[ClipPoses], skeleton: Skeleton) -> dict[str, dict[str, str]]:
    """Data URIs of all plots, by name and theme."""
    drawn = {name: plot(draw, clips, skeleton) for name, draw in PLOTS.items()}
    return {name: {theme: _data_uri(png, "png") for theme, png in themes.items()} for name, themes in drawn.items()}


def _strip(dataset: ClipDataset, clip: int) -> list[tuple[int, str]]:
    """Number and thumbnail (a data URI) of frames spread over a clip, each about its person, all at one scale."""
    frames = [dataset.read_frame(clip, i) for i in spread(len(dataset.clips[clip].frames), _SHOWN_FRAMES)]
    poses, strip = [frame.joints for frame in frames], []
    for frame in frames:
        box = person_box(frame.joints) if frame.box is None else frame.box
        crop = common_crop(poses, dataset.skeleton, _THUMBNAIL, _THUMBNAIL, boxes=[box] * len(poses))
        strip.append((frame.number, _thumbnail(frame, crop, dataset.skeleton)))
    return strip


def _thumbnail(frame: Frame, canvas_to_image: np.ndarray, skeleton: Skeleton) -> str:
    def cropped(data: bytes, mode: str) -> np.ndarray:
        return cut_out(np.asarray(Image.open(io.BytesIO(data)).convert(mode)), canvas_to_image, _THUMBNAIL, _THUMBNAIL)

    image = cropped(frame.jpeg, "RGB")
    if frame.mask_png is not None:
        mask = cropped(frame.mask_png, "L")[..., None] / 255
        inside = mask[..., 0] > 0.5
        image = mask * image + (1 - mask) * (30 + 0.5 * image.mean(axis=-1, keepdims=True))
        image[inside & ~binary_erosion(inside, border_value=1)] = _OUTLINE
    joints = transform_joints(invert(canvas_to_image), frame.joints)
    picture, buffer = draw_pose(np.round(image).astype(np.uint8), joints, skeleton), io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_THUMBNAIL_QUALITY)
    return _data_uri(buffer.getvalue(), "jpeg")
