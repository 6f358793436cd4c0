"""The keypoints of other programs, named and ordered as in their documentation, and a person who has them all."""

import re

import numpy as np

# Each list is spelled and ordered as in the format's documentation.
BLAZEPOSE = [
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
]  # fmt: skip
COCO = [
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
]  # fmt: skip
BODY_18 = [
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "RHip", "RKnee", "RAnkle",
    "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar",
]  # fmt: skip
BODY_25 = [
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip", "RHip", "RKnee",
    "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar", "LBigToe", "LSmallToe", "LHeel", "RBigToe",
    "RSmallToe", "RHeel",
]  # fmt: skip
MPII = [
    "r ankle", "r knee", "r hip", "l hip", "l knee", "l ankle", "pelvis", "thorax", "upper neck", "head top",
    "r wrist", "r elbow", "r shoulder", "l shoulder", "l elbow", "l wrist",
]  # fmt: skip
BODY_25B = [
    "Nose", "LEye", "REye", "LEar", "REar", "LShoulder", "RShoulder", "LElbow", "RElbow", "LWrist", "RWrist", "LHip",
    "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle", "UpperNeck", "HeadTop", "LBigToe", "LSmallToe", "LHeel", "RBigToe",
    "RSmallToe", "RHeel",
]  # fmt: skip
HALPE_26 = [
    "Nose", "LEye", "REye", "LEar", "REar", "LShoulder", "RShoulder", "LElbow", "RElbow", "LWrist", "RWrist", "LHip",
    "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle", "Head", "Neck", "Hip", "LBigToe", "RBigToe", "LSmallToe", "RSmallToe",
    "LHeel", "RHeel",
]  # fmt: skip
FEET = ["left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"]
LEFT_HAND, RIGHT_HAND = (
    [
        f"{side}_hand_root",
        *(
            f"{side}_{finger}{number}"
            for finger in ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
            for number in (1, 2, 3, 4)
        ),
    ]
    for side in ("left", "right")
)
FACE = [f"face-{number}" for number in range(68)]
COCO_WHOLEBODY = [*COCO, *FEET, *FACE, *LEFT_HAND, *RIGHT_HAND]
HALPE_136 = [*HALPE_26, *FACE, *LEFT_HAND, *RIGHT_HAND]

# In pixels of 320 x 240. Nothing about it is symmetric.
_AT = {
    "head_top": (150, 20), "nose": (147, 44), "left_eye": (152, 39), "right_eye": (142, 40), "left_ear": (158, 43),
    "right_ear": (139, 45), "upper_neck": (150, 58),
    "left_shoulder": (171, 68), "right_shoulder": (131, 72), "left_elbow": (190, 99), "right_elbow": (118, 104),
    "left_wrist": (201, 127), "right_wrist": (95, 131), "left_hip": (164, 128), "right_hip": (140, 131),
    "left_knee": (170, 168), "right_knee": (133, 174), "left_ankle": (166, 209), "right_ankle": (128, 213),
    "left_big_toe": (180, 217), "right_big_toe": (115, 222), "left_small_toe": (184, 215),
    "right_small_toe": (111, 219), "left_heel": (161, 213), "right_heel": (132, 217),
    "left_index": (209, 134), "left_pinky": (204, 138), "right_index": (88, 139), "right_pinky": (93, 142),
}  # fmt: skip
_ALSO = {
    "head": "head_top",
    **{
        f"{side}_{theirs}": f"{side}_{ours}"
        for side in ("left", "right")
        for theirs, ours in (("foot_index", "big_toe"), ("forefinger1", "index"), ("pinky_finger1", "pinky"))
    },
}


def place(name):
    """Where the person has a keypoint, however its format spells it: (x, y)."""
    spelled = re.sub(r"^[LlRr](?=[ A-Z])", lambda m: "left_" if m[0] in "Ll" else "right_", name).replace("_ ", "_")
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", spelled).replace(" ", "_").lower()
    if spelled in ("neck", "thorax"):
        return tuple(np.mean([_AT["left_shoulder"], _AT["right_shoulder"]], axis=0))
    if spelled in ("hip", "mid_hip", "pelvis"):
        return tuple(np.mean([_AT["left_hip"], _AT["right_hip"]], axis=0))
    # What our skeletons do not have, fingers and the face, is where the nose is.
    return _AT.get(_ALSO.get(spelled, spelled), _AT["nose"])


def keypoints_of(names, visibility=0.75, shift=(0, 0), scale=1.0):
    """The person's keypoints [K, 3], rows of x, y, visibility."""
    points = (np.array([place(name) for name in names]) - [150, 120]) * scale + [150, 120] + shift
    return np.concatenate([points, np.full((len(names), 1), visibility)], axis=1).round(4)
