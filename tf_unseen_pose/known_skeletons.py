"""The known skeletons: the paper's, one with hands, feet and face, and one with a golf club.

`register_skeleton` adds others. Configurations and datasets refer to skeletons by name.
"""

from dataclasses import replace

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.skeleton import FINE_JOINTS, Limb, Skeleton, listed

# The crop, retargeting and the datasets' pages use these by name.
_NEEDED = {
    "head", "neck",
    *(f"{side}_{joint}" for side in ("right", "left") for joint in ("shoulder", "elbow", "hip", "knee", "ankle")),
}  # fmt: skip


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
# A person with hands, feet and face. A hand is the mean of the index and little fingers' knuckles; the toe is the big
# toe.
BODY = Skeleton(
    name="body",
    joints=(*PERSON.joints, *FINE_JOINTS),
    limbs=(
        Limb("head", ("head", "neck"), anchors=("nose", "right_ear", "left_ear"), rigid=True),
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

# A person who holds a golf club in both hands.
GOLF = Skeleton(
    name="golf",
    joints=(*PERSON.joints, "club_grip", "club_head"),
    limbs=(*PERSON.limbs, Limb("club", ("club_grip", "club_head"), width=5.0)),
    root=PERSON.root,
    held=(("club_grip", "right_wrist"),),
)

# All known skeletons by name.
SKELETONS = {skeleton.name: skeleton for skeleton in (PERSON, BODY, GOLF)}


def register_skeleton(skeleton: Skeleton) -> Skeleton:
    """Registers a skeleton by its name for configurations, datasets and clients of servers; returns it.

    This holds for this process and its training processes. Registering the same skeleton again does nothing.

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
        raise UserError(f"Skeleton '{skeleton.name}' lacks {listed(missing)}, by which people are measured; add them.")
    if SKELETONS.setdefault(skeleton.name, skeleton) != skeleton:
        raise UserError(f"There is another skeleton '{skeleton.name}' already; give yours another name.")
    return skeleton


def convert_joints(joints: np.ndarray, source: Skeleton, target: Skeleton) -> np.ndarray:
    """Joints [..., J, C] of one skeleton, in pixels, as joints [..., K, C] of another, by their names.

    Joints that `source` lacks are absent: all their columns are 0.

    Example:
        >>> import numpy as np
        >>> from tf_unseen_pose.known_skeletons import BODY, PERSON, convert_joints
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
    """Whether a skeleton's joints are those of `PERSON` or `BODY`, which estimators detect."""
    return skeleton.joints in (PERSON.joints, BODY.joints)


def person_joints(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Joints [..., 14 or 23, C] of `PERSON` or `BODY`, in pixels, as the other's where `skeleton` is that.

    Joints of other skeletons are returned as they are. `geometry.pose_maps.person_joints` does so in graphs.

    Example:
        >>> from tf_unseen_pose import PERSON, bundled
        >>> from tf_unseen_pose.known_skeletons import person_joints
        >>> photo, joints, motion = bundled()
        >>> joints.shape, person_joints(joints, PERSON).shape
        ((23, 4), (14, 4))
    """
    for other in (PERSON, BODY):
        if is_person(skeleton) and joints.shape[-2] == other.joint_count != skeleton.joint_count:
            return convert_joints(joints, other, skeleton)
    return joints


def named_skeleton(name: str, whose: object) -> Skeleton:
    """The known skeleton of that name.

    Args:
        whose: what names it, for the message.

    Raises:
        UserError: it is unknown.
    """
    if name not in SKELETONS:
        raise UserError(
            f"The skeleton '{name}' of {whose} is unknown (known are {listed(SKELETONS)}); register it with "
            "register_skeleton first."
        )
    return SKELETONS[name]
