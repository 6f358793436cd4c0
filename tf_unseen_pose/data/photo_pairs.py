"""Reads pairs of photographs of one person and scene in two poses, listed by an `index.json`.

    {"pairs": [{"name": NAME, "scene": ID, "frames": [FRAME, FRAME]}]}
    FRAME = {"file": "images/X.jpg", "landmarks": [[x, y, visibility] * 33], "mask": "masks/X.png" | null}

Files are relative to the index. Landmarks are BlazePose's in pixels of the stored picture. A pair becomes a clip of
two stills (rate 0); its action is its name, the name of an exercise. Pairs of one scene may show one person.
"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from tf_unseen_pose.data.clips import BrokenClip, Clip, Frame, read_frame
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.pose.joint_formats import blazepose_to_body


def pair_clips(root: Path, max_side: int | None = None) -> list[Clip]:
    """The pairs below `root`, in the index's order; pictures are read when a clip's frames are.

    Args:
        root: folder that holds `index.json`.
        max_side: shrinks larger pictures.

    Raises:
        UserError: no such folder or index, or an index of another form.
    """
    index = root / "index.json"
    if not index.is_file():
        raise UserError(f"There is no {index}; name the folder that holds the pairs' index.json.")
    try:
        pairs = json.loads(index.read_text(encoding="utf-8"))["pairs"]
        named = [(str(pair["name"]), str(pair.get("scene", "")), list(pair["frames"])) for pair in pairs]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{index} is not an index of pairs; it must be a JSON object with a list 'pairs'.") from error
    if not named:
        raise UserError(f"{index} lists no pairs; add some or name another folder.")
    return [
        Clip(name, name, 0.0, partial(_frames, root, frames, max_side), scene, person=scene, skeleton=BODY)
        for name, scene, frames in named
    ]


def _frames(root: Path, entries: list[dict], max_side: int | None) -> Iterator[Frame]:
    for number, entry in enumerate(entries):
        try:
            picture, mask = root / entry["file"], entry.get("mask")
            landmarks = np.array(entry["landmarks"], np.float32)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BrokenClip(f"frame {number} lacks its file or its landmarks") from error
        if landmarks.shape != (33, 3) or not np.isfinite(landmarks).all():
            raise BrokenClip(f"frame {number} does not have 33 landmarks of x, y and visibility")
        joints = blazepose_to_body(landmarks)
        yield read_frame(picture, joints, number, mask=root / mask if mask else None, max_side=max_side)
