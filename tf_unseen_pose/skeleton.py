"""Which joints a pose has, which limbs connect them, and how wide those limbs are.

Heatmaps, limb priors, similarity fits and the channel counts of the networks are derived from a `Skeleton`, so another
one, with a tail or a tennis racket, needs no change of code, only `register_skeleton`. Configurations and datasets name
their skeleton; runs and exported models contain its definition.

Convention: "left" and "right" are the person's own, not the viewer's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tf_unseen_pose.errors import UserError

# Side in pixels of the canvas for which the paper states its constants (limb widths, least length).
REFERENCE_SIZE = 256
# Weight of a rigid limb's second end in its fit.
_SECOND_END_WEIGHT = 0.1
# Small parts that a photo may cut off; crops and medians ignore them.
FINE_JOINTS = (
    "nose", "right_ear", "left_ear", "right_hand", "left_hand", "right_heel", "left_heel", "right_toe", "left_toe",
)  # fmt: skip


@dataclass(frozen=True)
class Limb:
    """A part of the body that moves as one.

    Attributes:
        name: unique within a skeleton.
        joints: an even number of joint names. The first half lies at the limb's one end, the second half at the
            other; the limb's axis runs between the two means.
        width: standard deviation of the limb prior across the axis, in pixels of a canvas of `REFERENCE_SIZE`.
        parent: limb whose transform this one takes if a joint is absent; by default the root.
        anchors: further joints for fitting the limb's transform, if both poses have them.
        rigid: whether it keeps its size and shape, like a skull. Its second end moves with the body as well, like a
            neck, and counts little in the fit.

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
    rigid: bool = False


@dataclass(frozen=True)
class Skeleton:
    """Joints, limbs and the root limb.

    Attributes:
        name: its name in configurations and runs.
        joints: joint names, in the order of the J axis.
        limbs: limbs, in the order of the L axis.
        root: limb whose transform limbs with a missing joint take (the torso).
        held: pairs of a joint that is not connected to the body and the joint that holds it.

    Raises:
        UserError: a joint or limb named twice, unknown joints or parents, a cycle of parents, a left joint without its
            right one or the reverse, or no root.

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
        """Checks that the parents form no cycle."""
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
        """The skeleton of a dictionary from `dataclasses.asdict`, perhaps by way of JSON.

        Raises:
            UserError: as the class.
        """
        limbs = tuple(
            Limb(
                limb["name"],
                tuple(limb["joints"]),
                limb["width"],
                # Earlier versions had neither parents nor anchors, then heads with anchors that were not yet rigid.
                limb.get("parent"),
                tuple(limb.get("anchors", ())),
                limb.get("rigid", limb["name"] == "head" and bool(limb.get("anchors"))),
            )
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

    def limbs_named(self, *names: str) -> np.ndarray:
        """Indices on the L axis of the limbs of either side with these names, as "thigh": int32 [N], maybe none."""
        own = [limb.name.removeprefix("right_").removeprefix("left_") for limb in self.limbs]
        return np.flatnonzero(np.isin(own, names)).astype(np.int32)

    @cached_property
    def limb_ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Joint indices of both ends of every limb, int32 [L, K] each.

        K is the largest number of joints of an end; shorter ends repeat theirs, which changes neither mean nor least
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
        """The joints for fitting a limb's transform, int32 [L, M], and their weights, float32 [L, M].

        Both ends, as `limb_ends` orders them, then anchors; all joints of a limb count the same, but the second end of
        a rigid one. Missing anchors are padded with weight 0.
        """
        ends = np.concatenate(self.limb_ends, axis=1)
        end_weights = np.ones(ends.shape, np.float32)
        end_weights[[limb.rigid for limb in self.limbs], ends.shape[1] // 2 :] = _SECOND_END_WEIGHT
        anchors = np.zeros((self.limb_count, max(len(limb.anchors) for limb in self.limbs)), np.int32)
        weights = np.zeros(anchors.shape, np.float32)
        for i, limb in enumerate(self.limbs):
            anchors[i, : len(limb.anchors)] = self.joint_index(*limb.anchors)
            weights[i, : len(limb.anchors)] = ends.shape[1] // len(limb.joints)
        return np.concatenate([ends, anchors], axis=1), np.concatenate([end_weights, weights], axis=1)

    @cached_property
    def parents(self) -> list[int]:
        """Index of each limb's parent; the root is its own."""
        limbs = [limb.name for limb in self.limbs]
        return [limbs.index(self.root if limb.parent is None else limb.parent) for limb in self.limbs]

    @cached_property
    def generations(self) -> int:
        """Length of the longest chain of parents."""
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
        """bool [J]: whether a joint is one of `FINE_JOINTS`."""
        return np.isin(self.joints, FINE_JOINTS)

    @cached_property
    def mirrored(self) -> list[int]:
        """Index of each joint's left/right counterpart, or its own."""
        return self.joint_index(*map(_other_side, self.joints))


def _other_side(joint: str) -> str:
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in joint.split("_"))


def listed(names: Iterable[str]) -> str:
    """Sorted names in quotes, for a message."""
    return ", ".join(f"'{name}'" for name in sorted(names))
