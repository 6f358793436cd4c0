"""Labelled contact sheets and skeleton overlays, drawn with Pillow."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tf_unseen_pose.imaging.image_files import to_uint8
from tf_unseen_pose.skeleton import Skeleton

_LABEL_HEIGHT = 18
_GAP = 4
# Right is warm, left cold, parts without a side green.
SIDE_COLOURS = {"right": (255, 120, 40), "left": (60, 140, 255), "": (80, 220, 90)}


def contact_sheet(panels: Sequence[tuple[str, np.ndarray]], columns: int, side: int | None = None) -> np.ndarray:
    """Arranges labelled pictures row by row.

    Args:
        panels: (label, uint8 [H, W, 3] or [H, W]); all have the first one's size.
        side: height of the panels in pixels; by default their own.

    Returns:
        uint8 [H, W, 3], the sheet.
    """
    height, width = panels[0][1].shape[:2]
    height, width = (side, round(width * side / height)) if side else (height, width)
    rows = -(-len(panels) // columns)
    cell_width, cell_height = width + _GAP, height + _LABEL_HEIGHT + _GAP
    sheet = Image.new("RGB", (columns * cell_width + _GAP, rows * cell_height + _GAP), (24, 24, 24))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for i, (label, picture) in enumerate(panels):
        x, y = _GAP + i % columns * cell_width, _GAP + i // columns * cell_height
        draw.text((x + 2, y + 1), label, fill=(235, 235, 235), font=font)
        sheet.paste(Image.fromarray(picture).convert("RGB").resize((width, height)), (x, y + _LABEL_HEIGHT))
    return np.asarray(sheet)


def draw_pose(image: np.ndarray, joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Draws a skeleton over uint8 [H, W, 3], without limbs that have an absent joint.

    Joints without a limb, such as those of a face, are dots; anchors are joined, such as a foot to its ankle.

    Args:
        joints: [J, 3 or 4] in pixels of the image.
    """
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    thickness = max(2, min(picture.size) // 90)
    bones = {joint for limb in skeleton.limbs for joint in limb.joints}
    for limb in skeleton.limbs:
        corners = joints[skeleton.joint_index(*limb.joints)]
        if (corners[:, 2] <= 0).any():
            continue
        colour = next((c for side, c in SIDE_COLOURS.items() if side and limb.name.startswith(side)), SIDE_COLOURS[""])
        # Both ends are listed in the same order, so the second is reversed to close an outline.
        shared = joints[skeleton.joint_index(*(anchor for anchor in limb.anchors if anchor in bones))]
        outline = [*corners[: len(corners) // 2], *corners[len(corners) // 2 :][::-1], *shared[shared[:, 2] > 0]]
        points = [tuple(map(float, point[:2])) for point in outline]
        draw.line([*points, points[0]] if len(points) > 2 else points, fill=colour, width=thickness)
    for (x, y, visibility), fine in zip(joints[:, :3], skeleton.fine, strict=True):
        radius = thickness / 2 if fine else thickness
        if visibility > 0:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 255, 255))
    return np.asarray(picture)


def explanation_sheet(stages: dict[str, np.ndarray], inputs: dict[str, np.ndarray], skeleton: Skeleton) -> np.ndarray:
    """A labelled sheet of every stage of one re-posing.

    Args:
        stages: the result of `Generator.explain` for one example: maps [H, W, C] and layers [L, H, W, C].
        inputs: image [H, W, 3] in [-1, 1], source_joints [J, 3] and target_joints [J, 3 or 4].

    Returns:
        uint8 [H, W, 3], the sheet.
    """
    source, result = to_uint8(inputs["image"]), to_uint8(stages["image"])
    panels = [
        ("source", draw_pose(source, inputs["source_joints"], skeleton)),
        ("target pose", draw_pose(np.zeros_like(source), inputs["target_joints"], skeleton)),
    ]
    if "masks" in stages:
        names = [limb.name for limb in skeleton.limbs]
        masks = np.round(stages["masks"] * 255).astype(np.uint8)
        panels += [("background input", to_uint8(stages["background_input"][..., :3]))]
        panels += [("background", to_uint8(stages["background"])), ("foreground", to_uint8(stages["foreground"]))]
        panels += [("alpha", np.round(stages["alpha"][..., 0] * 255).astype(np.uint8)), ("result", result)]
        panels += [(f"mask: {name}", masks[..., i]) for i, name in enumerate(["background", *names])]
        # The copying generator's last layer is the whole person, unmoved.
        layers = zip([*names, "unmoved"], stages["warped_layers"], strict=False)
        panels += [(f"warped: {name}", to_uint8(layer[..., :3])) for name, layer in layers]
    else:
        panels += [("result", result)]
    return contact_sheet(panels, columns=7, side=192)
