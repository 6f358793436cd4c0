"""How a person moves: limb angles as smooth periodic functions of time, and forward kinematics in three dimensions.

Lengths are in body units (a standing person is about 1.0 tall), angles in degrees. The body's frame has x to the
person's left, y down and z ahead; the camera's has x to the viewer's right, y down and z towards the viewer. The
camera is orthographic and looks down a little.
"""

from dataclasses import dataclass

import numpy as np

from tf_unseen_pose.data.synthetic.club import with_club
from tf_unseen_pose.known_skeletons import GOLF, PERSON
from tf_unseen_pose.skeleton import Skeleton

CAMERA_PITCH = np.radians(9)
Angles = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Body:
    """Lengths in body units (a standing person is about 1.0 tall).

    ``torso`` runs from the hips' mean to the shoulders', ``head`` from the neck to the head joint; ``shoulder`` and
    ``hip`` are half the distances between left and right; ``girth`` multiplies every width.
    """

    torso: float
    shoulder: float
    hip: float
    head: float
    upper_arm: float
    forearm: float
    thigh: float
    calf: float
    ankle: float
    foot: float
    girth: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Body":
        """Draws the proportions of a person who stands 1.0 tall."""
        leg, arm, broad = rng.uniform(0.225, 0.245), rng.uniform(0.155, 0.172), rng.uniform(0.098, 0.118)
        return cls(
            torso=0.775 - 2 * leg - 0.035, shoulder=broad, hip=rng.uniform(0.05, 0.062), head=0.15, upper_arm=arm,
            forearm=0.9 * arm, thigh=leg, calf=leg, ankle=0.042, foot=0.1, girth=rng.uniform(0.88, 1.18),
        )  # fmt: skip


@dataclass(frozen=True)
class Motion:
    """An action as one person carries it out: a smooth function of time with period 2 (two cycles of the action).

    Attributes:
        yaw: degrees; positive turns the person towards the viewer's right.
        vigour: factor of the angles' distance from rest.
        wobble: [N, 2, 2], for both angles of every part amplitude (degrees) and phase of a slow sway.
        left_handed: whether left and right are exchanged.
        skeleton: of the joints that `at` gives.
    """

    action: str
    body: Body
    yaw: float
    vigour: float
    wobble: np.ndarray
    left_handed: bool
    skeleton: Skeleton = PERSON

    @classmethod
    def sample(cls, rng: np.random.Generator, action: str, body: Body, skeleton: Skeleton = PERSON) -> "Motion":
        """Draws how a person carries an action out."""
        yaw = rng.uniform(*_ACTIONS[action][1]) * rng.choice([-1, 1])
        wobble = np.stack([rng.uniform(0, 5, (len(_REST), 2)), rng.uniform(0, 2 * np.pi, (len(_REST), 2))], -1)
        return cls(action, body, yaw, rng.uniform(0.85, 1.05), wobble, rng.random() < 0.5, skeleton)

    def at(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joints [T, J, 3] and toes (right, left) [T, 2, 3] before the camera at times [T]; the floor is y = 0."""
        joints, toes = self._stand(self._angles(times))
        if self.skeleton == GOLF:
            joints = with_club(joints, self.left_handed)
        yaw = np.radians(self.yaw)
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        cos, sin = np.cos(CAMERA_PITCH), np.sin(CAMERA_PITCH)
        camera = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]]) @ turn
        return joints @ camera.T, toes @ camera.T

    def _angles(self, times: np.ndarray) -> Angles:
        goal = _ACTIONS[self.action][0](times)
        angles = {}
        for (part, rest), wobble in zip(_REST.items(), self.wobble, strict=True):
            sway = wobble[:, 0] * np.sin(np.pi * times[:, None] + wobble[:, 1])
            # Feet carry the weight: legs sway less than the rest.
            sway *= 0.4 if part.endswith(("thigh", "calf")) else 1
            aims = goal.get(part, rest)
            angles[part] = tuple(r + self.vigour * (aim - r) + s for r, aim, s in zip(rest, aims, sway.T, strict=True))
        if self.left_handed:
            swap = {"right": "left", "left": "right"}
            angles = {"_".join(swap.get(word, word) for word in part.split("_")): a for part, a in angles.items()}
            angles["lean"] = (-angles["lean"][0], angles["lean"][1])
            angles["twist"] = (-angles["twist"][0], angles["twist"][1])
        return angles

    def _stand(self, angles: Angles) -> tuple[np.ndarray, np.ndarray]:
        """Forward kinematics in the body's frame, the lowest foot on the floor (y = 0)."""
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
            for side, name, ankle, up in zip((-1, 1), ("right", "left"), ankles.swapaxes(0, 1), lift.T, strict=True)
        ], 1)  # fmt: skip
        rise = np.zeros((len(floor), 1, 3))
        rise[:, 0, 1] = -floor
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
        "right_upper_arm": (-6 + 96 * back - 88 * through, 24), "right_forearm": (-22 + 182 * back - 122 * through, 26),
        "left_upper_arm": (-6 + 96 * through - 88 * back, 24), "left_forearm": (-22 + 182 * through - 122 * back, 26),
        "right_thigh": (15 - 4 * through, 14 + 26 * through), "right_calf": (9 - 30 * through, -14 - 36 * through),
        "left_thigh": (15 - 4 * back, 14 + 26 * back), "left_calf": (9 - 30 * back, -14 - 36 * back),
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
        "right_upper_arm": (12, -40 + 128 * right), "right_forearm": (-8, 58 + 32 * right),
        "left_upper_arm": (12, -40 + 128 * left), "left_forearm": (-8, 58 + 32 * left),
        "right_thigh": (10, -20 + bob), "right_calf": (6, -46 - bob),
        "left_thigh": (10, 44 + bob), "left_calf": (6, -2 - bob),
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
    "jacks": (_jacks, (0, 18)), "punch": (_punch, (48, 66)), "kick": (_kick, (45, 66)), "dance": (_dance, (0, 28)),
}  # fmt: skip
ACTIONS: tuple[str, ...] = tuple(_ACTIONS)
