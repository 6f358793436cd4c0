"""What a person looks like: skin, hair and patterned clothes."""

from dataclasses import dataclass

import numpy as np

from tf_unseen_pose.data.synthetic.scene import Colour, mix, noise, random_colour

SKIN = ((250, 218, 196), (240, 196, 166), (224, 172, 136), (196, 140, 102), (150, 100, 70), (104, 68, 48))
HAIR = ((34, 28, 28), (62, 42, 32), (104, 68, 42), (166, 116, 62), (214, 176, 106), (150, 66, 36), (150, 148, 146))


@dataclass(frozen=True)
class Fabric:
    """A patterned cloth.

    Attributes:
        base, second: [3] in 0..255, the colours of ground and pattern.
        size: the pattern's period, in body units.
    """

    kind: str
    base: Colour
    second: Colour
    size: float
    seed: int

    @classmethod
    def sample(cls, rng: np.random.Generator, kinds: tuple[str, ...], value: tuple[float, float]) -> "Fabric":
        """Draws one of the kinds, its ground's brightness within `value` (0..1)."""
        base = random_colour(rng, (0.15, 0.85), value)
        bright = base.mean() > 130
        second = random_colour(rng, (0.2, 0.8), (0.15, 0.45) if bright else (0.75, 1.0))
        return cls(str(rng.choice(kinds)), base, second, rng.uniform(0.035, 0.06), int(rng.integers(1 << 30)))

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """RGB [h, w, 3] in 0..255 with pattern, weave and folds; x and y [h, w] in body units."""
        rng = np.random.default_rng(self.seed)
        u, v = x / self.size, y / self.size
        if self.kind == "stripes":
            amount = _wave(v)
        elif self.kind == "pinstripes":
            amount = _wave(1.6 * u, 0.3) * 0.7
        elif self.kind == "plaid":
            amount = 0.45 * _wave(u) + 0.45 * _wave(v)
        elif self.kind == "dots":
            odd = np.floor(v) % 2 * 0.5
            amount = np.clip(2.2 - 7 * np.hypot((u + odd) % 1 - 0.5, v % 1 - 0.5), 0, 1)
        elif self.kind == "checks":
            amount = 0.8 * np.abs(_wave(0.6 * (u + v)) - _wave(0.6 * (u - v)))
        else:
            amount = np.zeros_like(x)
        folds = 0.05 * noise(rng, x.shape, (5, 9)) + 0.035 * noise(rng, x.shape, 0.8)
        return mix(self.base, self.second, amount) * (1 + folds)[..., None]


def _wave(phase: np.ndarray, share: float = 0.5) -> np.ndarray:
    """A soft-edged square wave of period 1 that is 1 for ``share`` of it."""
    return np.clip(4 * (np.cos(2 * np.pi * phase) - np.cos(np.pi * share)) + 0.5, 0, 1)


@dataclass(frozen=True)
class Wardrobe:
    """What the person wears and which parts of the limbs it covers (share of the limb's length).

    Attributes:
        skin, hair, shoes, emblem: colours, [3] in 0..255; no emblem where it is None.
        sleeves: of upper arm and forearm.
        legs: of thigh and calf.
        skirt: its length in body units; None for none.
        waist: half the torso's width there, in body units.
        neckline: its depth, in body units.
    """

    skin: Colour
    hair: Colour
    hair_style: str
    top: Fabric
    bottom: Fabric
    shoes: Colour
    sleeves: tuple[float, float]
    legs: tuple[float, float]
    skirt: float | None
    emblem: Colour | None
    emblem_kind: str
    untucked: bool
    waist: float
    neckline: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Wardrobe":
        """Draws somebody's looks."""
        style = rng.choice(["trousers", "shorts", "skirt", "dress"], p=[0.5, 0.22, 0.1, 0.18])
        top = Fabric.sample(rng, ("plain", "stripes", "pinstripes", "plaid", "dots", "checks"), (0.35, 0.95))
        low = Fabric.sample(rng, ("plain", "plain", "pinstripes"), (0.2, 0.6))
        sleeves = ((0.12, 0.0), (0.62, 0.0), (0.75, 0.0), (1.5, 0.5), (1.5, 0.97))[rng.integers(5)]
        legs = {"trousers": (1.5, rng.uniform(0.9, 1.02)), "shorts": (rng.uniform(0.6, 0.85), 0.0)}.get(style, (0.4, 0))
        return cls(
            skin=np.array(SKIN[rng.integers(len(SKIN))], float), hair=np.array(HAIR[rng.integers(len(HAIR))], float),
            hair_style=str(rng.choice(["short", "bob", "long", "bun", "curly"])), top=top,
            bottom=top if style == "dress" else low, shoes=random_colour(rng, (0, 0.8), (0.15, 0.9)), sleeves=sleeves,
            legs=legs, skirt=rng.uniform(0.17, 0.27) if style in ("skirt", "dress") else None,
            emblem=random_colour(rng, (0.3, 0.9), (0.6, 1)) if top.kind == "plain" and rng.random() < 0.8 else None,
            emblem_kind=str(rng.choice(["star", "ring", "heart", "band"])), untucked=bool(rng.random() < 0.6),
            waist=rng.uniform(0.076, 0.096), neckline=rng.uniform(0.03, 0.06),
        )  # fmt: skip
