"""Affine transforms of the plane: composed, inverted, applied to points and joints.

Convention: a transform is [2, 3], its last column the shift; points are (x, y) in pixels, (0, 0) the centre of the
top-left pixel. A transform is named by its direction, `canvas_to_image`.
"""

import math

import numpy as np


def compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """The affine transform [2, 3] that applies `inner` [2, 3], then `outer` [2, 3]."""
    return np.concatenate([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2:] + outer[:, 2:]], axis=1)


def invert(matrix: np.ndarray) -> np.ndarray:
    """The inverse of an affine transform [2, 3]."""
    # Not by np.linalg: for four numbers LAPACK wakes all cores and takes a hundred times as long.
    (a, b, x), (c, d, y) = np.float64(matrix)
    return np.array([[d, -b, b * y - d * x], [-c, a, c * x - a * y]]) / (a * d - b * c)


def length_scale(matrix: np.ndarray) -> float:
    """The length scale of an affine transform [2, 3]: the root of its absolute determinant."""
    (a, b, _), (c, d, _) = matrix
    return math.sqrt(abs(a * d - b * c))


def transform_points(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Applies an affine transform [2, 3] to points [..., 2] in pixels."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def transform_joints(matrix: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Applies an affine transform [2, 3] to joints [..., J, 3 or 4], float32; `export.photos.on_canvas` in graphs.

    Visibility is kept, z takes the transform's scale: the root of its determinant.
    """
    matrix = np.float64(matrix)
    points = transform_points(matrix, joints[..., :2])
    depth = joints[..., 3:] * length_scale(matrix)
    return np.concatenate([points, joints[..., 2:3], depth], axis=-1).astype(np.float32)
