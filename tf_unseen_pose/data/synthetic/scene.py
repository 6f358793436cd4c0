"""A static scene to stand in: a wall, a floor in perspective and a few things, or a meadow under the sky."""

import colorsys
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

SUPERSAMPLE = 2
Colour: TypeAlias = np.ndarray  # float [3], 0..255


def draw_scene(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """uint8 [H, W, 3]; the floor's far edge lies at 70-78 % of the height."""
    rows, columns = height * SUPERSAMPLE, width * SUPERSAMPLE
    # x and y in units of the image's height, at pixel centres.
    y, x = (np.indices((rows, columns)) + 0.5) / rows
    edge = rng.uniform(0.70, 0.78)
    outdoors = rng.random() < 0.2
    wall = _meadow(rng, x, y, edge) if outdoors else _wall(rng, x, y)
    ground = _grass(rng, x, y) if outdoors else _floor(rng, x, y, edge)
    picture = np.where((y < edge)[..., None], wall, ground)
    # One soft light from above on one side, darker corners.
    light = 1.06 - 0.35 * ((x / x.max() - rng.uniform(0.2, 0.8)) ** 2 + 0.6 * (y - 0.35) ** 2)
    canvas = Image.fromarray(_bytes(picture * light[..., None]))
    if not outdoors:
        _furnish(rng, canvas, edge)
    return np.array(canvas.reduce(SUPERSAMPLE))


def noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float | tuple[float, float]) -> np.ndarray:
    """Smooth noise [H, W] of mean 0 and standard deviation 1."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap")
    return (field - field.mean()) / (field.std() + 1e-9)


def random_colour(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> Colour:
    """A colour [3] of any hue, its saturation and value drawn from the ranges given (0..1)."""
    return np.array(colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(*saturation), rng.uniform(*value))) * 255


def mix(first: np.ndarray, second: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """``first`` where ``amount`` [H, W] is 0, ``second`` where it is 1; colours are [3] or [H, W, 3]."""
    return first + (second - first) * amount[..., None]


def _bytes(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture, 0, 255).astype(np.uint8)


def _cells(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A number 0..1 for every cell of the integer grid that (u, v) falls into."""
    return rng.random((64, 64))[np.floor(u).astype(int) % 64, np.floor(v).astype(int) % 64]


