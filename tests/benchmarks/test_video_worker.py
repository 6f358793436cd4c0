import numpy as np
import tensorflow as tf

from benchmarks.scenes import driven_photo
from benchmarks.video_worker import Clock, reference_frames


def test_the_reference_pastes_its_canvas_where_it_was_cut_out():
    photo, source, poses = driven_photo(150, 200, 3)

    def same_picture(inputs):
        return inputs[0]

    points = source[:, :2].astype(np.float64), poses[..., :2].astype(np.float64)
    frames = list(reference_frames(same_picture, photo, *points))
    assert len(frames) == 3 and frames[0].shape == photo.shape and frames[0].dtype == np.uint8
    # Resampled twice, so only nearly the same.
    assert np.abs(frames[0].astype(int) - photo).mean() < 4
    black = next(reference_frames(lambda inputs: -tf.ones_like(inputs[0]), photo, *points))
    assert (black == 0).all(axis=-1).mean() > 0.3


def test_driving_poses_start_with_the_photos_own():
    photo, source, poses = driven_photo(100, 120, 7)
    assert photo.shape == (100, 120, 3) and poses.shape == (7, 14, 3)
    np.testing.assert_array_equal(poses[0], source)
    assert np.abs(np.diff(poses[..., :2], axis=0)).max(axis=(1, 2)).min() > 0


def test_the_clock_starts_when_the_first_frames_are_written():
    clock = Clock(2)
    frames = clock.watch(range(4))
    assert next(frames) == 0 and next(frames) == 1 and clock.steady is None
    assert next(frames) == 2 and clock.steady >= clock.begun
