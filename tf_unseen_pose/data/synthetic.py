"""Synthetic clips: a drawn person who moves before a static scene, with exact joints.

Stands in for video wherever none may be shipped: tests, demonstrations, the first steps of training. A clip is a
person (`figure.Figure`), a scene (`scene.draw_scene`) and a motion (here): limb angles as smooth periodic functions of
time, forward kinematics in three dimensions, and an orthographic camera that looks down a little.

Lengths are in body units (a standing person is 1.0 tall), angles in degrees. The body's frame has x to the person's
left, y down and z ahead; the camera's has x to the viewer's right, y down and z towards the viewer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from tf_unseen_pose.data.figure import Figure, Posture
from tf_unseen_pose.data.scene import draw_scene
from tf_unseen_pose.data.wardrobe import Body
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.skeleton import PERSON

CAMERA_PITCH = np.radians(9)
SMALLEST_SIDE = 32
Angles = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class SyntheticFrame:
    """One frame of a clip.

    Attributes:
        image: uint8 [H, W, 3], RGB.
        joints: float32 [14, 3] in the order of `PERSON.joints`: x, y in pixels ((0, 0) is the centre of the top-left
            pixel) and visibility, always 1. "head" lies in the head's top third, "neck" between the collarbones.
        mask: uint8 [H, W], the person's coverage 0..255, without the shadow.
    """

    image: np.ndarray
    joints: np.ndarray
    mask: np.ndarray


def synthetic_clip(
    seed: int, frame_count: int, height: int = 256, width: int = 256, action: str | None = None
) -> Iterator[SyntheticFrame]:
    """Frames of one clip, drawn as they are asked for; the same arguments give the same bytes.

    The person stands 66-84 % of the height tall, less where the image is too narrow for the motion. A clip shows at
    least one whole cycle of the action, however few frames it has.

    Args:
        seed: non-negative; decides the body, the clothes, the scene, how the action is carried out and the action
            itself unless given.
        action: one of `ACTIONS`.
    """
    if action is not None and action not in ACTIONS:
        raise UserError(f"Unknown action '{action}': choose one of {', '.join(ACTIONS)}.")
    if frame_count < 1:
        raise UserError(f"A synthetic clip of {frame_count} frames is empty: ask for at least 1.")
    if min(height, width) < SMALLEST_SIDE:
        raise UserError(
            f"A {width} x {height} image is too small for a person: make both sides {SMALLEST_SIDE} or more."
        )
    return _frames(seed, frame_count, height, width, action)


def _frames(seed: int, frame_count: int, height: int, width: int, action: str | None) -> Iterator[SyntheticFrame]:
    looks, moves, place = (np.random.default_rng([seed, stream]) for stream in range(3))
    chosen = ACTIONS[moves.integers(len(ACTIONS))]
    body = Body.sample(looks)
    motion = Motion.sample(moves, action or chosen, body)
    scene = Image.fromarray(draw_scene(place, height, width))
    scale, origin = _fit(motion, height, width, place)
    # Small images are drawn at the size of large ones and reduced: the same picture, only smaller.
    factor = max(2, round(512 / height))
    figure = Figure(looks, body, scale * factor, motion.yaw)
    shade = scene.point(lambda value: int(value * 0.42))
    lean = place.uniform(-0.9, 0.9)
    times = np.arange(frame_count) / min(frame_count, moves.integers(40, 64)) + moves.uniform()
    for time in times:
        camera = motion.at(np.array([time]))
        posture = Posture(*(points[0] * [scale, scale, 1] + [*origin, 0] for points in camera))
        person = figure.draw(posture.scaled(factor), (width * factor, height * factor), -lean).reduce(factor)
        shadow = _shadow(person.getchannel("A"), posture, scale, lean)
        image = Image.composite(shade, scene, shadow)
        image.paste(person, mask=person)
        joints = np.ones((PERSON.joint_count, 3), np.float32)
        joints[:, :2] = posture.joints[:, :2] - 0.5
        yield SyntheticFrame(np.array(image), joints, np.array(person.getchannel("A")))


def _fit(motion: "Motion", height: int, width: int, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """Pixels a body unit, and where the body's origin lies in the image (pixels, (0, 0) = the top-left *corner*)."""
    joints, toes = motion.at(np.arange(0, 2, 1 / 128))
    points = np.concatenate([joints, toes], 1)[..., :2]
    # Hands, hair and soles reach past the joints.
    low, high = points.min((0, 1)) - [0.12, 0.1], points.max((0, 1)) + [0.12, 0.03]
    room = np.array([width, height]) * 0.98
    scale = min(rng.uniform(0.66, 0.84) * height, *(room / (high - low)))
    slack = room - scale * (high - low)
    # Feet near the lower edge, where every scene has its floor.
    offset = slack * [rng.uniform(), 1 - 0.5 * min(1, rng.uniform() * 0.08 * height / max(slack[1], 1e-6))]
    return scale, np.array([width, height]) * 0.01 + offset - scale * low


