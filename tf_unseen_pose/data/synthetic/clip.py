"""Synthetic clips: a drawn person who moves before a static scene, with exact joints.

They replace video in tests, demonstrations and first trainings. A clip is a body in motion (`motion`), drawn from
sprites (`figure`, `sprites`, `wardrobe`) before a scene (`scene`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from tf_unseen_pose.data.synthetic.figure import Figure, Posture
from tf_unseen_pose.data.synthetic.motion import ACTIONS, Body, Motion
from tf_unseen_pose.data.synthetic.scene import draw_scene
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import GOLF, PERSON
from tf_unseen_pose.skeleton import Skeleton
from tf_unseen_pose.words import counted

__all__ = ["ACTIONS", "SyntheticFrame", "actions_of", "synthetic_clip"]
SMALLEST_SIDE = 32


@dataclass(frozen=True)
class SyntheticFrame:
    """One frame of a clip.

    Attributes:
        image: uint8 [H, W, 3], RGB.
        joints: float32 [J, 3] in the order of the skeleton's joints: x, y in pixels ((0, 0) is the centre of the
            top-left pixel) and visibility, always 1. "head" lies in the head's top third, "neck" between the
            collarbones, "club_grip" midway between the palms, "club_head" in the middle of the club's head.
        mask: uint8 [H, W], the person's coverage 0..255, with what they hold, without the shadow.
    """

    image: np.ndarray
    joints: np.ndarray
    mask: np.ndarray


def actions_of(skeleton: Skeleton) -> tuple[str, ...]:
    """The actions of a skeleton's figures.

    Raises:
        UserError: there are no figures of that skeleton.
    """
    known = {PERSON: ACTIONS, GOLF: ("golf",)}
    if skeleton not in known:
        names = " and ".join(f"'{drawn.name}'" for drawn in known)
        raise UserError(f"There are no drawings of the skeleton '{skeleton.name}'; choose one of {names}.")
    return known[skeleton]


def synthetic_clip(
    seed: int,
    frame_count: int,
    height: int = 256,
    width: int = 256,
    action: str | None = None,
    skeleton: Skeleton = PERSON,
) -> Iterator[SyntheticFrame]:
    """Frames of one clip, drawn lazily; the same arguments give the same bytes.

    The person stands 66-84 % of the height tall, less where raised arms, a club or a narrow image need room. A clip
    shows at least one whole cycle of the action, however few frames it has.

    Args:
        seed: non-negative; decides the body, the clothes, the scene, how the action is carried out and the action
            itself unless given.
        action: one of `actions_of(skeleton)`.
        skeleton: a `PERSON`, or `GOLF`, who holds a club in both hands.

    Raises:
        UserError: no drawings of that skeleton or action, no frames, or sides that are too small.
    """
    if action is not None and action not in actions_of(skeleton):
        known = ", ".join(actions_of(skeleton))
        raise UserError(f"The skeleton '{skeleton.name}' has no action '{action}'; choose one of: {known}.")
    if frame_count < 1:
        raise UserError(f"A synthetic clip of {counted(frame_count, 'frame')} is empty: ask for at least 1.")
    if min(height, width) < SMALLEST_SIDE:
        raise UserError(
            f"A {width} x {height} image is too small for a person: make both sides {SMALLEST_SIDE} or more."
        )
    return _frames(seed, frame_count, height, width, action, skeleton)


def _frames(
    seed: int, frame_count: int, height: int, width: int, action: str | None, skeleton: Skeleton
) -> Iterator[SyntheticFrame]:
    looks, moves, place = (np.random.default_rng([seed, stream]) for stream in range(3))
    chosen = actions_of(skeleton)[moves.integers(len(actions_of(skeleton)))]
    body = Body.sample(looks)
    motion = Motion.sample(moves, action or chosen, body, skeleton)
    scene = Image.fromarray(draw_scene(place, height, width))
    scale, origin = _fit(motion, height, width, place)
    # Small images are drawn large and reduced, for the same picture.
    factor = max(2, round(512 / height))
    figure = Figure(looks, body, scale * factor, motion.yaw)
    shade = scene.point(lambda value: int(value * 0.42))
    lean = place.uniform(-0.9, 0.9)
    start, period = moves.uniform(), min(frame_count, int(moves.integers(40, 64)))
    for index in range(frame_count):
        camera = motion.at(np.array([start + index / period]))
        joints, toes = (points[0] * [scale, scale, 1] + [*origin, 0] for points in camera)
        posture = Posture(joints, toes, skeleton)
        person = figure.draw(posture.scaled(factor), (width * factor, height * factor), -lean).reduce(factor)
        shadow = _shadow(person.getchannel("A"), posture, scale, lean)
        image = Image.composite(shade, scene, shadow)
        image.paste(person, mask=person)
        # From pixels counted from the image's corner to pixels counted from the first pixel's centre.
        seen = np.column_stack([joints[:, :2] - 0.5, np.ones(len(joints))]).astype(np.float32)
        yield SyntheticFrame(np.array(image), seen, np.array(person.getchannel("A")))


def _fit(motion: Motion, height: int, width: int, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """Pixels a body unit, and the body's origin in the image: x, y in pixels from the image's top-left *corner*."""
    joints, toes = motion.at(np.arange(0, 2, 1 / 128))
    points = np.concatenate([joints, toes], 1)[..., :2]
    # Hands, hair and soles reach past the joints.
    low, high = points.min((0, 1)) - [0.12, 0.1], points.max((0, 1)) + [0.12, 0.055]
    size = np.array([width, height])
    margin = np.maximum(1, 0.01 * size)
    room = size - 2 * margin
    scale = float(min(rng.uniform(0.66, 0.84) * height, *(room / (high - low))))
    slack = room - scale * (high - low)
    # Feet near the lower edge, where every scene has its floor.
    drop = max(slack[1] - rng.uniform(0, 0.04) * height, slack[1] / 2)
    offset = np.array([rng.uniform() * slack[0], drop])
    return scale, margin + offset - scale * low


def _shadow(person: Image.Image, posture: Posture, scale: float, lean: float) -> Image.Image:
    """L image, 0..255: the person's outline laid back on the floor, and a dark pool under each foot."""
    ground = posture.toes[:, 1].max()
    flat = 0.24  # height of the laid outline, of the standing one's
    back = (1, lean / flat, -lean / flat * ground, 0, 1 / flat, ground - ground / flat)
    laid = person.transform(person.size, Image.Transform.AFFINE, back, Image.Resampling.BILINEAR)
    x, y = np.arange(person.width) + 0.5, np.arange(person.height)[:, None] + 0.5
    fade = np.clip(1 - (ground - y) / (0.2 * scale), 0, 1)
    pool = np.zeros((person.height, person.width))
    for foot in 0.6 * posture.toes + 0.4 * posture.joints[posture.skeleton.joint_index("right_ankle", "left_ankle")]:
        lift = max(0, ground - foot[1]) / scale
        span = ((x - foot[0]) / (0.085 * scale)) ** 2 + ((y - ground + 0.01 * scale) / (0.028 * scale)) ** 2
        pool = np.maximum(pool, np.clip(1.2 - span, 0, 1) * max(0, 1 - 4 * lift))
    dark = np.maximum(np.asarray(laid) / 255 * fade * 0.75, pool * 0.8)
    return Image.fromarray((dark * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.012 * scale))
