"""Bodies in their clothes, painted as the sprites that a figure is put together from.

Every part is painted once a clip in its own frame (body units; x to the viewer's right when the part hangs down, y
from its first joint to its second), so a limb's clothing moves with the limb.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from tf_unseen_pose.data.synthetic.club import CLUB_LENGTH
from tf_unseen_pose.data.synthetic.motion import Body
from tf_unseen_pose.data.synthetic.scene import Colour, mix, noise
from tf_unseen_pose.data.synthetic.wardrobe import Wardrobe


@dataclass(frozen=True)
class Sprite:
    """A painted part: RGBA lit from -x and from +x, and the box (x0, y0, x1, y1) that it covers in its frame."""

    lit: tuple[Image.Image, Image.Image]
    box: tuple[float, float, float, float]


def paint_sprites(body: Body, wardrobe: Wardrobe, scale: float, yaw: float) -> dict[str, Sprite]:
    """Every part of a person who is turned by ``yaw`` (radians), at ``scale`` pixels a body unit."""
    painter = _Painter(body, wardrobe, scale, yaw)
    sprites = {name: painter.limb(name) for name in _LIMBS} | {name: painter.foot(name) for name in ("shoe", "sole")}
    sprites |= {"torso": painter.torso(), "pelvis": painter.pelvis(), "head": painter.head(), "club": painter.club()}
    return sprites | ({"skirt": painter.skirt(wardrobe.skirt)} if wardrobe.skirt else {})


# Bare half-widths (body units) at fractions of a limb's length, and how much cloth adds.
_LIMBS = {
    "upper_arm": ((0, 0.3, 1), (0.033, 0.033, 0.027), 0.005),
    "forearm": ((0, 0.25, 1, 1.2, 1.4, 1.55), (0.028, 0.029, 0.0175, 0.024, 0.021, 0.012), 0.005),
    "thigh": ((0, 0.4, 1), (0.058, 0.053, 0.038), 0.005),
    "calf": ((0, 0.3, 1), (0.036, 0.039, 0.022), 0.008),
}


class _Painter:
    def __init__(self, body: Body, wardrobe: Wardrobe, scale: float, yaw: float):
        self.body, self.wear, self.scale, self.turn = body, wardrobe, scale, (np.sin(yaw), np.cos(yaw))

    def limb(self, name: str) -> Sprite:
        """A limb with its sleeve or trouser leg; the forearm's has the hand."""
        wear, girth, length = self.wear, self.body.girth, getattr(self.body, name)
        cloth = wear.top if "arm" in name else wear.bottom
        cover = (wear.sleeves if "arm" in name else wear.legs)[name in ("forearm", "calf")] * length or -1
        at, bare, extra = _LIMBS[name]
        first, last = bare[0] * girth + extra, bare[-1] * girth + extra
        x0 = max(bare) * girth + extra + 0.012
        box = (-x0, -first, x0, at[-1] * length + last)
        x, y = self._grid(box)
        half = np.interp(y[:, :1], np.array(at) * length, np.array(bare) * girth)
        clothed = y[:, :1] < cover
        half = half + extra * clothed
        rgb = np.broadcast_to(wear.skin, (*x.shape, 3))
        if name == "forearm":
            rgb = self._hand(x, y, length)
        rgb = np.where(clothed[..., None], cloth(x, y), rgb)
        rgb = rgb * (1 - 0.35 * np.exp(-(((y - cover + 0.005) / 0.004) ** 2)))[..., None]
        return self._sprite(box, rgb, half, self._inside(_rounded(half, y, box[1], box[3], first, last) - np.abs(x)))

    def _hand(self, x: np.ndarray, y: np.ndarray, length: float) -> np.ndarray:
        """Skin with the gaps between fingers."""
        gaps = np.exp(-((((x / 0.0105) % 1 - 0.5) / 0.16) ** 2)) * np.clip((y - 1.28 * length) / 0.01, 0, 1)
        return self.wear.skin * (1 - 0.3 * gaps)[..., None]

    def foot(self, name: str) -> Sprite:
        """A shoe from the heel to the toes, or its sole."""
        length = self.body.foot
        box = (-0.05, -0.034, 0.05, length + 0.03)
        x, y = self._grid(box)
        half = np.interp(y[:, :1], [0, 0.5 * length, length], [0.032, 0.03, 0.03])
        colour = self.wear.shoes if name == "shoe" else np.array([228, 224, 216])
        laces = (
            0.25 * np.exp(-((((y / 0.016) % 1 - 0.5) / 0.2) ** 2)) * (np.abs(x) < 0.012) * (np.abs(y - 0.035) < 0.025)
        )
        rgb = mix(colour, np.array([240, 240, 240]), laces * (name == "shoe") * 2.5)
        return self._sprite(box, rgb, half, self._inside(_rounded(half, y, box[1], box[3], 0.032, 0.03) - np.abs(x)))

    def torso(self) -> Sprite:
        """The shirt, with its neckline, emblem or buttons."""
        wear, long = self.wear, self.body.torso
        hem = long + (0.035 if wear.untucked else -0.03)
        box = (-0.15, -0.034, 0.15, hem)
        x, y = self._grid(box)
        shoulder, girth = self.body.shoulder / 0.108, self.body.girth
        at = np.array([-0.12, -0.05, 0.03, 0.14, 0.4, 0.66, 0.9, 1.2]) * long
        half = np.array([0.036, 0.086, 0.11, 0.11, 0.102, wear.waist, 0.096, 0.1])
        half[:4] *= shoulder
        half[3:] *= girth
        half = np.interp(y[:, :1], at, half)
        rgb = wear.top(x, y)
        front = 0.07 * self.turn[0]
        if wear.emblem is not None:
            rgb = mix(rgb, wear.emblem, self._emblem((x - front) / (0.35 + 0.65 * self.turn[1]), y - 0.095))
        elif wear.top.kind in ("plaid", "pinstripes"):
            placket = np.exp(-(((x - front) / 0.0035) ** 2)) * 0.4
            button = self._inside(0.005 - np.hypot(x - front - 0.007, (y % 0.045) - 0.022))
            rgb = mix(rgb * (1 - placket)[..., None], np.array([245, 240, 228]), button)
        collar = np.hypot((x - 0.4 * front) / 0.046, (y + 0.03) / wear.neckline)
        rgb = mix(rgb, rgb * 0.62, self._inside((1.22 - collar) * 0.03))
        rgb = mix(rgb, wear.skin * 0.93, self._inside((1 - collar) * 0.03))
        rgb = rgb * (1 - 0.3 * np.exp(-(((y - hem + 0.006) / 0.004) ** 2)))[..., None]
        return self._sprite(box, rgb, half)

    def _emblem(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Coverage [h, w] of a print on the chest about (0, 0)."""
        radius, angle = np.hypot(x, y), np.arctan2(x, -y)
        if self.wear.emblem_kind == "star":
            return self._inside(0.03 + 0.014 * np.cos(5 * angle) - radius)
        if self.wear.emblem_kind == "ring":
            return self._inside(0.009 - np.abs(radius - 0.032))
        if self.wear.emblem_kind == "heart":
            return self._inside(0.034 - np.hypot(x, y + 0.022 - 1.1 * np.abs(x) * 0.8))
        return self._inside(0.022 - np.abs(y)) * 1.0

    def pelvis(self) -> Sprite:
        """The seat of the trousers, with a belt."""
        long, girth = self.body.torso, self.body.girth
        box = (-0.13, long - 0.08, 0.13, long + 0.07)
        x, y = self._grid(box)
        half = np.interp(y[:, :1], [long - 0.08, long, long + 0.03, long + 0.07], [0.09, 0.1, 0.095, 0.04]) * girth
        belt = self._inside(0.011 - np.abs(y - long + 0.036)) * (self.wear.skirt is None)
        front = 0.07 * self.turn[0]
        rgb = mix(self.wear.bottom(x, y), np.array([52, 38, 32]), belt)
        rgb = mix(rgb, np.array([214, 190, 120]), belt * self._inside(0.012 - np.abs(x - front)))
        return self._sprite(box, rgb, half)

    def skirt(self, length: float) -> Sprite:
        """A rectangle of pleats: the figure spreads it."""
        box = (-0.12, 0, 0.12, length + 0.05)
        x, y = self._grid(box)
        pleats = 1 + 0.13 * np.sin(x * 2 * np.pi / 0.04) * y / box[3]
        rgb = self.wear.bottom(x, y) * (pleats * (1 - 0.3 * np.exp(-(((y - box[3] + 0.008) / 0.005) ** 2))))[..., None]
        return self._sprite(box, rgb, np.full((len(x), 1), 0.119))

    def club(self) -> Sprite:
        """A golf club: a dark shaft, thin, but not lost in small pictures, and a red head."""
        width, length = 0.034, 0.026  # of the head, halved
        box = (-width - 0.005, -0.06, width + 0.005, CLUB_LENGTH + length)
        x, y = self._grid(box)
        half = np.full((len(y), 1), 0.011)
        head = self._ellipse(x, y, 0, CLUB_LENGTH, width, length)
        shaft = self._inside(half - np.abs(x)) * self._inside(CLUB_LENGTH - y)
        rgb = mix(np.array([52, 50, 58]), np.array([206, 58, 34]), head)
        return self._sprite(box, rgb, np.maximum(half, width * head.max(1, keepdims=True)), np.maximum(head, shaft))

    def head(self) -> Sprite:
        """Neck, face and hair, the face turned with the body."""
        box = (-0.11, -0.1, 0.11, self.body.head + 0.03)
        x, y = self._grid(box)
        rgb, alpha = np.zeros((*x.shape, 3)), np.zeros(x.shape)
        layers = [*self._back_hair(x, y), *self._face(x, y), *self._front_hair(x, y)]
        for colour, coverage in layers:
            rgb, alpha = mix(rgb, colour, coverage), np.maximum(alpha, coverage)
        # Where nothing covers, the nearest edge's colour: bilinear sampling must not drag in black.
        rgb = np.where(alpha[..., None] > 0, rgb, self.wear.hair)
        return self._sprite(box, rgb, np.full((len(x), 1), 0.078), alpha)

    def _ellipse(self, x: np.ndarray, y: np.ndarray, cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        """Coverage [h, w]."""
        return self._inside((1 - np.hypot((x - cx) / rx, (y - cy) / ry)) * min(rx, ry))

    def _back_hair(self, x: np.ndarray, y: np.ndarray) -> list[tuple[Colour, np.ndarray]]:
        colour, back = self.wear.hair * 0.75, -0.02 * self.turn[0]
        if self.wear.hair_style == "long":
            fall = self._inside(0.066 - np.abs(x - back)) * self._inside(0.15 - y) * self._inside(y - 0.03)
            return [(colour, np.maximum(fall, self._ellipse(x, y, back, 0.03, 0.066, 0.068)))]
        if self.wear.hair_style == "bun":
            return [(colour, self._ellipse(x, y, 2 * back, -0.042, 0.03, 0.028))]
        return [(colour, self._ellipse(x, y, back, 0.05, 0.07, 0.064))] * (self.wear.hair_style == "bob")

    def _face(self, x: np.ndarray, y: np.ndarray) -> list[tuple[Colour, np.ndarray]]:
        skin, (sin, cos) = self.wear.skin, self.turn
        neck = self._inside(0.031 * self.body.girth**0.5 - np.abs(x)) * self._inside(y - 0.07)
        neck = neck * self._inside(self.body.head + 0.018 - 9 * x**2 - y)
        layers = [(skin * 0.84, neck), (skin * 0.7, neck * np.clip(1 - (y - 0.1) / 0.03, 0, 1) * 0.6)]
        layers += [(skin, self._ellipse(x, y, 0, 0.026, 0.057, 0.066))]
        layers += [(skin, self._ellipse(x, y, 0.012 * sin, 0.052, 0.046, 0.06))]
        middle = 0.034 * sin
        for eye in (-1, 1):
            cx, narrow = middle + eye * 0.023 * cos, 0.55 + 0.45 * cos
            layers += [
                (skin * 0.9 + [18, -8, -6], 0.6 * self._ellipse(x, y, cx + eye * 0.006, 0.062, 0.013, 0.01)),
                (np.array([250, 250, 248]), self._ellipse(x, y, cx, 0.04, 0.0125 * narrow, 0.0085)),
                (np.array([52, 40, 36]), self._ellipse(x, y, cx + 0.003 * sin, 0.041, 0.0065 * narrow, 0.0075)),
                (self.wear.hair * 0.6, self._ellipse(x, y, cx, 0.0245, 0.015 * narrow, 0.0036)),
            ]
        wide = 0.0205 * (0.5 + 0.5 * cos)
        smile = self._ellipse(x, y, middle, 0.081, wide, 0.009)
        smile = smile * (1 - self._ellipse(x, y, middle, 0.0745, 1.3 * wide, 0.009))
        nose, lips = middle + 0.012 * sin, np.array([158, 62, 60]) * 0.7 + skin * 0.25
        layers += [
            (skin * 0.78, 0.8 * self._ellipse(x, y, nose, 0.063, 0.0085, 0.006)),
            (skin, self._ellipse(x, y, nose, 0.056, 0.0065, 0.011)),
            (lips, smile),
        ]  # fmt: skip
        return layers

    def _front_hair(self, x: np.ndarray, y: np.ndarray) -> list[tuple[Colour, np.ndarray]]:
        sin, style = self.turn[0], self.wear.hair_style
        rng = np.random.default_rng(self.wear.top.seed)
        colour = self.wear.hair * (1.08 + 0.1 * noise(rng, x.shape, (7, 0.9)))[..., None]
        shell = self._ellipse(x, y, -0.008 * sin, 0.02, 0.064, 0.066)
        if style == "curly":
            bumps = 0.006 * np.cos(9 * np.arctan2(x, 0.02 - y))
            shell = self._inside(0.078 + bumps - np.hypot(x + 0.012 * sin, (y - 0.012) / 0.95))
        face = self._ellipse(x, y, 0.026 * sin + 0.006, 0.062, 0.051, 0.066)
        low = {"short": 0.045, "curly": 0.06, "bun": 0.05}.get(style, 0.095)
        layers = [(colour, shell * (1 - face) * self._inside(low - y))]
        for ear in (-1, 1):
            # The far ear is behind the head, and long hair hides both.
            if style not in ("bob", "long") and ear * sin < 0.3:
                for tone, size in ((0.86, 1), (0.68, 0.55)):
                    at = ear * 0.057 * self.turn[1]
                    layers.append((self.wear.skin * tone, self._ellipse(x, y, at, 0.046, 0.011 * size, 0.018 * size)))
        return layers

    def _grid(self, box: tuple[float, float, float, float]) -> tuple[np.ndarray, np.ndarray]:
        """x, y [h, w] at the pixel centres of a sprite."""
        x0, y0, x1, y1 = box
        rows, columns = (max(4, round(side * self.scale)) for side in (y1 - y0, x1 - x0))
        y, x = np.indices((rows, columns)) + 0.5
        return x0 + x * (x1 - x0) / columns, y0 + y * (y1 - y0) / rows

    def _sprite(
        self,
        box: tuple[float, float, float, float],
        rgb: np.ndarray,
        half: np.ndarray,
        alpha: np.ndarray | None = None,
    ) -> Sprite:
        """A sprite of half-width ``half`` [h, w or 1] (body units) about x = 0, shaded as a round part."""
        x, _ = self._grid(box)
        if alpha is None:
            alpha = self._inside(half - np.abs(x))
        side = np.clip(x / np.maximum(half.max(1, keepdims=True), 1e-3), -1, 1)
        facing = np.sqrt(1 - side**2)
        rim = 1 - 0.3 * np.clip((np.abs(side) - 0.82) / 0.18, 0, 1)
        images = []
        for sign in (-1, 1):
            shade = (0.56 + 0.46 * np.clip(0.62 * sign * side + 0.82 * facing, 0, 1.1)) * rim
            pixels = np.concatenate([rgb * shade[..., None], 255 * alpha[..., None]], -1)
            images.append(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)))
        first, second = images
        return Sprite((first, second), box)

    def _inside(self, distance: np.ndarray) -> np.ndarray:
        """Coverage 0..1 from the signed distance (body units) to an edge, positive within."""
        return np.clip(distance * self.scale + 0.5, 0, 1)


def _rounded(half: np.ndarray, y: np.ndarray, top: float, bottom: float, first: float, last: float) -> np.ndarray:
    """Half-widths [h, 1] brought to zero at both ends by round caps of radii ``first`` and ``last``."""
    y = y[:, :1]
    start = np.sqrt(np.clip(1 - ((top + first - y) / first).clip(0, 1) ** 2, 0, 1))
    end = np.sqrt(np.clip(1 - ((y - bottom + last) / last).clip(0, 1) ** 2, 0, 1))
    return half * start * end
