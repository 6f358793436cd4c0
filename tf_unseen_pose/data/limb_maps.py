"""Limb maps: the limb of every pixel of a frame.

Convention: a map is uint8 [H, W], 0 for the background, else 1 + the limb's index on its skeleton's L axis; on disk it
is an 8-bit grey PNG. A table is uint8 [256], from a label to a label.
"""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from tf_unseen_pose.data.clips import encode_picture
from tf_unseen_pose.skeleton import Skeleton


def renumbering(limbs: Sequence[str], skeleton: Skeleton) -> np.ndarray:
    """The table [256] from labels of named limbs, from 1 on, to those of a skeleton with all of these.

    Example:
        >>> from tf_unseen_pose.data.limb_maps import renumbering
        >>> from tf_unseen_pose.known_skeletons import PERSON
        >>> renumbering(["torso", "head"], PERSON)[:3].tolist()
        [0, 10, 1]
    """
    names = [limb.name for limb in skeleton.limbs]
    return _table([1 + names.index(limb) for limb in limbs])


def conversion(source: Skeleton, target: Skeleton) -> np.ndarray | None:
    """The table [256] from one skeleton's labels to another's: missing limbs become their parent.

    None if the other skeleton distinguishes limbs that this one does not.

    Example:
        >>> from tf_unseen_pose.data.limb_maps import conversion
        >>> from tf_unseen_pose.known_skeletons import BODY, PERSON
        >>> names = [limb.name for limb in BODY.limbs]
        >>> label = conversion(BODY, PERSON)[1 + names.index("left_hand")]
        >>> PERSON.limbs[label - 1].name, conversion(PERSON, BODY)
        ('left_forearm', None)
    """
    known, wanted = ([limb.name for limb in skeleton.limbs] for skeleton in (source, target))
    if set(wanted) - set(known):
        return None
    labels = []
    for limb in range(source.limb_count):
        while known[limb] not in wanted:
            limb = source.parents[limb]
        labels.append(1 + wanted.index(known[limb]))
    return _table(labels)


def mirroring(skeleton: Skeleton) -> np.ndarray:
    """The table [256] from a map's labels to those of the mirrored map: left becomes right."""
    joints = [set(skeleton.joint_index(*limb.joints)) for limb in skeleton.limbs]
    mirrored = [{skeleton.mirrored[joint] for joint in of_limb} for of_limb in joints]
    # Limbs without a counterpart, such as held things, are their own.
    return _table([1 + (joints.index(other) if other in joints else i) for i, other in enumerate(mirrored)])


def cut_out(
    labels: np.ndarray, output_to_input: np.ndarray, height: int, width: int, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """`imaging.resampling.cut_out` for a map, with the nearest pixel's label.

    Args:
        labels: uint8 [H, W].
        output_to_input: [2, 3]: output pixel -> pixel of the map.
        border: OpenCV's, 0 beyond the border by `cv2.BORDER_CONSTANT`.

    Returns:
        uint8 [height, width].
    """
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(labels, np.float64(output_to_input), (width, height), flags=flags, borderMode=border)


def _table(labels: list[int]) -> np.ndarray:
    table = np.zeros(256, np.uint8)
    table[1 : 1 + len(labels)] = labels
    return table


def converted(limbs_png: bytes, source: Skeleton, target: Skeleton) -> bytes | None:
    """An encoded map as one of another skeleton; None as `conversion`."""
    table = conversion(source, target)
    if table is None:
        return None
    with Image.open(io.BytesIO(limbs_png)) as image:
        return encode_picture(cv2.LUT(np.asarray(image), table), "PNG")