def _wall(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    base = random_colour(rng, (0.08, 0.42), (0.62, 0.92))
    second = base * rng.uniform(0.72, 0.9) + rng.uniform(-14, 14, 3)
    kind = rng.choice(["plaster", "brick", "panels", "stripes", "dots", "tiles"])
    size = rng.uniform(0.8, 1.3)
    if kind == "plaster":
        wall = mix(base, second, 0.5 + 0.18 * noise(rng, x.shape, 22))
    elif kind == "brick":
        row = np.floor(y * 19 * size)
        u = x * 7.5 * size + 0.5 * (row % 2)
        base = np.array([rng.uniform(140, 190), rng.uniform(84, 130), rng.uniform(66, 116)])
        joint = (u % 1 < 0.05) | (y * 19 * size % 1 < 0.13)
        wall = mix(base * (0.8 + 0.4 * _cells(rng, u, row))[..., None], np.array([196, 188, 176]), joint * 0.9)
    elif kind == "panels":
        groove = np.abs((x * 8 * size) % 1 - 0.5) > 0.47
        wall = mix(base * (0.92 + 0.14 * _cells(rng, x * 8 * size, 0 * x))[..., None], base * 0.6, groove * 1.0)
    elif kind == "stripes":
        wall = mix(base, second, ((x * 11 * size) % 1 < 0.5) * 1.0)
    elif kind == "dots":
        row = np.floor(y * 12 * size)
        u, v = (x * 12 * size + 0.5 * (row % 2)) % 1 - 0.5, (y * 12 * size) % 1 - 0.5
        wall = mix(base, second * 0.85, (u**2 + v**2 < 0.04) * 1.0)
    else:
        u, v = x * 10 * size, y * 10 * size
        wall = base * (0.9 + 0.14 * _cells(rng, u, v))[..., None]
        wall = mix(wall, np.array([226, 224, 218]), ((u % 1 < 0.05) | (v % 1 < 0.05)) * 1.0)
    return wall + 3.5 * noise(rng, x.shape, 0.7)[..., None]


def _floor(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, edge: float) -> np.ndarray:
    """Planks, tiles, stone or carpet, seen in perspective with the vanishing point above the wall's foot."""
    far = 1 / np.maximum(y - edge + 0.22, 0.05)
    u, v = (x - x.max() / 2) * far * 1.4, far * 2.2
    wood = np.array([rng.uniform(120, 190), rng.uniform(80, 130), rng.uniform(46, 86)])
    grey = random_colour(rng, (0.02, 0.25), (0.42, 0.75))
    kind = rng.choice(["planks", "tiles", "stone", "carpet"])
    if kind == "planks":
        column = np.floor(u * 2.2)
        piece = _cells(rng, column, v * 0.5 + column * 0.37)
        grain = np.sin(u * 60 + 3 * noise(rng, x.shape, (2, 9)))
        floor = wood * (0.82 + 0.3 * piece + 0.035 * grain)[..., None]
        floor = mix(floor, wood * 0.45, ((u * 2.2) % 1 < 0.045) * 1.0)
    elif kind == "tiles":
        light, dark = grey * 1.15, grey * rng.uniform(0.55, 0.85)
        floor = mix(light, dark, (np.floor(u * 1.3) + np.floor(v * 1.3)) % 2)
    elif kind == "stone":
        floor = grey * (1 + 0.045 * noise(rng, x.shape, (2, 4)))[..., None]
        floor = mix(floor, grey * 0.6, (u % 1 < 0.03) * 1.0)
    else:
        floor = random_colour(rng, (0.2, 0.5), (0.4, 0.65)) * (1 + 0.09 * noise(rng, x.shape, (0.8, 1.6)))[..., None]
    return floor * (0.86 + 0.5 * (y - edge))[..., None] + 2.5 * noise(rng, x.shape, 0.8)[..., None]


def _meadow(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, edge: float) -> np.ndarray:
    """Sky, clouds, and three rows of hills and woods down to ``edge``."""
    sky = mix(np.array([108, 162, 218]), np.array([222, 232, 238]), np.clip(y / edge, 0, 1))
    cloud = np.clip(noise(rng, x.shape, (12, 34)) - 0.4, 0, 1) * np.clip(1.2 - 2 * y, 0, 1)
    view = mix(sky, np.array([250, 250, 250]), cloud)
    for depth in range(3):
        phase, bumps = rng.uniform(0, 6), rng.uniform(3, 6)
        top = edge - 0.2 + 0.08 * depth + 0.04 * np.sin(bumps * x + phase) + 0.012 * np.sin(5 * bumps * x + 2 * phase)
        # The nearest row is a wood: its edge is ragged.
        top = top + (depth == 2) * 0.025 * noise(rng, x.shape[1:], 7)[None]
        green = np.array([120, 158, 140]) * (1 - 0.24 * depth) + [0, 0, 14 - 22 * depth]
        leaves = 1 + (0.03 + 0.05 * depth) * noise(rng, x.shape, 3)
        view = np.where((y > top)[..., None], green * leaves[..., None], view)
    return view


def _grass(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    base = np.array([rng.uniform(100, 130), rng.uniform(140, 168), rng.uniform(62, 86)])
    blades = 0.07 * noise(rng, x.shape, (2.5, 0.8)) + 0.06 * noise(rng, x.shape, (5, 24))
    return base * (0.62 + 0.42 * y + blades)[..., None]


def _furnish(rng: np.random.Generator, canvas: Image.Image, edge: float) -> None:
    """A skirting board and two or three things along the wall."""
    draw, (width, height) = ImageDraw.Draw(canvas), canvas.size
    floor = edge * height
    board = tuple(random_colour(rng, (0, 0.15), (0.55, 0.95)).astype(int))
    draw.rectangle((0, floor - 0.028 * height, width, floor), fill=board)
    draw.line((0, floor - 0.028 * height, width, floor - 0.028 * height), fill=_tone(board, 0.7), width=2)
    draw.line((0, floor, width, floor), fill=_tone(board, 0.4), width=3)
    things = rng.permutation([_window, _door, _painting, _shelf, _plant, _sofa])[: rng.integers(2, 4)]
    for place, thing in zip(rng.permutation(3), things, strict=False):
        centre = (place + rng.uniform(0.3, 0.7)) * width / 3
        thing(rng, draw, centre, floor, height)


def _tone(colour: tuple[int, ...], factor: float) -> tuple[int, ...]:
    return tuple(min(255, int(channel * factor)) for channel in colour)


def _shade(
    rng: np.random.Generator, saturation: tuple[float, float] = (0.25, 0.65), value: tuple[float, float] = (0.3, 0.8)
) -> tuple[int, ...]:
    return tuple(random_colour(rng, saturation, value).astype(int))


# A thing's place, in pixels of the canvas: `x` is its middle, `floor` the wall's foot, `unit` the image's height.


def _window(rng: np.random.Generator, draw: ImageDraw.ImageDraw, x: float, floor: float, unit: float) -> None:
    left, right, top, bottom = x - 0.15 * unit, x + 0.15 * unit, 0.1 * unit, 0.46 * unit
    draw.rectangle((left, top, right, bottom), fill=(240, 238, 232), outline=(150, 146, 140), width=2)
    for row in range(int(top + 0.02 * unit), int(bottom - 0.02 * unit)):
        share = (row - top) / (bottom - top)
        draw.line((left + 0.02 * unit, row, right - 0.02 * unit, row),
                  fill=(int(130 + 80 * share), int(180 + 40 * share), int(228 + 8 * share)))  # fmt: skip
    draw.rectangle((x - 0.006 * unit, top, x + 0.006 * unit, bottom), fill=(240, 238, 232))
    draw.rectangle((left, 0.27 * unit, right, 0.282 * unit), fill=(240, 238, 232))
    draw.rectangle((left - 0.02 * unit, bottom, right + 0.02 * unit, bottom + 0.018 * unit), fill=(214, 210, 202))


def _door(rng: np.random.Generator, draw: ImageDraw.ImageDraw, x: float, floor: float, unit: float) -> None:
    colour, half, top = _shade(rng, (0.1, 0.5), (0.45, 0.85)), 0.13 * unit, floor - 0.6 * unit
    draw.rectangle((x - half - 0.02 * unit, top - 0.02 * unit, x + half + 0.02 * unit, floor), fill=_tone(colour, 1.25))
    draw.rectangle((x - half, top, x + half, floor), fill=colour, outline=_tone(colour, 0.6), width=2)
    for upper, lower in ((0.05, 0.26), (0.32, 0.55)):
        panel = (x - 0.09 * unit, top + upper * unit, x + 0.09 * unit, top + lower * unit)
        draw.rectangle(panel, fill=_tone(colour, 0.92), outline=_tone(colour, 0.7), width=2)
    knob = (x + 0.1 * unit, top + 0.29 * unit)
    draw.ellipse((knob[0], knob[1], knob[0] + 0.018 * unit, knob[1] + 0.018 * unit), fill=(212, 180, 96))


def _painting(rng: np.random.Generator, draw: ImageDraw.ImageDraw, x: float, floor: float, unit: float) -> None:
    half, top, bottom = rng.uniform(0.08, 0.14) * unit, 0.12 * unit, rng.uniform(0.28, 0.38) * unit
    draw.rectangle((x - half, top, x + half, bottom), fill=_shade(rng, (0.3, 0.6), (0.25, 0.5)))
    inner = (x - half + 0.015 * unit, top + 0.015 * unit, x + half - 0.015 * unit, bottom - 0.015 * unit)
    draw.rectangle(inner, fill=_shade(rng, (0.05, 0.3), (0.8, 0.95)))
    for _ in range(5):
        a, b = np.sort(rng.uniform(inner[0], inner[2], 2)), np.sort(rng.uniform(inner[1], inner[3], 2))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((a[0], b[0], a[1], b[1]), fill=_shade(rng))


def _shelf(rng: np.random.Generator, draw: ImageDraw.ImageDraw, x: float, floor: float, unit: float) -> None:
    wood, half = (132, 94, 62), 0.14 * unit
    draw.rectangle((x - half, floor - 0.5 * unit, x + half, floor), fill=_tone(wood, 0.62))
    for level in range(4):
        base, left = floor - (0.02 + 0.12 * level) * unit, x - half + 0.012 * unit
        while left < x + half - 0.04 * unit:
            right, tall = left + rng.uniform(0.012, 0.03) * unit, rng.uniform(0.06, 0.1) * unit
            draw.rectangle((left, base - tall, right, base), fill=_shade(rng))
            left = right + 1
        draw.rectangle((x - half, base, x + half, base + 0.014 * unit), fill=wood)
    for edge in (x - half, x + half - 0.01 * unit):
        draw.rectangle((edge, floor - 0.51 * unit, edge + 0.01 * unit, floor), fill=wood)


def _plant(rng: np.random.Generator, draw: ImageDraw.ImageDraw, x: float, floor: float, unit: float) -> None:
    pot = _shade(rng, (0.3, 0.6), (0.5, 0.8))
    base = floor + 0.02 * unit
    for angle in np.linspace(-1.2, 1.2, 13) + rng.uniform(-0.1, 0.1, 13):
        reach, green = (
            rng.uniform(0.16, 0.3) * unit,
            (rng.integers(30, 80), rng.integers(96, 150), rng.integers(40, 80)),
        )
        tip = np.array([x + reach * np.sin(angle), base - 0.1 * unit - reach * np.cos(angle)])
        stem, across = np.array([x, base - 0.1 * unit]), np.array([np.cos(angle), np.sin(angle)]) * 0.022 * unit
        middle = 0.45 * stem + 0.55 * tip
        draw.polygon([tuple(p) for p in (stem, middle - across, tip, middle + across)], fill=tuple(map(int, green)))
    draw.polygon([(x - 0.06 * unit, base - 0.11 * unit), (x + 0.06 * unit, base - 0.11 * unit),
                  (x + 0.045 * unit, base), (x - 0.045 * unit, base)], fill=pot)  # fmt: skip
    draw.rectangle((x - 0.066 * unit, base - 0.125 * unit, x + 0.066 * unit, base - 0.1 * unit), fill=_tone(pot, 1.15))


def _sofa(rng: np.random.Generator, draw: ImageDraw.ImageDraw, x: float, floor: float, unit: float) -> None:
    colour, base = _shade(rng, (0.2, 0.6), (0.35, 0.7)), floor + 0.015 * unit
    for left, top, right, bottom, tone in (
        (-0.24, -0.27, 0.24, -0.06, 0.85), (-0.22, -0.15, 0.0, -0.06, 1.12), (0.0, -0.15, 0.22, -0.06, 1.05),
        (-0.28, -0.19, -0.21, -0.02, 1.0), (0.21, -0.19, 0.28, -0.02, 0.95), (-0.25, -0.075, 0.25, -0.02, 0.75),
    ):  # fmt: skip
        box = (x + left * unit, base + top * unit, x + right * unit, base + bottom * unit)
        draw.rounded_rectangle(box, 0.02 * unit, fill=_tone(colour, tone), outline=_tone(colour, 0.6), width=2)
    for foot in (-0.23, 0.21):
        draw.rectangle((x + foot * unit, base - 0.02 * unit, x + (foot + 0.02) * unit, base), fill=(60, 44, 32))