def _shadow(person: Image.Image, posture: Posture, scale: float, lean: float) -> Image.Image:
    """L image, 0..255: the person's outline laid back on the floor, and a dark pool under each foot."""
    ground = posture.toes[:, 1].max()
    flat = 0.24
    laid = person.transform(
        person.size, Image.Transform.AFFINE, (1, lean / flat, -lean / flat * ground, 0, 1 / flat, ground - ground / flat),
        Image.Resampling.BILINEAR,
    )  # fmt: skip
    x, y = np.arange(person.width) + 0.5, np.arange(person.height)[:, None] + 0.5
    fade = np.clip(1 - (ground - y) / (0.2 * scale), 0, 1)
    pool = np.zeros((person.height, person.width))
    for foot in 0.6 * posture.toes + 0.4 * posture.joints[PERSON.joint_index("right_ankle", "left_ankle")]:
        lift = max(0, ground - foot[1]) / scale
        span = ((x - foot[0]) / (0.085 * scale)) ** 2 + ((y - ground + 0.01 * scale) / (0.028 * scale)) ** 2
        pool = np.maximum(pool, np.clip(1.2 - span, 0, 1) * max(0, 1 - 4 * lift))
    dark = np.maximum(np.asarray(laid) / 255 * fade * 0.6, pool * 0.8)
    return Image.fromarray((dark * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.012 * scale))


