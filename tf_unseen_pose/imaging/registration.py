"""Registers frames of a scene by their background, to remove small camera movements.

Corners of the reference's background are tracked into a frame (Lucas-Kanade, forward and backward), and a similarity is
fitted to the consistent ones; person masks define the background. Pictures are reduced to 640 pixels or less, which
bounds the time; all tolerances are in pixels of that size.

Convention: points are (x, y) in pixels, (0, 0) the centre of the top-left pixel; a transform is a similarity, float64
[2, 3], named by its direction; masks are uint8 [H, W], 255 = person.
"""

import cv2
import numpy as np

from tf_unseen_pose.imaging.affine import compose, invert, transform_joints, transform_points
from tf_unseen_pose.imaging.person_measures import person_scale
from tf_unseen_pose.skeleton import Skeleton

# Limits on the movement of a nominally still camera: shift of a corner as a fraction of the picture's side, rotation in
# degrees, change of scale.
LARGEST_SHIFT, LARGEST_ROTATION, LARGEST_SCALING = 0.1, 5.0, 0.1
# Shifts of the corners below this, in pixels, are not measurable and count as none.
LEAST_SHIFT = 0.1
# Half the width of a drawn limb, in standard deviations of its prior: hands, feet and clothes are inside.
MASK_WIDTH = 1.5

_WORKING_SIDE = 640
# Corners: how many, how weak in relation to the strongest, how near to each other, and the window they are tracked in.
_CORNERS, _QUALITY, _SPACING, _WINDOW = 300, 0.005, 8, (21, 21)
# Brightness is compared finely after the mean about each pixel, over this many, was taken off.
_LOCAL = (15, 15)
# Corners are this far from the person, whom half a tracking window and half a local mean hardly reach then.
_MARGIN = 16
# A corner is lost if tracked back it ends this far from where it began, and an outlier this far from the transform.
_RETURN_ERROR, _INLIER_ERROR = 0.5, 1.0
# What a transform needs: inliers, in number and as a share of the corners in view, and a standard error below this
# at the picture's own corners.
_LEAST_INLIERS, _LEAST_SHARE, _LARGEST_ERROR = 12, 0.3, 0.5
# Backgrounds that differ by fewer grey levels (root mean square, smoothed) coincide as far as can be seen: still ones
# measured 2.5 at most with a person's shadow on them, shaken ones 3.9 and more.
_NOISE = 3.5


