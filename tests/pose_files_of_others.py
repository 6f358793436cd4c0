"""Pose files as other programs write them, each with the person of `small_poses` and some that are not meant."""

import numpy as np
from small_poses import (
    BLAZEPOSE,
    BODY_18,
    BODY_25,
    BODY_25B,
    COCO,
    COCO_WHOLEBODY,
    FACE,
    FEET,
    HALPE_26,
    HALPE_136,
    LEFT_HAND,
    MPII,
    RIGHT_HAND,
    keypoints_of,
)

SIZE = (320, 240)


def flat(names, **how):
    return keypoints_of(names, **how).ravel().tolist()


def openpose(names, *parts, **more):
    """An object of OpenPose with the person, a smaller one, one that is guessed, and entries that hold nobody."""
    guessed = keypoints_of(names, scale=0.5)
    guessed[4] = [900, 900, 0.05]  # The widest of all, but by a keypoint that does not count.
    hands = dict(zip(("hand_left_keypoints_2d", "hand_right_keypoints_2d", "foot_keypoints_2d"), parts, strict=False))
    people = [
        {"pose_keypoints_2d": flat(names, scale=0.4)},
        None,
        {"person_id": [-1], "pose_keypoints_2d": flat(names), **{key: flat(part) for key, part in hands.items()}},
        {"pose_keypoints_2d": guessed.ravel().tolist(), "face_keypoints_2d": None},
        {"pose_keypoints_2d": []},
        {"pose_keypoints_2d": None},
        {"pose_keypoints_2d": [0.0] * 3 * len(names)},
    ]
    return {"version": 1.3, "people": people, **more}


def relative(values, size=SIZE, corner=0.0):
    """Flat x, y, score, or rows of them, as parts of an image's sides."""
    points = np.array(values, np.float64).reshape(-1, 3)
    points[:, :2] = (points[:, :2] + corner) / size
    return points.reshape(np.shape(values)).tolist()


def canvas(names, size=SIZE):
    people = [{"pose_keypoints_2d": relative(flat(names), size)}]
    return {"people": people, "canvas_width": size[0], "canvas_height": size[1]}


def results(names, **more):
    """The person with a score that is best, and others; one has no keypoints."""
    others = [(0.2, flat(names, shift=(9, 5))), (0.99, None), (0.99, [])]
    entries = [{"image_id": 1, "category_id": 1, "keypoints": values, "score": score} for score, values in others]
    return [*entries, {"image_id": 1, "keypoints": flat(names), "score": 0.8, **more}]


def without_scores(names):
    """The larger area is the one."""
    small = {"image_id": "a.jpg", "keypoints": flat(names, shift=(9, 5)), "area": 50.5}
    return [small, {"image_id": "a.jpg", "keypoints": flat(names), "area": 2000.0, "score": None}]


def annotations(*values, **more):
    entry = dict(zip(("keypoints", "foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts"), values, strict=False))
    image = {"id": 4, "file_name": "4.jpg", "width": 320, "height": 240}
    return {"images": [image], "annotations": [{"id": 1, "image_id": 4, "area": 5.0, **entry, **more}]}


def instance(names, score=0.8, **how):
    """As MMPose writes it."""
    points = keypoints_of(names, **how)
    rows, scores = points[:, :2].tolist(), points[:, 2].tolist()
    return {"keypoints": rows, "keypoint_scores": scores, "bbox": [[1, 2, 3, 4]], "bbox_score": score}


def yolo(names, part=False, confidence=0.8, **how):
    x, y, visible = np.array(relative(keypoints_of(names, **how)) if part else keypoints_of(names, **how)).T.tolist()
    box = {"x1": 1.0, "y1": 2.0, "x2": 3.0, "y2": 4.0}
    keypoints = {"x": x, "y": y, "visible": visible}
    return {"name": "person", "class": 0, "confidence": confidence, "box": box, "keypoints": keypoints}


def vitpose(names, **how):
    points = keypoints_of(names, **how)
    return {"keypoints": points[:, :2].tolist(), "scores": points[:, 2].tolist(), "labels": [0] * len(names)}


