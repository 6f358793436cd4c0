"""Draws the pictures of *How it works*: the stages of one re-posing of the bundled photo by the model that comes along.

    python -m docs.pictures

Only the bundled photo may be shown: others' licences do not allow it, or their people were not asked.
"""

import colorsys
from pathlib import Path

import numpy as np
from PIL import Image

from tf_unseen_pose.geometry import pose_maps
from tf_unseen_pose.imaging.drawing import contact_sheet, draw_pose, explanation_sheet
from tf_unseen_pose.imaging.image_files import to_uint8
from tf_unseen_pose.inference.bundled import bundled
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.skeleton import Skeleton

FOLDER = Path(__file__).parent / "pictures"
# The pose of the bundled motion in which most limbs are elsewhere than in the photo.
_POSE = 24
_SIDE, _QUALITY = 224, 85


def main() -> None:
    photo, source, motion = bundled()
    target = motion.joints[_POSE]
    reposer = Reposer.load("lite", "tensorflow")
    skeleton = reposer.skeleton
    canvas = reposer.canvas(photo, source[:, :3], target)
    stages = reposer.explain(canvas)
    shown = to_uint8(canvas.image)
    sheets = {
        "heatmaps": _heatmaps(canvas, shown, skeleton),
        "segmentation": _segmentation(stages, shown),
        "layers": _layers(stages["layers"][:, 1:-1, 1:-1], skeleton),
        "warped": _layers(stages["warped_layers"], skeleton),
        "foreground": _foreground(stages, shown),
        "background": _background(stages, shown),
        "composite": [
            ("foreground and background", to_uint8(stages["image"])),
            ("photo", _square(photo)),
            ("pasted back", _square(reposer.synthesize(photo, target, source[:, :3]))),
        ],
    }
    FOLDER.mkdir(exist_ok=True)
    for name, panels in sheets.items():
        _write(name, contact_sheet(panels, columns=min(len(panels), 6), side=_SIDE))
    _write("explain", explanation_sheet(stages, vars(canvas), skeleton))


def _heatmaps(canvas, shown, skeleton: Skeleton):
    title, poses = f"its {skeleton.joint_count} heatmaps in one", (canvas.source_joints, canvas.target_joints)
    blobs = [pose_maps.joint_heatmaps(joints[None], *shown.shape[:2])[0].numpy().max(axis=-1) for joints in poses]
    return [
        ("source pose", draw_pose(shown, canvas.source_joints, skeleton)),
        (title, _grey(blobs[0])),
        ("target pose", draw_pose(np.zeros_like(shown), canvas.target_joints, skeleton)),
        (title, _grey(blobs[1])),
    ]


def _segmentation(stages, shown):
    return [
        ("photo", shown),
        ("limb priors", _coloured(stages["limb_priors"][..., 1:], shown)),
        ("limb masks", _coloured(stages["masks"][..., 1:], shown)),
        ("background's mask", _grey(stages["masks"][..., 0])),
    ]


def _layers(layers, skeleton: Skeleton):
    """[L + 1, h, w, 4], colours times mask: on black."""
    pictures = [to_uint8(layer[..., :3] + layer[..., 3:] - 1) for layer in layers]
    limbs = [limb.name.replace("_", " ") for limb in skeleton.limbs]
    return list(zip([*limbs, "whole person, unmoved"], pictures, strict=True))


def _foreground(stages, shown):
    weights = stages["limb_weights"] * _enlarged(stages["alpha"], stages["limb_weights"].shape[0])
    return [
        ("copied from which limb", _coloured(weights, np.zeros_like(shown))),
        ("colours so copied", to_uint8(stages["foreground"])),
        ("alpha", _grey(stages["alpha"][..., 0])),
        ("replaced, not copied", _grey(stages["replace"][..., 0] * stages["alpha"][..., 0])),
    ]


def _background(stages, shown):
    return [
        ("photo", shown),
        ("hole", _grey(1 - stages["background_input"][..., 3])),
        ("filled smoothly", to_uint8(stages["background_input"][..., :3])),
        ("corrected by the network", to_uint8(stages["background"])),
    ]


def _coloured(maps, below):
    """Maps [h, w, N] in [0, 1], each in a colour of its own, over a darkened picture."""
    count = maps.shape[-1]
    colours = np.array([colorsys.hsv_to_rgb((i * 0.382) % 1, 0.75, 1) for i in range(count)])
    height, width = below.shape[:2]
    maps = np.stack([_resized(maps[..., i], height, width) for i in range(count)], axis=-1)
    covered = np.clip(maps.sum(axis=-1, keepdims=True), 0, 1)
    picture = (1 - covered) * 0.35 * below / 255 + maps @ colours
    return np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def _resized(values, height, width):
    return np.asarray(Image.fromarray(np.float32(values)).resize((width, height), Image.Resampling.BILINEAR))


def _enlarged(maps, side):
    """[h, w, 1] at another size."""
    return _resized(maps[..., 0], side, side)[..., None]


def _grey(values):
    return np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)


def _square(photo):
    """The photo with bars, so that panels of one sheet have one shape."""
    height, width = photo.shape[:2]
    side = max(height, width)
    framed = np.full((side, side, 3), 24, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    framed[top : top + height, left : left + width] = photo
    return framed


def _write(name, sheet):
    path = FOLDER / f"{name}.jpg"
    Image.fromarray(sheet).save(path, quality=_QUALITY, optimize=True)
    print(f"Wrote {path}: {path.stat().st_size // 1000} kB.")


if __name__ == "__main__":
    main()
