import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.data.clips import (
    NOT_FINITE,
    TOO_FEW_JOINTS,
    BrokenClip,
    encode_picture,
    fault_of_pose,
    picture_size,
    read_frame,
)
from tf_unseen_pose.known_skeletons import BODY, PERSON


@pytest.fixture
def photo(tmp_path, make_picture):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode_picture(make_picture(1, 120, 200), "JPEG"))
    return path


@pytest.fixture
def mask(tmp_path):
    path = tmp_path / "mask.png"
    values = np.zeros((120, 200), np.uint8)
    values[20:80, 40:120] = 255
    path.write_bytes(encode_picture(values, "PNG"))
    return path


def test_a_jpeg_is_kept_byte_by_byte(photo, mask, standing):
    frame = read_frame(photo, standing, 7, np.float32([1, 2, 3, 4]), mask)
    assert frame.jpeg == photo.read_bytes() and frame.mask_png == mask.read_bytes() and frame.number == 7
    assert picture_size(frame.jpeg) == (200, 120)


def test_other_pictures_are_encoded_anew(tmp_path, standing, make_picture, decode):
    image = make_picture(2, 60, 90)
    path = tmp_path / "photo.png"
    Image.fromarray(image).convert("RGBA").save(path)
    decoded = decode(read_frame(path, standing, 0).jpeg)
    assert decoded.shape == image.shape and np.abs(decoded.astype(int) - image).mean() < 3


def test_shrinking_moves_joints_box_and_mask_with_the_picture(photo, mask, standing, decode):
    standing[0] = [39.5, 19.5, 1]  # The mask's top-left corner.
    frame = read_frame(photo, standing, 0, np.float32([39.5, 19.5, 80, 60]), mask, max_side=100)
    assert picture_size(frame.jpeg) == (100, 60)
    np.testing.assert_allclose(frame.joints[0], [19.5, 9.5, 1])
    np.testing.assert_allclose(frame.box, [19.5, 9.5, 40, 30])
    rows, columns = np.nonzero(decode(frame.mask_png) > 127)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 39, 20, 59)
    assert read_frame(photo, standing, 0, max_side=200).jpeg == photo.read_bytes()


def test_damaged_files_break_the_clip(photo, mask, standing, tmp_path):
    with pytest.raises(BrokenClip, match="nowhere.jpg"):
        read_frame(tmp_path / "nowhere.jpg", standing, 0)
    Image.new("L", (10, 10)).save(mask)
    with pytest.raises(BrokenClip, match="another size"):
        read_frame(photo, standing, 0, mask=mask)
    photo.write_bytes(photo.read_bytes()[:-500])
    with pytest.raises(BrokenClip, match="photo.jpg"):
        read_frame(photo, standing, 0)
    photo.write_bytes(b"no picture")
    with pytest.raises(BrokenClip, match="photo.jpg"):
        read_frame(photo, standing, 0)


def test_what_is_wrong_with_a_pose(standing):
    assert fault_of_pose(standing, PERSON) is None
    assert fault_of_pose(standing, PERSON, np.float32([1, 2, 3, 4])) is None
    bad = [(5, 0, np.nan), (5, 1, np.inf), (5, 2, np.nan), (0, 2, np.inf)]
    for joint, number, value in bad:
        pose = standing.copy()
        pose[joint, number] = value
        assert fault_of_pose(pose, PERSON) == NOT_FINITE
    absent = standing.copy()
    absent[2:] = [np.nan, -np.inf, 0]
    assert fault_of_pose(absent, PERSON) is None
    absent[1, 2] = 0
    assert fault_of_pose(absent, PERSON) == TOO_FEW_JOINTS
    absent[1] = absent[0]
    assert fault_of_pose(absent, PERSON) == TOO_FEW_JOINTS
    assert fault_of_pose(standing, PERSON, np.float32([1, 2, np.nan, 4])) == NOT_FINITE
    # A face and feet make no crop where they are not known.
    faces = np.zeros((23, 3), np.float32)
    faces[[0, 14, 15, 19]] = [[5, 6, 1], [7, 9, 1], [4, 8, 1], [30, 90, 1]]
    assert fault_of_pose(faces, BODY) == TOO_FEW_JOINTS
    faces[1] = [6, 30, 1]
    assert fault_of_pose(faces, BODY) is None
