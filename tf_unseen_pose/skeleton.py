"""Which joints a pose has, which limbs connect them, and how wide those limbs are.

Everything downstream (heatmaps, limb priors, similarity fits, the channel counts of every network) is derived from a
`Skeleton`, so another one, with a tail or a tennis racket, needs no change of code: `register_skeleton` makes it known.
Configurations and datasets name their skeleton; runs and exported models carry its definition.

Convention: "left" and "right" are the person's own, not the viewer's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tf_unseen_pose.errors import UserError

# The canvas on which the paper's constants (limb widths, least length) are given, in pixels.
REFERENCE_SIZE = 256
# Small parts, which a photo may cut off and which no crop or median counts.
FINE_JOINTS = (
    "nose", "right_ear", "left_ear", "right_hand", "left_hand", "right_heel", "left_heel", "right_toe", "left_toe",
)  # fmt: skip


@dataclass(frozen=True)
class Limb:
    """A rigid part of the body.

    Attributes:
        name: unique within a skeleton.
        joints: an even number of joint names. The first half lies at the limb's one end, the second half at the
            other; the limb's axis runs between the two means.
        width: standard deviation of the limb prior across the axis, in pixels of a canvas of `REFERENCE_SIZE`.
        parent: name of the limb that carries this one where it has an absent joint; the root where there is none.
        anchors: further joints to which the limb's transform is fitted, those that both poses have.

    Example:
        >>> from tf_unseen_pose import Limb
        >>> racket = Limb("racket", ("racket_grip", "racket_head"), width=7.0)
        >>> racket.joints
        ('racket_grip', 'racket_head')
    """

    name: str
    joints: tuple[str, ...]
    width: float = 11.0
    parent: str | None = None
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skeleton:
    """Joints, limbs and the limb that carries the others.

    Attributes:
        name: what configurations and run directories call it.
        joints: joint names, in the order of the J axis.
        limbs: limbs, in the order of the L axis.
        root: name of the limb whose transform carries limbs that have a missing joint (the torso).
        held: pairs of a joint that no limb connects to the body and the body's joint that holds it.

    Raises:
        UserError: a joint or limb named twice, names of joints or parents that there are not, limbs that carry each
            other in a circle, a left joint without a right one or the reverse, or no root.

    Example:
        >>> from tf_unseen_pose import BODY, GOLF, PERSON, Skeleton
        >>> BODY.joint_count, BODY.limb_count, BODY.joints[:14] == PERSON.joints
        (23, 14, True)
        >>> PERSON.joint_count, PERSON.limb_count, PERSON.joint_index("neck")
        (14, 10, [1])
        >>> GOLF.joints[14:], GOLF.held
        (('club_grip', 'club_head'), (('club_grip', 'right_wrist'),))
        >>> Skeleton("walker", PERSON.joints, PERSON.limbs, root="torso") == PERSON  # of another name
        False
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[Limb, ...]
    root: str
    held: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        limbs = [limb.name for limb in self.limbs]
        for kind, names in (("joint", self.joints), ("limb", limbs)):
            if twice := {name for name in names if names.count(name) > 1}:
                raise UserError(f"Skeleton '{self.name}' has two of the {kind} {listed(twice)}; name each once.")
        for limb in self.limbs:
            unknown = {*limb.joints, *limb.anchors} - set(self.joints)
            if unknown or len(limb.joints) < 2 or len(limb.joints) % 2:
                raise UserError(f"Limb '{limb.name}' of skeleton '{self.name}' needs an even number of its joints.")
        if self.root not in limbs:
            raise UserError(f"Skeleton '{self.name}' has no limb '{self.root}' to be its root; name one that it has.")
        self._require_tree(limbs)
        if unknown := {joint for pair in self.held for joint in pair} - set(self.joints):
            raise UserError(f"Skeleton '{self.name}' holds {listed(unknown)}; name joints that it has.")
        if missing := {_other_side(joint) for joint in self.joints} - set(self.joints):
            raise UserError(
                f"Skeleton '{self.name}' has no {listed(missing)}, which mirrored pictures show; name the joints of "
                "both sides."
            )

    def _require_tree(self, limbs: list[str]) -> None:
        """Every parent comes before its children or is reached from them without a circle."""
        parents = {limb.name: limb.parent for limb in self.limbs}
        for name in limbs:
            passed, parent = {name}, parents[name]
            while parent is not None:
                if parent not in parents or parent in passed:
                    raise UserError(
                        f"Limb '{name}' of skeleton '{self.name}' is carried by '{parent}', which is no limb of it or "
                        "carried by it; name another parent."
                    )
                passed.add(parent)
                parent = parents[parent]

    @classmethod
    def from_dict(cls, stored: dict) -> "Skeleton":
        """The skeleton that `dataclasses.asdict` made a dictionary of, perhaps by way of JSON.

        Raises:
            UserError: as the class.
        """
        limbs = tuple(
            # Earlier versions wrote neither parents nor anchors.
            Limb(limb["name"], tuple(limb["joints"]), limb["width"], limb.get("parent"), tuple(limb.get("anchors", ())))
            for limb in stored["limbs"]
        )
        held = tuple((joint, holder) for joint, holder in stored["held"])
        return cls(stored["name"], tuple(stored["joints"]), limbs, stored["root"], held)

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
    def limb_members(self) -> tuple[np.ndarray, np.ndarray]:
        """The joints to which a limb's transform is fitted, int32 [L, M], and their weights, float32 [L, M].

        Both ends, as `limb_ends` has them, then anchors: every joint of a limb counts the same. Limbs with fewer
        anchors than others are filled up with weight 0.
        """
        ends = np.concatenate(self.limb_ends, axis=1)
        anchors = np.zeros((self.limb_count, max(len(limb.anchors) for limb in self.limbs)), np.int32)
        weights = np.zeros(anchors.shape, np.float32)
        for i, limb in enumerate(self.limbs):
            anchors[i, : len(limb.anchors)] = self.joint_index(*limb.anchors)
            weights[i, : len(limb.anchors)] = ends.shape[1] // len(limb.joints)
        return np.concatenate([ends, anchors], axis=1), np.concatenate([np.ones_like(ends), weights], axis=1)

    @cached_property
    def parents(self) -> list[int]:
        """For each limb the index of the limb that carries it; the root's is its own."""
        limbs = [limb.name for limb in self.limbs]
        return [limbs.index(self.root if limb.parent is None else limb.parent) for limb in self.limbs]

    @cached_property
    def generations(self) -> int:
        """How many limbs carry one another at most, from a limb that names no parent on."""
        parents = {limb.name: limb.parent for limb in self.limbs}

        def above(limb: str) -> int:
            parent = parents[limb]
            return 0 if parent is None else 1 + above(parent)

        return max(map(above, parents))

    @cached_property
    def limb_widths(self) -> np.ndarray:
        """float32 [L]: `Limb.width` of every limb."""
        return np.array([limb.width for limb in self.limbs], np.float32)

    @cached_property
    def fine(self) -> np.ndarray:
        """bool [J]: which joints are `FINE_JOINTS`."""
        return np.isin(self.joints, FINE_JOINTS)

    @cached_property
    def mirrored(self) -> list[int]:
        """For each joint the index of its left/right counterpart (its own where it has none)."""
        return self.joint_index(*map(_other_side, self.joints))


def _other_side(joint: str) -> str:
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in joint.split("_"))


def listed(names: Iterable[str]) -> str:
    """Names in quotes, sorted, for a sentence."""
    return ", ".join(f"'{name}'" for name in sorted(names))