def landmarks(**how):
    """MediaPipe's, which count from the outer edge of the first pixel, as objects."""
    rows = relative(keypoints_of(BLAZEPOSE, **how).tolist(), corner=0.5)
    return [{"x": x, "y": y, "z": 0.25, "visibility": seen} for x, y, seen in rows]


def named(entries):
    """With their names, in another order."""
    return [{"name": name.upper(), **entry} for name, entry in zip(BLAZEPOSE, entries, strict=True)][::-1]


NO_HANDS = {"right_hand", "left_hand"}
FACE_ALONE = NO_HANDS | {"right_heel", "left_heel", "right_toe", "left_toe"}
HANDS = LEFT_HAND, RIGHT_HAND
# What each file holds, and what BODY has that it lacks.
FILES = {
    "openpose-25": (openpose(BODY_25), NO_HANDS),
    "openpose-25b": (openpose(BODY_25B), NO_HANDS),
    "openpose-18": (openpose(BODY_18), FACE_ALONE),
    "openpose-hands": (openpose(BODY_25, *HANDS), set()),
    "dwpose": (openpose(BODY_18, *HANDS, FEET, canvas_width=320, canvas_height=240, animals=[]), set()),
    "controlnet-0..1": (canvas(BODY_18), FACE_ALONE),
    "comfyui": ([canvas(BODY_18)], FACE_ALONE),
    "coco-results": (results(COCO), FACE_ALONE),
    "coco-no-score": (without_scores(COCO), FACE_ALONE),
    "coco-largest": ([{"image_id": 3, "keypoints": flat(COCO, scale=k)} for k in (0.5, 1.0, 0.7)], FACE_ALONE),
    "wholebody-results": (results(COCO_WHOLEBODY), set()),
    "alphapose-26": (results(HALPE_26, box=[1, 2, 3, 4], idx=0), NO_HANDS),
    "alphapose-136": (results(HALPE_136), set()),
    "coco-annotations": (annotations(flat(COCO)), FACE_ALONE),
    "wholebody-annotations": (annotations(*map(flat, (COCO, FEET, FACE, *HANDS))), set()),
    "halpe-annotations": (annotations(flat(HALPE_136)), set()),
    "mmpose-image": ([instance(COCO, 0.3, shift=(3, 4)), instance(COCO)], FACE_ALONE),
    "mmpose-video": (
        {"meta_info": {}, "instance_info": [{"frame_id": 1, "instances": [instance(HALPE_26)]}]},
        NO_HANDS,
    ),
    "mmpose-predictions": ({"predictions": [[instance(COCO_WHOLEBODY)]], "visualization": []}, set()),
    "vitpose": ([[vitpose(COCO, scale=0.5), vitpose(COCO)]], FACE_ALONE),
    "yolo": ([yolo(COCO, confidence=0.4, shift=(3, 4)), yolo(COCO)], FACE_ALONE),
    "yolo-0..1": ([[yolo(COCO, part=True)]], FACE_ALONE),
    "mediapipe": (landmarks(), set()),
    "mediapipe-names": ([named(landmarks())], set()),
    "mediapipe-by-name": (dict(zip(map(str.upper, BLAZEPOSE), landmarks(), strict=True)), set()),
    "mediapipe-message": ({"landmark": landmarks()}, set()),
    "mediapipe-old-js": ([{"poseLandmarks": landmarks(), "image": {}}], set()),
    "mediapipe-js": ({"landmarks": [landmarks(scale=0.5), landmarks()], "worldLandmarks": []}, set()),
    "mediapipe-frames": ({"frames": [{"timestamp": 0, "pose_landmarks": {"landmark": landmarks()}}]}, set()),
    "blazepose-rows": ([keypoints_of(BLAZEPOSE)[:, [0, 1, 2, 2]].tolist()], set()),
    "mpii": (
        [
            {"image": "a.jpg", "joints": (keypoints_of(MPII, scale=k)[:, :2] + 1).tolist(), "joints_vis": [1] * 16}
            for k in (0.5, 1.0)
        ],
        FACE_ALONE | {"nose", "right_ear", "left_ear"},
    ),
}
