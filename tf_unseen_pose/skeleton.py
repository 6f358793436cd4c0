"""Which joints a pose has, which limbs connect them, and how wide those limbs are.

Everything downstream (heatmaps, limb priors, similarity fits, the channel counts of every network) is derived from a
`Skeleton`, so another one, with a tail or a tennis racket, needs no change of code.

Convention: "left" and "right" are the person's own, not the viewer's.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Limb:
    """A rigid part of the body.

    Attributes:
        name: unique within a skeleton.
        joints: an even number of joint names. The first half lies at the limb's one end, the second half at the
            other; the limb's axis runs between the two means.
        width: standard deviation of the limb prior across the axis, in pixels of a 256-pixel canvas.
    """

    name: str
    joints: tuple[str, ...]
    width: float = 11.0


@dataclass(frozen=True)
class Skeleton:
    """Joints, limbs and the limb that carries the others.

    Attributes:
        name: what configurations and run directories call it.
        joints: joint names, in the order of the J axis.
        limbs: limbs, in the order of the L axis.
        root: name of the limb whose transform carries limbs that have a missing joint (the torso).
        held: pairs of a joint that no limb connects to the body and the body's joint that holds it.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[Limb, ...]
    root: str
    held: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.joints)) != len(self.joints):
            raise ValueError(f"Skeleton '{self.name}' names a joint twice.")
        for limb in self.limbs:
            unknown = set(limb.joints) - set(self.joints)
            if unknown or len(limb.joints) < 2 or len(limb.joints) % 2:
                raise ValueError(f"Limb '{limb.name}' of skeleton '{self.name}' needs an even number of known joints.")
        if self.root not in {limb.name for limb in self.limbs}:
            raise ValueError(f"Skeleton '{self.name}' has no limb '{self.root}' to be its root.")
        if unknown := {joint for pair in self.held for joint in pair} - set(self.joints):
            raise ValueError(f"Skeleton '{self.name}' holds unknown joints: {', '.join(sorted(unknown))}.")

    @property
    def joint_count(self) -> int:
        """J."""
        return len(self.joints)

    @property
    def limb_count(self) -> int:
        """L."""
        return len(self.limbs)

    @cached_property
    def root_index(self) -> int:
        """Index of the root limb on the L axis."""
        return [limb.name for limb in self.limbs].index(self.root)

    def joint_index(self, *names: str) -> list[int]:
        """Indices of the named joints on the J axis."""
        return [self.joints.index(name) for name in names]

    @cached_property
    def limb_ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Joint indices of both ends of every limb, int32 [L, K] each.

        K is the most joints an end has; shorter ends repeat theirs, which changes neither their mean nor their least
        visibility.
        """
        size = np.lcm.reduce([len(limb.joints) // 2 for limb in self.limbs])
        ends: tuple[list, list] = ([], [])
        for limb in self.limbs:
            half = len(limb.joints) // 2
            for end, names in zip(ends, (limb.joints[:half], limb.joints[half:]), strict=True):
                end.append(self.joint_index(*names) * (size // half))
        return np.array(ends[0], np.int32), np.array(ends[1], np.int32)

    @cached_property
    def limb_widths(self) -> np.ndarray:
        """float32 [L]: `Limb.width` of every limb."""
        return np.array([limb.width for limb in self.limbs], np.float32)

    @cached_property
    def mirrored(self) -> list[int]:
        """For each joint the index of its left/right counterpart (its own where it has none)."""
        swap = {"left": "right", "right": "left"}
        other = ["_".join(swap.get(word, word) for word in name.split("_")) for name in self.joints]
        return self.joint_index(*other)


def _both_sides(*limbs: tuple[str, str, str]) -> tuple[Limb, ...]:
    return tuple(
        Limb(f"{side}_{name}", (f"{side}_{start}", f"{side}_{end}"))
        for group in (limbs[:2], limbs[2:])
        for side in ("right", "left")
        for name, start, end in group
    )


# The joints and limbs of the CVPR 2018 paper, in the order of the authors' released code.
PERSON = Skeleton(
    name="person",
    joints=(
        "head", "neck",
        "right_shoulder", "right_elbow", "right_wrist",
        "left_shoulder", "left_elbow", "left_wrist",
        "right_hip", "right_knee", "right_ankle",
        "left_hip", "left_knee", "left_ankle",
    ),
    limbs=(
        Limb("head", ("head", "neck")),
        *_both_sides(
            ("upper_arm", "shoulder", "elbow"), ("forearm", "elbow", "wrist"),
            ("thigh", "hip", "knee"), ("calf", "knee", "ankle"),
        ),
        Limb("torso", ("right_shoulder", "left_shoulder", "right_hip", "left_hip"), width=13.0),
    ),
    root="torso",
)  # fmt: skip

# A person who holds a golf club in both hands.
GOLF = Skeleton(
    name="golf",
    joints=(*PERSON.joints, "club_grip", "club_head"),
    limbs=(*PERSON.limbs, Limb("club", ("club_grip", "club_head"), width=5.0)),
    root=PERSON.root,
    held=(("club_grip", "right_wrist"),),
)

SKELETONS = {skeleton.name: skeleton for skeleton in (PERSON, GOLF)}
