"""The scene of a video without its person: every pixel is the median of the frames in which they are elsewhere.

Frames are registered to the first one and kept in a file; medians are taken in strips of rows, so that memory does not
grow with the frames.
"""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.inpainting import hole_of
from tf_unseen_pose.imaging.registration import Registration, resampled
from tf_unseen_pose.imaging.video import probe, read_video
from tf_unseen_pose.pose.estimation import PoseEstimator
from tf_unseen_pose.words import counted

# Number of frames used, evenly spread over the video.
_FRAMES = 60
# The fraction of these in which a pixel must be free to be known, since masks may be wrong, and the fraction that must
# show the first frame's scene.
_LEAST_FREE, _LEAST_STILL = 0.05, 0.5
# Bytes of all frames per strip.
_STRIP = 32 << 20


def median_background(path: Path, estimator: PoseEstimator, progress: bool = True) -> np.ndarray:
    """The scene of a video in the place of its first frame.

    Args:
        estimator: opened for single images; people that it detects are removed.
        progress: shows a bar.

    Returns:
        uint8 [H, W, 4], the fourth channel 255 where the scene was seen often enough, else 0.

    Raises:
        UserError: the video is missing or damaged, or its camera moves.
    """
    count, shape, found = 0, (0, 0, 4), []
    with tempfile.TemporaryFile() as file:
        for frame, is_anybody in _aligned(tqdm(_spread(path), "Looking behind", disable=not progress), estimator):
            if frame is not None:
                shape = frame.shape
                file.write(np.ascontiguousarray(frame))
                found.append(is_anybody)
            count += 1
        if len(found) < _LEAST_STILL * count:
            raise UserError(
                f"Only {len(found)} of {counted(count, 'frame')} of {path} show the first one's scene: its camera "
                "moves, or it is cut; give a video of a still camera, or a photo of the scene."
            )
        file.flush()
        frames = np.memmap(file, np.uint8, "r", shape=(len(found), *shape))
        # Frames without a detection may still show a lying person, unless no frame shows anybody.
        return _median(frames, np.flatnonzero(found) if any(found) else np.arange(len(found)))


def _spread(path: Path) -> Iterator[np.ndarray]:
    """The frames of a video that are used."""
    count = probe(path).frame_count or sum(1 for _ in read_video(path))
    step = max(1, -(-count // _FRAMES))
    return (image for _, image in islice(read_video(path), 0, None, step))


def _aligned(frames: Iterable[np.ndarray], estimator: PoseEstimator) -> Iterator[tuple[np.ndarray | None, bool]]:
    """Frames registered to the first, and whether a person is detected in each.

    Frames are uint8 [H, W, 4], with 0 in the fourth channel where the person or nothing is shown; None if registration
    fails.
    """
    registration = None
    for image in frames:
        found = estimator.detect(image)
        mask = np.zeros(image.shape[:2], np.uint8) if found is None else found.mask
        registration = registration or Registration(image, mask)
        transform = registration.align(image, mask)
        if transform is None:
            yield None, found is not None
            continue
        free = 255 - 255 * hole_of(mask / np.float32(255))
        if not np.array_equal(transform, np.eye(2, 3)):
            image, free = resampled(image, transform), resampled(free, transform, cv2.BORDER_CONSTANT)
        free = cv2.compare(free, 254, cv2.CMP_GT)
        # Pixels that are not free get the largest value, so that sorting puts free ones first, as `_median` expects.
        shown = cv2.bitwise_or(image, cv2.cvtColor(cv2.bitwise_not(free), cv2.COLOR_GRAY2RGB))
        yield np.dstack([shown, free]), found is not None


def _median(frames: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The median of the free pixels of some frames of uint8 [T, H, W, 4]: [H, W, 4]; the mean of two where even."""
    result = np.empty(frames.shape[1:], np.uint8)
    step = max(1, _STRIP // (len(numbers) * frames[0, 0].nbytes))
    for first in range(0, len(result), step):
        rows = slice(first, first + step)
        strip = frames[numbers, rows]
        free = np.count_nonzero(strip[..., 3], axis=0)[None, ..., None]
        # Radix sort for bytes takes a quarter of the time.
        colours = np.sort(strip[..., :3], axis=0, kind="stable")
        low, high = (np.take_along_axis(colours, np.maximum(i, 0), axis=0)[0] for i in ((free - 1) // 2, free // 2))
        result[rows, :, :3] = (low.astype(np.uint16) + high + 1) // 2
        result[rows, :, 3] = 255 * (free[0, ..., 0] >= max(1, _LEAST_FREE * len(numbers)))
    return result
