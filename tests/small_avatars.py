"""A folder as `prepare --format avatars` reads it, small: every limb has a colour of its own.

So a test sees in the picture what the limb map must say.
"""

import json

import cv2
import numpy as np
import pytest
from small_clips import STANDING, picture

from tf_unseen_pose.data.clips import encode_picture
from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.pose.joint_formats import FORMATS

# Not the order of BODY.
NAMES = [BODY.limbs[i].name for i in (9, 3, 13, 0, 12, 1, 10, 5, 2, 11, 4, 8, 7, 6)]
# By the limb's label in BODY, so that 0 is nobody's; far apart even in a JPEG.
COLOURS = np.array([[0, 0, 0], *([40 + 170 * (i % 2), 40 + 85 * (i // 2 % 3), 30 + 105 * (i // 6)] for i in range(14))])
# Where it is not given by a joint of STANDING: relative to one.
_MORE = {
    "nose": ("head", 3, 12), "left_ear": ("head", 14, 10), "right_ear": ("head", -11, 8),
    **{f"left_{finger}": ("left_wrist", 9 + i, -16) for i, finger in enumerate(("pinky", "index", "thumb"))},
    **{f"right_{finger}": ("right_wrist", -4 - i, 17) for i, finger in enumerate(("pinky", "index", "thumb"))},
    "left_heel": ("left_ankle", -4, 6), "left_foot_index": ("left_ankle", 18, 13),
    "right_heel": ("right_ankle", 3, 7), "right_foot_index": ("right_ankle", -15, 15),
}  # fmt: skip


def landmarks(shift):
    """BlazePose's 33 of a person at that place: [33, 4]."""
    at = dict(zip(PERSON.joints, STANDING, strict=True))
    at |= {name: at[of] + [x, y] for name, (of, x, y) in _MORE.items()}
    points = np.array([at.get(name, at["nose"]) for name in FORMATS["BlazePose"].keypoints]) + shift
    return np.concatenate([points, np.ones((33, 1)), np.arange(33)[:, None]], axis=1)


def drawn(points, scene):
    """Picture, labels of BODY and mask of those landmarks, the limbs in the order of BODY over one another."""
    image, labels = scene.copy(), np.zeros(scene.shape[:2], np.uint8)
    joints = FORMATS["BlazePose"].to_joints(points)
    for label, limb in enumerate(BODY.limbs, 1):
        ends = joints[BODY.joint_index(*limb.joints), :2].reshape(2, -1, 2).mean(axis=1).round().astype(int).tolist()
        for canvas, colour in ((image, COLOURS[label].tolist()), (labels, label)):
            cv2.line(canvas, *ends, colour, thickness=9)
    return image, labels, np.where(labels > 0, 255, 0).astype(np.uint8)


def write_avatars(root, people=("Some_F_1", "Some_M_1"), frames=3):
    """One clip a person, in which it moves by (3, 2) pixels a frame."""
    clips = []
    for number, person in enumerate(people):
        folder, scene = root / f"{number}", picture(number, 240, 200)
        folder.mkdir(parents=True)
        (folder / "background.jpg").write_bytes(encode_picture(scene, "JPEG"))
        entries = []
        for frame in range(frames):
            points = landmarks([3 * frame, 2 * frame])
            image, labels, mask = drawn(points, scene)
            theirs = [0, *(1 + NAMES.index(limb.name) for limb in BODY.limbs)]
            files = {"file": (image, "JPEG"), "mask": (mask, "PNG"), "limbs": (np.uint8(theirs)[labels], "PNG")}
            for key, (content, kind) in files.items():
                (folder / f"{frame}_{key}").write_bytes(encode_picture(content, kind))
            entries.append({"landmarks": points.tolist(), **{key: f"{number}/{frame}_{key}" for key in files}})
        clips.append(
            {"name": f"clip {number}", "person": person, "background": f"{number}/background.jpg", "frames": entries}
        )
    (root / "index.json").write_text(json.dumps({"limb_names": NAMES, "clips": clips}))
    return root


@pytest.fixture
def avatars_dataset(tmp_path):
    """A dataset of two such clips, of three frames each, for training."""
    path = tmp_path / "drawn people"
    prepare([write_avatars(tmp_path / "drawn")], path, Options("avatars", validation=0), progress=False)
    return ClipDataset.open(path)


@pytest.fixture
def avatars(tmp_path):
    """Two clips of three frames, of a woman and of a man."""
    return write_avatars(tmp_path / "avatars")
