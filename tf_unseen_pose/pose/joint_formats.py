"""Converts keypoints of other datasets and estimators to the joints of `BODY`, of which `PERSON` has the first 14.

All use left and right as the person's own, as we do. Each converter takes keypoints [..., K, 3] (x, y in
pixels, visibility or score; 0 where the keypoint is absent) and returns float32 [..., 23, 3]. Where depth is known,
z is the fourth column of both.
"""

from dataclasses import dataclass, replace

import numpy as np

from tf_unseen_pose.known_skeletons import BODY

# Joints below this visibility are guesses and count as absent.
LEAST_VISIBILITY = 0.1
# From the neck through the ears to the top of the head: the distance beyond the ears, relative to that to the ears. The
# authors' head joint is the top of the head (MPII's), which only MPII has. The nose, where the ears are absent, lies
# about as high: over 820 photographs the way to the top was 1.57 times that to the nose (median).
HEAD_BEYOND_EARS = 0.6

_SHOULDERS, _EARS = ("left_shoulder", "right_shoulder"), ("left_ear", "right_ear")


@dataclass(frozen=True)
class JointFormat:
    """The keypoints of a format, and the derivation of joints that it lacks.

    Attributes:
        keypoints: names, in the order of the K axis; those that our skeletons also have are called as there.
        neck: groups of keypoints; the neck is the mean of the first group that is visible as a whole.
        head: likewise the point that the line from the neck to the top of the head runs through; unused where
            `head_top` is among the keypoints.
        derived: pairs of a joint and the keypoints of which it is the mean.
    """

    keypoints: tuple[str, ...]
    neck: tuple[tuple[str, ...], ...] = (_SHOULDERS,)
    head: tuple[tuple[str, ...], ...] = (_EARS, ("left_ear",), ("right_ear",), ("nose",))
    derived: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def to_joints(self, keypoints: np.ndarray) -> np.ndarray:
        """The joints of `BODY`.

        Args:
            keypoints: [..., K, 3 or 4]: x, y in pixels, visibility 0..1 (larger ones are clipped), z in pixels.

        Returns:
            float32 [..., 23, 3 or 4]. A derived joint is as visible as the least visible keypoint that it is made of; a
            visibility below 0.1 becomes 0, and joints that the format knows nothing of are 0 altogether.
        """
        keypoints = np.asarray(keypoints, np.float32)
        neck = self._first_visible(keypoints, self.neck)
        found = {"neck": neck, "head": self._head(keypoints, neck)}
        found |= {joint: self._mean(keypoints, names) for joint, names in self.derived}
        joints = np.stack([found[name] if name in found else self._named(keypoints, name) for name in BODY.joints], -2)
        joints[..., 2] = np.where(joints[..., 2] < LEAST_VISIBILITY, 0, np.clip(joints[..., 2], 0, 1))
        return joints

    def _head(self, keypoints: np.ndarray, neck: np.ndarray) -> np.ndarray:
        if "head_top" in self.keypoints:
            return self._mean(keypoints, ("head_top",))
        base = self._first_visible(keypoints, self.head)
        head = base + HEAD_BEYOND_EARS * (base - neck)
        head[..., 2] = np.minimum(base[..., 2], neck[..., 2])
        return head

    def _named(self, keypoints: np.ndarray, name: str) -> np.ndarray:
        if name in self.keypoints:
            return keypoints[..., self.keypoints.index(name), :]
        return np.zeros_like(keypoints[..., 0, :])

    def _indices(self, names: tuple[str, ...]) -> list[int]:
        return [self.keypoints.index(name) for name in names]

    def _mean(self, keypoints: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
        """The mean point of some keypoints, with the least visibility: [..., 3 or 4]."""
        group = keypoints[..., self._indices(names), :]
        mean = group.mean(axis=-2)
        mean[..., 2] = group[..., 2].min(axis=-1)
        return mean

    def _first_visible(self, keypoints: np.ndarray, groups: tuple[tuple[str, ...], ...]) -> np.ndarray:
        """The mean of the first visible group, or of the first group where none is: [..., 3 or 4]."""
        means = np.stack([self._mean(keypoints, names) for names in groups])
        first = np.argmax(means[..., 2] >= LEAST_VISIBILITY, axis=0)
        return np.take_along_axis(means, first[None, ..., None], axis=0)[0]


_COCO = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
_BODY_18 = (
    "nose", "neck",
    "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
_HALPE = (
    *_COCO, "head_top", "upper_neck", "pelvis",
    "left_big_toe", "right_big_toe", "left_small_toe", "right_small_toe", "left_heel", "right_heel",
)  # fmt: skip
# Six points of two feet, as OpenPose and COCO-WholeBody order them.
_FEET = tuple(f"{side}_{point}" for side in ("left", "right") for point in ("big_toe", "small_toe", "heel"))
# 21 points of a hand: the wrist, then four of each finger from the knuckle to the tip.
_HAND = (
    "hand_root", "thumb", "thumb_2", "thumb_3", "thumb_4", "index", "index_2", "index_3", "index_4",
    "middle", "middle_2", "middle_3", "middle_4", "ring", "ring_2", "ring_3", "ring_4",
    "pinky", "pinky_2", "pinky_3", "pinky_4",
)  # fmt: skip
_HANDS = tuple(f"{side}_{point}" for side in ("left", "right") for point in _HAND)
_FACE = tuple(f"face_{i}" for i in range(68))


def _of_both_sides(joint: str, *names: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((f"{side}_{joint}", tuple(f"{side}_{name}" for name in names)) for side in ("right", "left"))


_OF_KNUCKLES, _OF_BIG_TOE = _of_both_sides("hand", "index", "pinky"), _of_both_sides("toe", "big_toe")

FORMATS = {
    # Google's, of MediaPipe. It estimates both ears even when one is hidden.
    "BlazePose": JointFormat(
        (
            "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
            "left_ear", "right_ear", "mouth_left", "mouth_right",
            "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
            "left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb",
            "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
            "left_heel", "right_heel", "left_foot_index", "right_foot_index",
        ),
        head=(_EARS,),
        derived=_OF_KNUCKLES + _of_both_sides("toe", "foot_index"),
    ),
    "COCO-17": JointFormat(_COCO),
    "COCO-WholeBody": JointFormat((*_COCO, *_FEET, *_FACE, *_HANDS), derived=_OF_KNUCKLES + _OF_BIG_TOE),
    # AlphaPose's. Its head and neck are what MPII calls head_top and upper_neck, by which MMPose's models of it learn.
    "Halpe-26": JointFormat(_HALPE, derived=_OF_BIG_TOE),
    "Halpe-136": JointFormat((*_HALPE, *_FACE, *_HANDS), derived=_OF_KNUCKLES + _OF_BIG_TOE),
    # OpenPose's models. The neck of the first two is the mean of the shoulders by training, that of the third lies at
    # the chin, as MPII's.
    "BODY_18": JointFormat(_BODY_18, neck=(("neck",), _SHOULDERS)),
    "BODY_25": JointFormat(
        (*_BODY_18[:8], "mid_hip", *_BODY_18[8:], *_FEET), neck=(("neck",), _SHOULDERS), derived=_OF_BIG_TOE
    ),
    "BODY_25B": JointFormat((*_COCO, "upper_neck", "head_top", *_FEET), derived=_OF_BIG_TOE),
    # MPII's thorax is the mean of the shoulders, as our neck is; its upper neck lies at the chin.
    "MPII": JointFormat(
        (
            "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
            "pelvis", "thorax", "upper_neck", "head_top",
            "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
        ),
        neck=(("thorax",), _SHOULDERS),
    ),
}  # fmt: skip

blazepose_to_body = FORMATS["BlazePose"].to_joints


def with_parts(name: str) -> JointFormat:
    """The format of that name whose keypoints are followed by six of the feet, unless it has them, and 21 a hand.

    Left comes before right.
    """
    body = FORMATS[name]
    feet = () if "left_heel" in body.keypoints else _FEET
    return replace(body, keypoints=(*body.keypoints, *feet, *_HANDS), derived=_OF_KNUCKLES + _OF_BIG_TOE)
