"""One variant makes one video and says how long it took: the process that `video` starts.

python -m benchmarks.video_worker VARIANT SCENE.npz FRAMES VIDEO.mp4 RESULT.json
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import tensorflow as tf

from benchmarks.memory import peak_memory
from benchmarks.reference import build_reference
from benchmarks.reference_inputs import crop, crop_scale, network_inputs
from tf_unseen_pose.config import load_config
from tf_unseen_pose.imaging.image_files import to_uint8
from tf_unseen_pose.inference.animation import write_animation
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.model import build_generator

# Frames that `Reposer.animate` makes at a time.
_BATCH = 4
_CANVAS = 256


class Clock:
    """Passes frames on and notes when frame number `start_frames` was asked for: when all before it were written."""

    def __init__(self, start_frames: int):
        self.start_frames = start_frames
        self.begun = time.perf_counter()
        self.steady = None

    def watch(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for number, frame in enumerate(frames):
            yield frame
            if number == self.start_frames - 1:
                self.steady = time.perf_counter()


def reference_frames(network, photo: np.ndarray, source: np.ndarray, poses: np.ndarray) -> Iterator[np.ndarray]:
    """The photo's person in one pose after the other, by the authors' network.

    Args:
        network: a function of the reference's five inputs.
        photo: uint8 [H, W, 3] RGB.
        source, poses: [14, 2] and [T, 14, 2], float64, in pixels of the photo.

    Yields:
        uint8 [H, W, 3] RGB.
    """
    image = np.ascontiguousarray(photo[..., ::-1])
    scale = crop_scale([source], _CANVAS)
    centre = (source.min(axis=0) + source.max(axis=0)) / 2
    canvas, shift = crop(image, centre, scale, _CANVAS)
    to_photo = np.float32([[1 / scale, 0, -shift[0] / scale], [0, 1 / scale, -shift[1] / scale]])
    size = image.shape[1], image.shape[0]
    covered = cv2.warpAffine(np.ones((_CANVAS, _CANVAS), np.uint8), to_photo, size)[..., None] > 0
    for pose in poses:
        inputs = network_inputs(canvas, source * scale + shift, pose * scale + shift)
        made = network([tf.constant(part) for part in inputs])[0].numpy()
        yield np.where(covered, cv2.warpAffine(to_uint8(made), to_photo, size), image)[..., ::-1]


def main(variant: str, scene: str, frames: str, video: str, result: str) -> None:
    with np.load(scene) as stored:
        photo, source, poses = stored["photo"], stored["source"], stored["poses"][: int(frames)]
    if variant == "reference":
        network = tf.function(build_reference(_CANVAS))
        points = source[:, :2].astype(np.float64), poses[..., :2].astype(np.float64)
        clock = Clock(1)
        made = reference_frames(network, photo, *points)
    else:
        config = load_config(variant)
        reposer = Reposer.of(build_generator(config.model), config)
        clock = Clock(_BATCH)
        made = reposer.animate(photo, poses, source, batch_size=_BATCH)
    written, _ = write_animation(clock.watch(made), len(poses), Path(video), 25.0, progress=False)
    end = time.perf_counter()
    measured = {
        "frames": written,
        "start_frames": clock.start_frames,
        "start_seconds": clock.steady - clock.begun,
        "seconds_a_frame": (end - clock.steady) / (written - clock.start_frames),
        "peak_mb": peak_memory(),
    }
    Path(result).write_text(json.dumps(measured))


if __name__ == "__main__":
    main(*sys.argv[1:])
