"""A drawn person: painted parts mapped to the joints that carry them, far ones first."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageChops

from tf_unseen_pose.data.synthetic.club import CLUB_LENGTH
from tf_unseen_pose.data.synthetic.motion import Body
from tf_unseen_pose.data.synthetic.sprites import Sprite, paint_sprites
from tf_unseen_pose.data.synthetic.wardrobe import Wardrobe
from tf_unseen_pose.skeleton import Skeleton

SIDES = ("right", "left")
# How far (body units) the shadow of a part falls on the parts behind it. Legs have none: it would ring the knees.
THICKNESS = {"torso": 0.012, "skirt": 0.012, "head": 0.01, "upper_arm": 0.01, "forearm": 0.01}


@dataclass(frozen=True)
class Posture:
    """Joints [J, 3] and toes (right, left) [2, 3]: x, y in pixels from the canvas's corner, z nearness in units."""

    joints: np.ndarray
    toes: np.ndarray
    skeleton: Skeleton

    def scaled(self, factor: float) -> "Posture":
        """The same posture on a canvas ``factor`` times as large."""
        return replace(self, joints=self.joints * [factor, factor, 1], toes=self.toes * [factor, factor, 1])

    def __getitem__(self, joint: str) -> np.ndarray:
        return self.joints[self.skeleton.joints.index(joint)]


class Figure:
    """A body in its clothes, ready to be drawn in any posture.

    Args:
        scale: pixels a body unit on the canvas that it is drawn on.
        yaw: degrees that the person is turned to the viewer's right.
    """

    def __init__(self, rng: np.random.Generator, body: Body, scale: float, yaw: float):
        self.body, self.scale, self.yaw = body, scale, np.radians(yaw)
        self.wardrobe = Wardrobe.sample(rng)
        self.sprites = paint_sprites(body, self.wardrobe, scale, self.yaw)

    def draw(self, posture: Posture, size: tuple[int, int], light: float) -> Image.Image:
        """RGBA canvas of ``size`` (width, height); ``light`` -1..1 is where it comes from, left to right."""
        canvas = Image.new("RGBA", size)
        for _, name, corners in sorted(self._parts(posture), key=lambda part: part[0]):
            _stamp(canvas, self.sprites[name], corners, light, THICKNESS.get(name, 0) * self.scale)
        return canvas

    def _parts(self, posture: Posture) -> list[tuple[float, str, np.ndarray]]:
        """Nearness, sprite and where its box's corners go, for every part."""
        shoulders = (posture["right_shoulder"] + posture["left_shoulder"]) / 2
        hips = (posture["right_hip"] + posture["left_hip"]) / 2
        # A trunk is an elliptic cylinder: turned aside it is narrower, but never as narrow as its joints' span.
        slim = np.hypot(np.cos(self.yaw), 0.66 * np.sin(self.yaw))
        parts = [
            ((shoulders[2] + hips[2]) / 2, "torso", self._place("torso", shoulders, hips, self.body.torso, slim)),
            (hips[2] - 0.012, "pelvis", self._place("pelvis", shoulders, hips, self.body.torso, slim)),
            (shoulders[2] + 0.02, "head", self._place("head", posture["head"], posture["neck"], self.body.head)),
        ]
        chains = (("upper_arm", "shoulder", "elbow", 0.035), ("forearm", "elbow", "wrist", 0.045),
                  ("calf", "knee", "ankle", -0.03), ("thigh", "hip", "knee", -0.025))  # fmt: skip
        for side, toe in zip(SIDES, posture.toes, strict=True):
            for name, start, end, bias in chains:
                first, second = posture[f"{side}_{start}"], posture[f"{side}_{end}"]
                corners = self._place(name, first, second, getattr(self.body, name))
                parts.append(((first[2] + second[2]) / 2 + bias, name, corners))
            ankle = posture[f"{side}_ankle"]
            near = (posture[f"{side}_knee"][2] + ankle[2]) / 2 - 0.032
            for name, drop, behind in (("sole", 0.012, 0.002), ("shoe", 0, 0)):
                heel = ankle + [0, (drop + 0.012) * self.scale, 0]
                toes = toe + [0, drop * self.scale, 0]
                parts.append((near - behind, name, self._place(name, heel, toes, self.body.foot)))
        if self.wardrobe.skirt:
            parts.append(self._skirt_part(posture, hips, slim))
        if "club_grip" in posture.skeleton.joints:
            # Hands close around it.
            near = min(nearness for nearness, name, _ in parts if name == "forearm") - 0.001
            parts.append((near, "club", self._place("club", posture["club_grip"], posture["club_head"], CLUB_LENGTH)))
        return parts

    def _place(self, name: str, start: np.ndarray, end: np.ndarray, length: float, wide: float = 1.0) -> np.ndarray:
        """Corners [4, 2] of a sprite's box when its axis runs from ``start`` to ``end``, from (x0, y0) clockwise."""
        along = (end - start)[:2] / length
        norm = max(np.hypot(*along), 1e-6)
        across = np.array([along[1], -along[0]]) / norm * self.scale * wide
        # A limb that points at the camera keeps its thickness, and so its round ends.
        x0, y0, x1, y1 = self.sprites[name].box
        ends = [y0 * self.scale / norm, length + (y1 - length) * self.scale / norm]
        box = ((x0, ends[0]), (x1, ends[0]), (x1, ends[1]), (x0, ends[1]))
        return np.array([start[:2] + x * across + y * along for x, y in box])

    def _skirt_part(self, posture: Posture, hips: np.ndarray, slim: float) -> tuple[float, str, np.ndarray]:
        """A skirt hangs from the hips and spreads with the knees."""
        knees = np.stack([posture["right_knee"], posture["left_knee"]])
        thighs = knees - np.stack([posture["right_hip"], posture["left_hip"]])
        hem = hips[:2] + thighs[:, :2].mean(0) * self.wardrobe.skirt / self.body.thigh
        half = max(np.ptp(knees[:, 0]) / 2 * self.wardrobe.skirt / self.body.thigh, 0.5 * self.body.hip * self.scale)
        waist, flare = 0.1 * self.body.girth * self.scale * slim, half + 0.085 * self.body.girth * self.scale
        top = hips[:2] - [0, 0.07 * self.scale]
        corners = [top - [waist, 0], top + [waist, 0], hem + [flare, 0], hem - [flare, 0]]
        nearest = max(hips[2], (knees - thighs / 2)[:, 2].max() - 0.02)
        return nearest, "skirt", np.array(corners)