class Registration:
    """Aligns frames to a reference frame by their backgrounds."""

    def __init__(self, image: np.ndarray, mask: np.ndarray):
        """Finds the corners of the reference's background.

        Args:
            image: uint8 [H, W, 3].
            mask: uint8 [H, W], the person of the reference.
        """
        self._shape = mask.shape
        self._scale = min(1.0, _WORKING_SIDE / max(mask.shape))
        self._grey, self._structure, self._free = self._prepared(image, mask)
        corners = cv2.goodFeaturesToTrack(self._structure, _CORNERS, _QUALITY, _SPACING, mask=self._free, blockSize=5)
        self._corners = np.empty((0, 1, 2), np.float32) if corners is None else corners

    def _prepared(self, image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """At working size: grey levels, the same without slow changes of light, and the background as 255."""
        grey, mask = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.compare(mask, 32, cv2.CMP_GT)
        if self._scale < 1:
            size = tuple(round(side * self._scale) for side in reversed(self._shape))
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
            mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
        structure = cv2.addWeighted(grey, 1, cv2.blur(grey, _LOCAL), -1, 128)
        return grey, structure, 255 - cv2.dilate(mask, np.ones((2 * _MARGIN + 1,) * 2, np.uint8))

    def align(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
        """Registers a frame's background to the reference.

        If the background is too plain, the frame counts as unmoved if both backgrounds look the same.

        Args:
            image: uint8 [H, W, 3].
            mask: uint8 [H, W], the person of that frame.

        Returns:
            `image_to_reference`, float64 [2, 3]: rotation, uniform scale, translation; None where the frame cannot be
            registered, the camera moved further than this module takes out, or the frame is of another size. Where no
            corner of the picture moves by more than 0.1 pixels it is exactly the identity.
        """
        if mask.shape != self._shape:
            return None
        grey, structure, free = self._prepared(image, mask)
        transform = self._track(grey, structure, free)
        if transform is None:
            return np.eye(2, 3) if self._coincides(grey, free) else None
        # Reduced pictures keep their corner, not the centre of their first pixel.
        offset = (self._scale - 1) / 2
        to_working = np.array([[self._scale, 0, offset], [0, self._scale, offset]])
        transform = compose(invert(to_working), compose(transform, to_working))
        shift = _largest_shift(transform, *self._shape)
        if shift <= LEAST_SHIFT:
            return np.eye(2, 3)
        return transform if shift <= LARGEST_SHIFT * max(self._shape) and _is_nearly_rigid(transform) else None

    def _track(self, grey: np.ndarray, structure: np.ndarray, free: np.ndarray) -> np.ndarray | None:
        """The transform at working size that fits the corners, or None if too few agree."""
        if len(self._corners) < _LEAST_INLIERS:
            return None
        transform = np.eye(2, 3)
        # First coarsely, so that one tile of a wall is not taken for the next; then finely in the resampled frame,
        # where little movement and no rotation remains.
        for reference, picture, levels in ((self._grey, grey, 4), (self._structure, structure, 1)):
            moved, seen = resampled(picture, transform), resampled(free, transform, cv2.BORDER_CONSTANT)
            corners, tracked = self._pairs(reference, moved, seen, levels)
            if len(corners) < _LEAST_INLIERS:
                return None
            step, inlier = cv2.estimateAffinePartial2D(tracked, corners, ransacReprojThreshold=_INLIER_ERROR)
            if step is None:
                return None
            transform = compose(step, transform)
        inlier = inlier[:, 0] > 0
        in_view = np.count_nonzero(_values(seen, self._corners[:, 0]))
        if inlier.sum() < max(_LEAST_INLIERS, _LEAST_SHARE * in_view):
            return None
        residual = transform_points(step, tracked[inlier]) - corners[inlier]
        return transform if _standard_error(corners[inlier], residual, free.shape) < _LARGEST_ERROR else None

    def _pairs(
        self, reference: np.ndarray, picture: np.ndarray, free: np.ndarray, levels: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Corners of the reference, float32 [N, 2], and their places in a frame."""
        options = {"winSize": _WINDOW, "maxLevel": levels}
        there, found, _ = cv2.calcOpticalFlowPyrLK(reference, picture, self._corners, None, **options)
        back, found_back, _ = cv2.calcOpticalFlowPyrLK(picture, reference, there, None, **options)
        returned = np.linalg.norm(back - self._corners, axis=2) < _RETURN_ERROR
        kept = (found & found_back & returned)[:, 0] > 0
        kept &= _values(free, there[:, 0]) > 0
        return self._corners[kept, 0], there[kept, 0]

    def _coincides(self, grey: np.ndarray, free: np.ndarray) -> bool:
        """Whether the backgrounds look the same apart from noise, faint shadows and brightness."""
        common = (self._free > 0) & (free > 0)
        if not common.any():
            return False
        reference, frame = (cv2.GaussianBlur(p.astype(np.float32), (0, 0), 1.5)[common] for p in (self._grey, grey))
        brightness = (frame.mean() + 1) / (reference.mean() + 1)
        difference = frame / brightness - reference
        return bool(0.9 < brightness < 1.1 and np.sqrt(np.mean(difference**2)) < _NOISE)


def resampled(picture: np.ndarray, transform: np.ndarray, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
    """A picture, uint8 [H, W] or [H, W, 3], moved by a transform [2, 3], in its own size.

    Beyond its border it has the border's colour, or 0 if `border` is OpenCV's BORDER_CONSTANT.
    """
    size = picture.shape[1::-1]
    flags = cv2.INTER_CUBIC if border == cv2.BORDER_REPLICATE else cv2.INTER_LINEAR
    return cv2.warpAffine(picture, transform, size, flags=flags, borderMode=border)


def _values(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Values [N] of a mask at the pixels nearest to points [N, 2]; 0 outside."""
    x, y = np.rint(points).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    return np.where(inside, mask[np.where(inside, y, 0), np.where(inside, x, 0)], 0)


def _standard_error(points: np.ndarray, residual: np.ndarray, shape: tuple[int, int]) -> float:
    """Standard error of a similarity fitted to points [N, 2], at the picture's corner where it is largest."""
    centre = points.mean(axis=0)
    lever = np.linalg.norm(_picture_corners(*shape) - centre, axis=1).max()
    spread = np.sum((points - centre) ** 2)
    return float(np.sqrt(np.mean(residual**2) * (1 / len(points) + lever**2 / spread)))


def _picture_corners(height: int, width: int) -> np.ndarray:
    return np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], float)


def _largest_shift(transform: np.ndarray, height: int, width: int) -> float:
    """The largest shift of a picture's corner by a transform, in pixels."""
    corners = _picture_corners(height, width)
    return float(np.linalg.norm(transform_points(transform, corners) - corners, axis=1).max())


def _is_nearly_rigid(transform: np.ndarray) -> bool:
    scale, angle = np.hypot(*transform[:, 0]), np.rad2deg(np.arctan2(transform[1, 0], transform[0, 0]))
    return abs(angle) <= LARGEST_ROTATION and abs(scale - 1) <= LARGEST_SCALING


def apply(
    transform: np.ndarray, image: np.ndarray, mask: np.ndarray, joints: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Moves a frame to the reference's place.

    Args:
        transform: [2, 3] `image_to_reference`.
        image: uint8 [H, W, 3].
        mask: uint8 [H, W].
        joints: [J, 3].

    Returns:
        Image [H, W, 3], mask [H, W] and joints [J, 3] (float32). Beyond its border the image goes on with the
        border's colour, the mask with 0.
    """
    moved = transform_joints(transform, joints)
    return resampled(image, transform), resampled(mask, transform, cv2.BORDER_CONSTANT), moved


def mask_from_joints(joints: np.ndarray, skeleton: Skeleton, height: int, width: int) -> np.ndarray:
    """A generous person mask from joints: limbs as thick lines, filled between their joints.

    Args:
        joints: [J, 3] in pixels; limbs with an absent joint are left out.
        height, width: size of the picture.

    Returns:
        uint8 [H, W], 255 = person; much of the background near the person is covered, too.

    Raises:
        UserError: fewer than two joints are visible, or all of them coincide.
    """
    mask = np.zeros((height, width), np.uint8)
    # A limb's width is given in pixels of a canvas on which a person of scale 1 is drawn 1.14 times as large.
    unit = person_scale(joints, skeleton) / 1.14
    for limb in skeleton.limbs:
        ends, anchors = (joints[skeleton.joint_index(*names)] for names in (limb.joints, limb.anchors))
        if (ends[:, 2] > 0).all():
            corners = np.concatenate([ends, anchors[anchors[:, 2] > 0]])[:, :2]
            outline = cv2.convexHull(np.rint(corners).astype(np.int32))
            cv2.fillConvexPoly(mask, outline, 255)
            cv2.polylines(mask, [outline], True, 255, max(1, round(2 * MASK_WIDTH * limb.width * unit)))
    return mask