@dataclass(frozen=True)
class Motion:
    """An action as one person carries it out: a smooth function of time with period 2 (two cycles of the action)."""

    action: str
    body: Body
    yaw: float  # degrees; positive turns the person towards the viewer's right
    vigour: float
    wobble: np.ndarray  # [parts, 2, 2]: amplitude in degrees and phase of a slow sway of every angle
    left_handed: bool

    @classmethod
    def sample(cls, rng: np.random.Generator, action: str, body: Body) -> "Motion":
        yaw = rng.uniform(*_ACTIONS[action][1]) * rng.choice([-1, 1])
        wobble = np.stack([rng.uniform(0, 5, (len(_REST), 2)), rng.uniform(0, 2 * np.pi, (len(_REST), 2))], -1)
        return cls(action, body, yaw, rng.uniform(0.85, 1.05), wobble, rng.random() < 0.5)

    def at(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joints [T, 14, 3] and toes (right, left) [T, 2, 3] before the camera; the floor below the body is y = 0."""
        joints, toes = self._stand(self._angles(times), times)
        yaw = np.radians(self.yaw)
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        cos, sin = np.cos(CAMERA_PITCH), np.sin(CAMERA_PITCH)
        camera = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]]) @ turn
        return joints @ camera.T, toes @ camera.T

    def _angles(self, times: np.ndarray) -> Angles:
        goal = _ACTIONS[self.action][0](times)
        angles = {}
        for (part, rest), wobble in zip(_REST.items(), self.wobble):
            sway = wobble[:, 0] * np.sin(np.pi * times[:, None] + wobble[:, 1])
            # Feet carry the weight: legs sway less than the rest.
            sway *= 0.4 if part.endswith(("thigh", "calf")) else 1
            aims = goal.get(part, rest)
            angles[part] = tuple(r + self.vigour * (aim - r) + s for r, aim, s in zip(rest, aims, sway.T))
        if self.left_handed:
            swap = {"right": "left", "left": "right"}
            angles = {"_".join(swap.get(word, word) for word in part.split("_")): a for part, a in angles.items()}
            angles["lean"] = (-angles["lean"][0], angles["lean"][1])
            angles["twist"] = (-angles["twist"][0], angles["twist"][1])
        return angles

    def _stand(self, angles: Angles, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Forward kinematics in the body's frame, the lowest foot on the floor (y = 0) but for jumps."""
        body, at = self.body, {}
        spine = _direction(1, *angles["lean"]) * [1, -1, 1]
        lean, twist = np.radians(angles["lean"][0]), np.radians(angles["twist"][0])
        shoulders = np.stack([np.cos(twist) * np.cos(lean), np.cos(twist) * np.sin(lean), -np.sin(twist)], -1)
        at["neck"] = (body.torso + 0.018) * spine
        at["head"] = at["neck"] + body.head * _unit(spine + [0, -1, 0.1])
        for side, name in ((-1, "right"), (1, "left")):
            at[f"{name}_shoulder"] = body.torso * spine + side * body.shoulder * shoulders
            at[f"{name}_hip"] = np.zeros_like(spine) + [side * body.hip, 0, 0]
            for start, part, end in _CHAIN:
                step = getattr(body, part) * _direction(side, *angles[f"{name}_{part}"])
                at[f"{name}_{end}"] = at[f"{name}_{start}"] + step
        joints = np.stack([at[name] for name in PERSON.joints], 1)
        ankles = joints[:, PERSON.joint_index("right_ankle", "left_ankle")]
        floor = ankles[..., 1].max(1) + body.ankle
        lift = np.clip((floor[:, None] - body.ankle - ankles[..., 1]) / 0.1, 0, 1)
        # A foot on the floor is flat; one in the air follows its calf.
        toes = np.stack([
            ankle + body.foot * _direction(side, 12, 72 + up * np.clip(angles[f"{name}_calf"][1], -70, 70))
            for side, name, ankle, up in zip((-1, 1), ("right", "left"), ankles.swapaxes(0, 1), lift.T)
        ], 1)  # fmt: skip
        rise = np.zeros((len(times), 1, 3))
        rise[:, 0, 1] = -floor - 0.05 * (self.action == "jacks") * np.sin(2 * np.pi * times) ** 2
        return joints + rise, toes + rise


_CHAIN = (
    ("shoulder", "upper_arm", "elbow"), ("elbow", "forearm", "wrist"),
    ("hip", "thigh", "knee"), ("knee", "calf", "ankle"),
)  # fmt: skip

# Every part's (out, front) angles at rest: away from the midline, then ahead; 0 hangs down (the lean: points up).
_REST = {"lean": (0, 3), "twist": (0, 0)} | {
    f"{side}_{part}": angles
    for side in ("right", "left")
    for part, angles in {"upper_arm": (12, 2), "forearm": (8, 16), "thigh": (5, 3), "calf": (3, -3)}.items()
}


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _direction(side: int, out: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Unit vectors [T, 3] in the body's frame; ``side`` is 1 for the left half of the body and -1 for the right."""
    out, front = np.broadcast_arrays(np.radians(out), np.radians(front))
    return np.stack([side * np.sin(out), np.cos(out) * np.cos(front), np.abs(np.cos(out)) * np.sin(front)], -1)


def _ease(times: np.ndarray) -> np.ndarray:
    """0 at whole times, 1 halfway between, resting a little at both."""
    rise = 0.5 - 0.5 * np.cos(2 * np.pi * times)
    return rise * rise * (3 - 2 * rise)


def _wave(t: np.ndarray) -> Angles:
    up, step = _ease(t), _ease(t + 0.3)
    wag = np.sin(6 * np.pi * t) * up
    return {
        "lean": (-6 * up, 4 + 0 * t), "twist": (10 * up, 0 * t),
        "right_upper_arm": (12 + 88 * up, 8), "right_forearm": (8 + 150 * up + 28 * wag, 20),
        "left_upper_arm": (14 + 34 * step, 2), "left_forearm": (8 - 60 * step, 24),
        "right_thigh": (6 + 14 * step, 6 + 18 * step), "right_calf": (2 + 6 * step, -6 - 26 * step),
        "left_thigh": (6 + 6 * up, 4), "left_calf": (4 + 6 * up, -4),
    }  # fmt: skip


def _squat(t: np.ndarray) -> Angles:
    down = _ease(t)
    legs = {"thigh": (8 + 14 * down, 4 + 78 * down), "calf": (4, -4 - 54 * down)}
    arms = {"upper_arm": (10 + 6 * down, 82 * down), "forearm": (6, 14 + 76 * down)}
    return {"lean": (0, 4 + 30 * down)} | {f"{s}_{p}": a for s in ("right", "left") for p, a in (legs | arms).items()}


def _walk(t: np.ndarray) -> Angles:
    angles = {"lean": (0, 5), "twist": (-10 * np.sin(2 * np.pi * t), 0)}
    for side, phase in (("right", 2 * np.pi * t), ("left", 2 * np.pi * t + np.pi)):
        thigh, arm = 4 + 30 * np.sin(phase), -36 * np.sin(phase)
        angles |= {
            f"{side}_thigh": (2, thigh), f"{side}_calf": (1, thigh - 30 - 30 * np.cos(phase + 0.3)),
            f"{side}_upper_arm": (8, arm), f"{side}_forearm": (2, arm + 34 - 14 * np.sin(phase)),
        }  # fmt: skip
    return angles


def _golf(t: np.ndarray) -> Angles:
    swing = np.cos(2 * np.pi * t)
    back = (swing + np.sqrt(swing**2 + 0.04)) / 2
    through = back - swing
    return {
        "lean": (6 * swing, 12), "twist": (-32 * swing, 0),
        "right_upper_arm": (-6 + 72 * back - 74 * through, 24), "right_forearm": (-22 + 150 * back - 95 * through, 26),
        "left_upper_arm": (-6 + 72 * through - 74 * back, 24), "left_forearm": (-22 + 150 * through - 95 * back, 26),
        "right_thigh": (15, 16 + 10 * through), "right_calf": (9 - 8 * through, -14 - 16 * through),
        "left_thigh": (15, 16 + 10 * back), "left_calf": (9 - 8 * back, -14 - 16 * back),
    }  # fmt: skip


def _jacks(t: np.ndarray) -> Angles:
    up = _ease(t)
    parts = {
        "upper_arm": (10 + 140 * up, 8), "forearm": (8 + 158 * up, 14),
        "thigh": (3 + 24 * up, 8), "calf": (3 + 21 * up, -12),
    }  # fmt: skip
    return {f"{side}_{part}": angles for side in ("right", "left") for part, angles in parts.items()}


def _punch(t: np.ndarray) -> Angles:
    right, left = _ease(t), _ease(t + 0.5)
    bob = 10 * np.sin(4 * np.pi * t)
    return {
        "lean": (0, 10 + 8 * right), "twist": (16 * (left - right), 0),
        "right_upper_arm": (12, 20 + 66 * right), "right_forearm": (-8, 146 - 56 * right),
        "left_upper_arm": (12, 20 + 66 * left), "left_forearm": (-8, 146 - 56 * left),
        "right_thigh": (8, -8 + bob), "right_calf": (4, -34 - bob),
        "left_thigh": (8, 36 + bob), "left_calf": (4, -6 - bob),
    }  # fmt: skip


def _kick(t: np.ndarray) -> Angles:
    up, wind = _ease(t), _ease(2 * t)
    return {
        "lean": (0, 6 - 16 * up), "twist": (-14 * up, 0),
        "right_thigh": (4, -16 + 94 * up), "right_calf": (2, -58 + 124 * up - 22 * wind),
        "left_thigh": (4, 4 - 6 * up), "left_calf": (2, -10 + 2 * up),
        "right_upper_arm": (16, 30 - 66 * up), "right_forearm": (10, 70 - 70 * up),
        "left_upper_arm": (16, -30 + 96 * up), "left_forearm": (6, 10 + 96 * up),
    }  # fmt: skip


def _dance(t: np.ndarray) -> Angles:
    beat, lag = np.sin(2 * np.pi * t), np.sin(2 * np.pi * t - 1.0)
    return {
        "lean": (10 * beat, 6), "twist": (18 * lag, 0),
        "right_upper_arm": (62 + 58 * beat, 20), "right_forearm": (60 + 105 * lag, 28),
        "left_upper_arm": (58 - 62 * lag, 20), "left_forearm": (50 - 110 * beat, 28),
        "right_thigh": (16 + 12 * beat, 18 + 16 * beat), "right_calf": (2 - 6 * beat, -20 - 22 * beat),
        "left_thigh": (16 - 12 * beat, 18 - 16 * beat), "left_calf": (2 + 6 * beat, -20 + 22 * beat),
    }  # fmt: skip


# Each action's angles and the yaw (degrees, to either side) that shows them best.
_ACTIONS = {
    "wave": (_wave, (0, 25)), "squat": (_squat, (35, 58)), "walk": (_walk, (45, 66)), "golf": (_golf, (0, 22)),
    "jacks": (_jacks, (0, 18)), "punch": (_punch, (42, 60)), "kick": (_kick, (45, 66)), "dance": (_dance, (0, 28)),
}  # fmt: skip
ACTIONS: tuple[str, ...] = tuple(_ACTIONS)
