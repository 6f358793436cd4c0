import base64
import json

import numpy as np
import pytest

from benchmarks.serving import photos
from tf_unseen_pose import bundled


def test_the_bundled_photo_and_its_joints_are_enlarged_alike():
    photo, joints, _ = bundled()
    image, source, target = photos.enlarged(4 * photo[..., 0].size)
    assert image.shape == (2 * photo.shape[0], 2 * photo.shape[1], 3) and target.shape == (23, 4)
    # Corners of pixels keep their places, centres move by half a pixel at most.
    np.testing.assert_allclose(source[:, :2], 2 * joints[:, :2], atol=1)
    rows, columns = (slice(2 * start, 2 * start + 40) for start in (100, 200))
    part = image[rows, columns].reshape(20, 2, 20, 2, 3).mean((1, 3))
    assert np.abs(part - photo[100:120, 200:220]).mean() < 4


def test_a_request_is_the_same_in_both_forms():
    pose = np.arange(92, dtype=np.float32).reshape(23, 4)
    body = json.loads(photos.as_rest(photos.request_of(b"\xff\xd8", pose, 2 * pose), "repose_photo"))
    (instance,) = body["instances"]
    assert base64.b64decode(instance["image_bytes"]["b64"]) == b"\xff\xd8" and instance["image_format"] == "jpeg"
    assert instance["source_joints"][1] == [4, 5, 6] and instance["target_joints"][1] == [8, 10, 12, 14]
    assert set(photos.request_of(b"", pose, pose, "serving_default")) == set(instance) - {"image_format"}


def test_differences_are_in_decibels():
    first = np.full((4, 5, 3), 100, np.uint8)
    assert photos.psnr(first, first + np.uint8(5)) == pytest.approx(20 * np.log10(255 / 5))
