"""What the authors' network is fed with, made as they make it: in NumPy and OpenCV, outside the graph, in float64.

Crop by resizing the whole picture, then shifting it; one Gaussian map a joint and a limb on the full grid; similarity
fits by least squares.

Convention: poses are [14, 2] in pixels, (x, y), all joints present; pictures are BGR.
Source: the constants of the authors' released model.
"""

import cv2
import numpy as np

from tf_unseen_pose.known_skeletons import PERSON

_SIGMA, _STRIDE = 1.75, 2
_CROP_FACTOR, _SCALE_UNIT, _CANVAS = 1.14, 200, 256


def person_scale(pose: np.ndarray) -> float:
    """The greater of 2.5 upper bodies and 5 calves, in units of 200 pixels."""
    head, right_hip, left_hip = pose[PERSON.joint_index("head", "right_hip", "left_hip")]
    upper_body = (right_hip[1] + left_hip[1]) / 2 - head[1]
    calves = [
        np.hypot(*(pose[knee] - pose[ankle]))
        for knee, ankle in (PERSON.joint_index(f"{side}_knee", f"{side}_ankle") for side in ("right", "left"))
    ]
    return max(2.5 * upper_body, 5 * np.mean(calves)) / _SCALE_UNIT


def crop(image: np.ndarray, centre: np.ndarray, scale: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The canvas of a picture, and the shift [2]: canvas point = scale * picture point + shift.

    Args:
        image: uint8 [H, W, 3].
        centre: the picture's point that the canvas's centre shows.
        scale: pixels of the canvas a pixel of the picture.
    """
    resized = cv2.resize(image, None, fx=scale, fy=scale)
    shift = (size - 1) / 2 - scale * centre
    return cv2.warpAffine(resized, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), (size, size)), shift


def crop_scale(poses: list[np.ndarray], size: int) -> float:
    """Pixels of the canvas a pixel of the picture, for the larger of some poses."""
    return _CROP_FACTOR * size / _CANVAS / max(person_scale(pose) for pose in poses)


def gaussian_map(height, width, centre, variance_along, variance_across, angle) -> np.ndarray:
    """[height, width]: a Gaussian whose first axis is turned by `angle` radians from x towards -y."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    x, y = x - centre[0], y - centre[1]
    cos, sin = np.cos(angle), np.sin(angle)
    xx = cos**2 / (2 * variance_along) + sin**2 / (2 * variance_across)
    yy = sin**2 / (2 * variance_along) + cos**2 / (2 * variance_across)
    xy = np.sin(2 * angle) / 4 * (1 / variance_across - 1 / variance_along)
    return np.exp(-(xx * x * x + 2 * xy * x * y + yy * y * y))


def released_gaussian_map(height, width, centre, variance_along, variance_across, angle) -> np.ndarray:
    """`gaussian_map` as the authors write it: grids from Python's ranges, every difference where the formula has it."""
    x, y = np.meshgrid(np.array(range(width)), np.array(range(height)))
    cos, sin, twice = np.cos(angle), np.sin(angle), np.sin(2 * angle)
    xx = cos**2 / (2 * variance_along) + sin**2 / (2 * variance_across)
    xy = twice / (4 * variance_across) - twice / (4 * variance_along)
    yy = sin**2 / (2 * variance_along) + cos**2 / (2 * variance_across)
    return np.exp(
        -(
            xx * (x - centre[0]) * (x - centre[0])
            + 2 * xy * (x - centre[0]) * (y - centre[1])
            + yy * (y - centre[1]) * (y - centre[1])
        )
    )


def joint_heatmaps(pose: np.ndarray, size: int, gaussian=gaussian_map) -> np.ndarray:
    """[size / 2, size / 2, 14]; a joint at or beyond the border has an empty map."""
    cells = size // _STRIDE
    maps = np.zeros((cells, cells, len(pose)))
    for joint, centre in enumerate(pose / _STRIDE):
        if (centre > 0).all() and (centre < cells - 1).all():
            maps[..., joint] = gaussian(cells, cells, centre, _SIGMA**2, _SIGMA**2, 0.0)
    return maps


def log_limb_priors(pose: np.ndarray, size: int, gaussian=gaussian_map) -> np.ndarray:
    """[size, size, 11]: log of the background's prior and the limbs'."""
    unit = size / _CANVAS
    limbs = np.zeros((size, size, PERSON.limb_count))
    for index, limb in enumerate(PERSON.limbs):
        start, end = pose[PERSON.joint_index(*limb.joints)].reshape(2, -1, 2).mean(axis=1)
        along = max(5 * unit**2, np.sum((end - start) ** 2) / 1.5)
        angle = np.arctan2(end[1] - start[1], start[0] - end[0])
        bell = gaussian(size, size, (start + end) / 2, along, (limb.width * unit) ** 2, angle)
        limbs[..., index] = bell / (bell.max() + 1e-6)
    background = 1 - limbs.max(axis=2, keepdims=True)
    return np.log(np.concatenate([background, limbs], axis=2) + 1e-10)


def limb_transforms(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[2, 3, 11]: identity, then the similarity from each target limb to its source limb."""
    transforms = np.zeros((2, 3, 1 + PERSON.limb_count))
    transforms[..., 0] = np.eye(2, 3)
    for index, limb in enumerate(PERSON.limbs, start=1):
        joints = PERSON.joint_index(*limb.joints)
        transforms[..., index] = _fit_similarity(target[joints], source[joints])
    return transforms


def _fit_similarity(from_points, to_points):
    """Least squares for a, b and the shift of (x, y) -> (a x - b y + s, b x + a y + t)."""
    equations, values = [], []
    for (x, y), (u, v) in zip(from_points, to_points, strict=True):
        equations += [[x, -y, 1, 0], [y, x, 0, 1]]
        values += [u, v]
    (a, b, s, t), *_ = np.linalg.lstsq(np.array(equations), np.array(values), rcond=None)
    return np.array([[a, -b, s], [b, a, t]])


def network_inputs(canvas: np.ndarray, source: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
    """A batch of one for the reference: float32 arrays in the order of its inputs.

    Args:
        canvas: uint8 [size, size, 3].
        source, target: in pixels of the canvas.
    """
    size = canvas.shape[0]
    parts = [
        (canvas / 255.0 - 0.5) * 2,
        joint_heatmaps(source, size),
        joint_heatmaps(target, size),
        log_limb_priors(source, size),
        limb_transforms(source, target),
    ]
    return [part[None].astype(np.float32) for part in parts]
