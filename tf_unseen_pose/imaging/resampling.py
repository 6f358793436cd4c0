"""Cuts a canvas out of a picture of any size with OpenCV, for training data.

`geometry.resampling.resample` is the twin for users' photos in a graph; a test compares the two. Training cuts hundreds
of canvases per second, where a general operation that recomputes the transform for every channel would dominate.
"""

import cv2
import numpy as np

from tf_unseen_pose.imaging.affine import length_scale


def cut_out(picture: np.ndarray, output_to_input: np.ndarray, height: int, width: int) -> np.ndarray:
    """Samples a picture of 8 bits bilinearly by an affine transform, at a precision of 1/32 of a pixel or better.

    Where the transform shrinks by k >= 2 (rounded down), the picture is first reduced to 1 / k by areas. Beyond its
    border a picture has the border's colour.

    Args:
        picture: uint8 [H, W] or [H, W, C].
        output_to_input: [2, 3]: output pixel -> picture pixel.

    Returns:
        uint8 [height, width] or [height, width, C].
    """
    matrix = np.asarray(output_to_input, np.float64)
    shrink = int(length_scale(matrix))
    if shrink >= 2:
        rows, columns = (max(1, round(side / shrink)) for side in picture.shape[:2])
        # Corners are aligned: (x + 0.5) scales, x does not.
        scale = np.array([[columns / picture.shape[1]], [rows / picture.shape[0]]])
        picture = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
        matrix = matrix * scale
        matrix[:, 2:] += (scale - 1) / 2
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
