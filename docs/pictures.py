"""Draws the pictures of the README and of *How it works* with the bundled model.

    python -m docs.pictures

*How it works* shows the stages of one re-posing of the bundled photo. Photos of other people are not shown: their
licences do not allow it, or the people were not asked.
"""

import colorsys
from pathlib import Path

import numpy as np
from PIL import Image

from docs.readme_pictures import followed_motion, photo_pose_result
from tf_unseen_pose.geometry import pose_maps
from tf_unseen_pose.imaging.drawing import contact_sheet, draw_pose, explanation_sheet
from tf_unseen_pose.imaging.image_files import save_image, to_uint8
from tf_unseen_pose.imaging.provenance import saving_options
from tf_unseen_pose.inference.bundled import bundled
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.skeleton import Skeleton

FOLDER = Path(__file__).parent / "pictures"
# The pose of the bundled motion in which most limbs are elsewhere than in the photo.
_POSE = 24
_SIDE, _QUALITY = 224, 85
# Of the animation: how good each frame is, and how long it is shown, in milliseconds.
_ANIMATION = {"quality": 75, "method": 6, "duration": 67, "loop": 0}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    reposer = Reposer.load("lite", "tensorflow")
    _readme(reposer)
    _how_it_works(reposer)


def _readme(reposer: Reposer) -> None:
    path = FOLDER / "photo-pose-result.jpg"
    save_image(path, photo_pose_result(reposer), synthetic=True)
    _say(path)
    forth = [Image.fromarray(frame) for frame in followed_motion(reposer)]
    # And back, so that the loop has no jump.
    frames = forth + forth[-2:0:-1]
    path = FOLDER / "motion.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], **_ANIMATION, **saving_options(path.suffix))
    _say(path)


def _how_it_works(reposer: Reposer) -> None:
    photo, source, motion = bundled()
    target = motion.joints[_POSE]
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
        ("corrected, then of pieces of the photo", to_uint8(stages["background"])),
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
    _say(path)


def _say(path):
    print(f"Wrote {path}: {path.stat().st_size // 1000} kB.")


if __name__ == "__main__":
    main()