def _stamp(canvas: Image.Image, sprite: Sprite, corners: np.ndarray, light: float, thickness: float) -> None:
    """Map a sprite's box to ``corners`` [4, 2] of the canvas and lay it over what is there.

    Its shadow falls ``thickness`` pixels aside, on the figure alone.
    """
    low = np.maximum(np.floor(corners.min(0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, canvas.size)
    if (high <= low).any():
        return
    edge = corners[1] - corners[0]
    toward = 0.5 + 0.5 * np.dot(edge / max(np.hypot(*edge), 1e-6), [light, -0.6]) / np.hypot(light, 0.6)
    source = Image.blend(*sprite.lit, toward)
    matrix = _perspective(corners - low, source.size)
    part = source.transform(tuple(high - low), Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BILINEAR)
    if thickness:
        offset = np.clip(low + np.round([-light * thickness, thickness]).astype(int), 0, None)
        under = canvas.crop((*offset, *(offset + part.size)))
        dark = Image.new("RGBA", part.size, (18, 12, 24, 0))
        dark.putalpha(ImageChops.multiply(part.getchannel("A"), under.getchannel("A")).point(lambda value: value // 4))
        canvas.paste(Image.alpha_composite(under, dark), tuple(offset))
    canvas.alpha_composite(part, tuple(low))


def _perspective(corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The 8 coefficients with which Pillow samples a picture of ``size`` so that it fills ``corners`` (clockwise)."""
    width, height = size
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, ((0, 0), (width, 0), (width, height), (0, height)), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.linalg.solve(np.array(rows), np.array(values))
