"""Reads rendered people: clips with complete ground truth, listed by an `index.json`.

    {"limb_names": [LIMB, ...],
     "clips": [{"name": NAME, "person": "KIND_SEX_NUMBER", "background": "frames/X/background.jpg", "frames": [FRAME]}]}
    FRAME = {"file": "frames/X/00.jpg", "landmarks": [[x, y, visibility, z] * 33],
             "mask": "frames/X/00_mask.png", "limbs": "frames/X/00_limbs.png"}

Files are relative to the index and of one size a clip. Landmarks are BlazePose's in pixels. A pixel of `limbs` is 0
for the background, else 1 + the index in `limb_names`, which are limbs of `BODY`. A clip shows one person, camera,
light and background; its frames are stills of different exercises. A person keeps their name in other outfits;
validation holds out a share of each sex.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tf_unseen_pose.data import limb_maps
from tf_unseen_pose.data.clips import (
    PICTURE_ERRORS,
    BrokenClip,
    Clip,
    Frame,
    encode_picture,
    picture_size,
    read_frame,
    read_jpeg,
)
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.pose.joint_formats import blazepose_to_body

_ACTION = "exercise"
_NEAREST = Image.Resampling.NEAREST
_SEX = re.compile(r"_([FM])_\d+$")


def avatar_clips(root: Path, max_side: int | None = None) -> list[Clip]:
    """The clips below `root`, in the index's order; pictures are read when a clip's frames are.

    Args:
        root: folder that holds `index.json`.
        max_side: shrinks larger pictures.

    Raises:
        UserError: no such folder or index, an index of another form, or limbs that `BODY` lacks.
    """
    index = root / "index.json"
    if not index.is_file():
        raise UserError(f"There is no {index}; name the folder that holds the avatars' index.json.")
    try:
        content = json.loads(index.read_text(encoding="utf-8"))
        limbs = [str(name) for name in content["limb_names"]]
        clips = [
            (str(clip["name"]), str(clip["person"]), root / clip["background"], list(clip["frames"]))
            for clip in content["clips"]
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{index} is not an index of avatars; it must be a JSON object with the lists 'limb_names' and 'clips'."
        ) from error
    if not clips:
        raise UserError(f"{index} lists no clips; add some or name another folder.")
    if unknown := sorted(set(limbs) - {limb.name for limb in BODY.limbs}):
        raise UserError(f"The limb '{unknown[0]}' of {index} is none of '{BODY.name}'; correct limb_names.")
    return [
        Clip(
            name, _ACTION, 0.0, partial(_frames, root, frames, limbs, max_side), person=person, skeleton=BODY,
            group=sex[1] if (sex := _SEX.search(person)) else "", background=partial(read_jpeg, background, max_side),
        )
        for name, person, background, frames in clips
    ]  # fmt: skip


def _frames(root: Path, entries: list[dict], limbs: list[str], max_side: int | None) -> Iterator[Frame]:
    for number, entry in enumerate(entries):
        try:
            picture, mask, limb_map = (root / entry[key] for key in ("file", "mask", "limbs"))
            landmarks = np.array(entry["landmarks"], np.float32)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BrokenClip(f"frame {number} lacks its file, mask, limbs or landmarks") from error
        if landmarks.shape != (33, 4) or not np.isfinite(landmarks).all():
            raise BrokenClip(f"frame {number} does not have 33 landmarks of x, y, visibility and z")
        # Frames have no depth.
        frame = read_frame(picture, blazepose_to_body(landmarks[:, :3]), number, mask=mask, max_side=max_side)
        yield replace(frame, limbs_png=_limbs_png(limb_map, limbs, picture, picture_size(frame.jpeg)))


def _limbs_png(path: Path, limbs: list[str], picture: Path, size: tuple[int, int]) -> bytes:
    """The map in `BODY`'s labels at the size (width, height) of its shrunk picture."""
    try:
        with Image.open(path) as image, Image.open(picture) as whole:
            fits, labels = image.size == whole.size and image.mode == "L", np.asarray(image.resize(size, _NEAREST))
    except PICTURE_ERRORS as error:
        raise BrokenClip(f"the limb map {path} cannot be read") from error
    if not fits or labels.max() > len(limbs):
        raise BrokenClip(f"the limb map {path} is not grey, of its picture's size and of {len(limbs)} labels at most")
    return encode_picture(cv2.LUT(labels, limb_maps.renumbering(limbs, BODY)), "PNG")
