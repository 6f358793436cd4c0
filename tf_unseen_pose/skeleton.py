"""Which joints a pose has, which limbs connect them, and how wide those limbs are.

Everything downstream (heatmaps, limb priors, similarity fits, the channel counts of every network) is derived from a
`Skeleton`, so another one, with a tail or a tennis racket, needs no change of code: `register_skeleton` makes it known.
Configurations and datasets name their skeleton; runs and exported models carry its definition.

Convention: "left" and "right" are the person's own, not the viewer's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tf_unseen_pose.errors import UserError

# The canvas on which the paper's constants (limb widths, least length) are given, in pixels.
REFERENCE_SIZE = 256
# What the crop, motion and the datasets' pages ask for by name.
_NEEDED = {
    "head", "neck",
    *(f"{side}_{joint}" for side in ("right", "left") for joint in ("shoulder", "elbow", "hip", "knee", "ankle")),
}  # fmt: skip


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
                raise UserError(f"Skeleton '{self.name}' has two of the {kind} {_listed(twice)}; name each once.")
        for limb in self.limbs:
            unknown = {*limb.joints, *limb.anchors} - set(self.joints)
            if unknown or len(limb.joints) < 2 or len(limb.joints) % 2:
                raise UserError(f"Limb '{limb.name}' of skeleton '{self.name}' needs an even number of its joints.")
        if self.root not in limbs:
            raise UserError(f"Skeleton '{self.name}' has no limb '{self.root}' to be its root; name one that it has.")
        self._require_tree(limbs)
        if unknown := {joint for pair in self.held for joint in pair} - set(self.joints):
            raise UserError(f"Skeleton '{self.name}' holds {_listed(unknown)}; name joints that it has.")
        if missing := {_other_side(joint) for joint in self.joints} - set(self.joints):
            raise UserError(
                f"Skeleton '{self.name}' has no {_listed(missing)}, which mirrored pictures show; name the joints of "
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


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


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

_CARRIERS = {
    f"{side}_{limb}": f"{side}_{parent}"
    for side in ("right", "left")
    for limb, parent in (("forearm", "upper_arm"), ("calf", "thigh"))
}
# A person with hands, feet and a face, which an estimator finds and the paper's joints leave to chance. A hand is the
# mean of its index and little fingers' knuckles, a toe that of the big toe.
BODY = Skeleton(
    name="body",
    joints=(
        *PERSON.joints, "nose", "right_ear", "left_ear", "right_hand", "left_hand",
        "right_heel", "left_heel", "right_toe", "left_toe",
    ),
    limbs=(
        Limb("head", ("head", "neck"), anchors=("nose", "right_ear", "left_ear")),
        *(replace(limb, parent=_CARRIERS.get(limb.name)) for limb in PERSON.limbs[1:]),
        *(
            Limb(f"{side}_hand", (f"{side}_wrist", f"{side}_hand"), width=8.0, parent=f"{side}_forearm")
            for side in ("right", "left")
        ),
        *(
            Limb(f"{side}_foot", (f"{side}_heel", f"{side}_toe"), 8.0, f"{side}_calf", (f"{side}_ankle",))
            for side in ("right", "left")
        ),
    ),
    root=PERSON.root,
)  # fmt: skip

# What that adds to the paper's: small parts, which a photo may cut off.
FINE_JOINTS = BODY.joints[PERSON.joint_count :]

# A person who holds a golf club in both hands.
GOLF = Skeleton(
    name="golf",
    joints=(*PERSON.joints, "club_grip", "club_head"),
    limbs=(*PERSON.limbs, Limb("club", ("club_grip", "club_head"), width=5.0)),
    root=PERSON.root,
    held=(("club_grip", "right_wrist"),),
)

# All that are known, by name.
SKELETONS = {skeleton.name: skeleton for skeleton in (PERSON, BODY, GOLF)}


def register_skeleton(skeleton: Skeleton) -> Skeleton:
    """Makes a skeleton known by its name, to configurations, datasets and clients of servers; returns it.

    It holds for this process and those that it trains with. Nothing happens where the same skeleton is known already.

    Raises:
        UserError: another skeleton has its name, or it lacks joints that the crop and motion need (head and neck;
            shoulders, elbows, hips, knees and ankles of both sides).

    Example:
        >>> from tf_unseen_pose import PERSON, Limb, Skeleton, load_config, register_skeleton
        >>> joints = (*PERSON.joints, "racket_grip", "racket_middle", "racket_head")
        >>> limbs = (Limb("handle", joints[-3:-1], width=4.0), Limb("racket", joints[-2:], width=9.0))
        >>> tennis = Skeleton("tennis", joints, PERSON.limbs + limbs, PERSON.root, (("racket_grip", "right_wrist"),))
        >>> register_skeleton(tennis) == tennis
        True
        >>> load_config("lite", ["model.skeleton=tennis"]).model.body.joint_count
        17
    """
    if missing := _NEEDED - set(skeleton.joints):
        raise UserError(f"Skeleton '{skeleton.name}' lacks {_listed(missing)}, by which people are measured; add them.")
    if SKELETONS.setdefault(skeleton.name, skeleton) != skeleton:
        raise UserError(f"There is another skeleton '{skeleton.name}' already; give yours another name.")
    return skeleton


def convert_joints(joints: np.ndarray, source: Skeleton, target: Skeleton) -> np.ndarray:
    """Joints [..., J, C] of one skeleton, in pixels, as joints [..., K, C] of another, by their names.

    Joints that `source` lacks are absent: all their columns are 0.

    Example:
        >>> import numpy as np
        >>> from tf_unseen_pose.skeleton import BODY, PERSON, convert_joints
        >>> convert_joints(np.ones((14, 3)), PERSON, BODY)[13:15]
        array([[1., 1., 1.],
               [0., 0., 0.]])
    """
    joints = np.asarray(joints)
    converted = np.zeros((*joints.shape[:-2], target.joint_count, joints.shape[-1]), joints.dtype)
    common = [joint for joint in target.joints if joint in source.joints]
    converted[..., target.joint_index(*common), :] = joints[..., source.joint_index(*common), :]
    return converted


def is_person(skeleton: Skeleton) -> bool:
    """Whether its joints are those of `PERSON` or of `BODY`, which estimators find and other programs write."""
    return skeleton.joints in (PERSON.joints, BODY.joints)


def person_joints(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Joints [..., 14 or 23, C] of `PERSON` or `BODY`, in pixels, as the other's where `skeleton` is that.

    Joints of other skeletons are returned as they are. `geometry.pose_maps.person_joints` does so in graphs.

    Example:
        >>> from tf_unseen_pose import BODY, bundled
        >>> from tf_unseen_pose.skeleton import person_joints
        >>> photo, joints, motion = bundled()
        >>> joints.shape, person_joints(joints, BODY).shape
        ((14, 4), (23, 4))
    """
    for other in (PERSON, BODY):
        if is_person(skeleton) and joints.shape[-2] == other.joint_count != skeleton.joint_count:
            return convert_joints(joints, other, skeleton)
    return joints


def named_skeleton(name: str, whose: object) -> Skeleton:
    """The known skeleton of that name.

    Args:
        whose: what names it, for the sentence.

    Raises:
        UserError: there is none.
    """
    if name not in SKELETONS:
        raise UserError(
            f"The skeleton '{name}' of {whose} is unknown (known are {_listed(SKELETONS)}); register it with "
            "register_skeleton first."
        )
    return SKELETONS[name]
