import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_unseen_pose.config import load_config
from tf_unseen_pose.export.photo_signatures import held
from tf_unseen_pose.export.signatures import Signatures
from tf_unseen_pose.imaging.crop import whole_crop
from tf_unseen_pose.imaging.placement import Placement, on_whole_pixels
from tf_unseen_pose.imaging.provenance import SOURCE_TYPE
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.pose.driving import driving_poses


@pytest.fixture(scope="module")
def reposer(exported):
    run, _, generator = exported
    return Reposer.of(generator, run.config, sharp_hole=False)


def photo_of(height, width, seed):
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (height // 8 + 1, width // 8 + 1, 3))
    return np.uint8(coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width])


@pytest.fixture
def request_of(batch):
    """A photo and `count` poses in it, at another place than the source's."""

    def make(height, width, count, seed):
        joints = batch(64, 64, batch=count + 1, seed=seed)["source_joints"]
        joints = joints * np.float32([width / 64, height / 64, 1])
        joints[1:, :, 0] += np.float32(0.1 * width) * np.arange(count)[:, None] / count
        return photo_of(height, width, seed), joints[0], joints[1:]

    return make


def close(found, expected):
    # The hosts' engine looks colours up at a 32nd of a pixel.
    assert found.shape == expected.shape
    error = ((found.astype(float) - expected) ** 2).mean()
    assert error < 255**2 / 10**5


def test_photos_of_any_size_share_a_batch(signatures, reposer, request_of, as_file, from_file):
    requests = [request_of(90, 120, 1, 1), request_of(333, 257, 1, 2)]
    files = [as_file(requests[0][0]), as_file(requests[1][0], "JPEG", quality=95)]
    found = signatures["serving_default"](
        image_bytes=tf.constant(files),
        source_joints=tf.constant(np.stack([source for _, source, _ in requests])),
        target_joints=tf.constant(np.stack([targets[0] for *_, targets in requests])),
    )
    for i, ((_, source, targets), file) in enumerate(zip(requests, files, strict=True)):
        picture = from_file(found["image_bytes"].numpy()[i])
        close(picture, reposer.synthesize(from_file(file), targets[0], source, crop=True))
        crop = whole_crop(source, targets[:1], from_file(file).shape[:2], PERSON, 64, 64)
        place = Placement.of(from_file(file), on_whole_pixels(crop, 64, 64), 64, 64)
        expected = [[1, 0, place.columns.start], [0, 1, place.rows.start]]
        np.testing.assert_allclose(found["canvas_to_image"][i], expected, rtol=1e-6)


def test_a_sequence_is_animated_as_in_python(signatures, reposer, request_of, as_file, from_file):
    photo, source, poses = request_of(150, 110, 6, 3)
    poses[2, :, 2] = 0  # nobody is seen: the pose before is held
    poses[0, :, 2] = 0  # nobody yet: the first pose that is seen
    found = signatures["render_sequence"](
        image_bytes=tf.constant(as_file(photo)), source_joints=tf.constant(source), target_joints=tf.constant(poses)
    )
    frames = np.stack([from_file(file) for file in found["image_bytes"].numpy()])
    close(frames, np.stack(list(reposer.animate(photo, poses, source, crop=True))))
    np.testing.assert_array_equal(frames[2], frames[1])
    np.testing.assert_array_equal(frames[0], frames[1])
    assert np.abs(frames[4].astype(int) - frames[1]).mean() > 1
    crop = whole_crop(source, poses[[1, 3, 4, 5]], (150, 110), PERSON, 64, 64)
    place = Placement.of(photo, on_whole_pixels(crop, 64, 64), 64, 64)
    np.testing.assert_array_equal(found["canvas_to_image"], [[1, 0, place.columns.start], [0, 1, place.rows.start]])
    alone = signatures["sequence_crop"](
        source_joints=source[None], target_joints=poses[None], image_size=np.int32([[150, 110]])
    )
    np.testing.assert_allclose(alone["canvas_to_image"], crop[None], rtol=1e-5)


def test_poses_are_held_as_in_numpy():
    poses = np.random.default_rng(0).uniform(1, 9, (9, 14, 3)).astype(np.float32)
    poses[[0, 1, 4, 5, 8], :, 2] = 0
    poses[6, 1:, 2] = 0  # one joint is enough
    np.testing.assert_array_equal(held(tf.constant(poses)), driving_poses(poses, PERSON)[0])


def test_parts_in_one_crop_and_several_photos_are_the_whole(signatures, request_of, as_file, from_file):
    photo, source, poses = request_of(150, 110, 5, 4)
    other = request_of(100, 140, 5, 5)
    joints = {"source_joints": tf.constant([source, other[1]]), "target_joints": tf.constant([poses, other[2]])}
    whole = signatures["render_sequence"](image_bytes=tf.constant([as_file(photo), as_file(other[0])]), **joints)
    sizes = tf.constant([photo.shape[:2], other[0].shape[:2]], tf.int32)
    crops = signatures["sequence_crop"](**joints, image_size=sizes)["canvas_to_image"]
    assert whole["image_bytes"].shape == (2, 5) and whole["canvas_to_image"].shape == (2, 2, 3)
    parts = [
        signatures["render_sequence_in_crop"](
            image_bytes=tf.constant([as_file(photo)]),
            source_joints=tf.constant(source),
            target_joints=tf.constant(part),
            canvas_to_image=crops[0],
        )["image_bytes"].numpy()
        for part in (poses[:4], poses[4:])
    ]
    # Batches of other sizes may add in another order, so that a pixel differs by one level.
    together, apart = (
        np.stack([from_file(file) for file in files])
        for files in (whole["image_bytes"].numpy()[0], np.concatenate(parts))
    )
    close(apart, together)


def test_the_whole_photo_comes_in_the_format_asked_for_within_a_limit(
    signatures, exported, reposer, request_of, as_file
):
    photo, source, (target,) = request_of(150, 110, 1, 7)
    inputs = {"image_bytes": [as_file(photo)] * 2, "source_joints": [source] * 2, "target_joints": [target] * 2}
    found = signatures["repose_photo"](
        **{key: tf.constant(value) for key, value in inputs.items()}, image_format=tf.constant(["jpeg", "png"])
    )
    as_jpeg, as_png = (Image.open(io.BytesIO(file)) for file in found["image_bytes"].numpy())
    expected = reposer.synthesize(photo, target, source)
    assert (as_jpeg.format, as_png.format) == ("JPEG", "PNG")
    close(np.asarray(as_png), expected)
    assert np.abs(np.asarray(as_jpeg).astype(int) - expected).mean() < 4
    assert all(SOURCE_TYPE in str(file.info) for file in (as_jpeg, as_png))

    limited = Signatures(exported[2], exported[0].config, max_side=75).all
    one = {key: tf.constant(value[:1]) for key, value in inputs.items()}
    (small,) = limited["repose_photo"].function(**one, image_format=tf.constant(["png"]))["image_bytes"].numpy()
    assert Image.open(io.BytesIO(small)).size == (55, 75)
    part = limited["serving_default"].function(**one)
    # Half as large: a pixel of the answer is two of the photo, and corners are corners.
    matrix = part["canvas_to_image"][0].numpy()
    np.testing.assert_allclose(matrix[:, :2], 2 * np.eye(2), rtol=1e-6)
    assert ((matrix[:, 2] - 0.5) % 2 == 0).all()


def test_explain_shows_the_stages(signatures, exported, batch):
    inputs = batch(64, 64, batch=2)
    inputs = {key: inputs[key] for key in ("image", "source_joints", "target_joints")}
    pixels = np.uint8(np.round(127.5 * (inputs["image"] + 1)))
    found = signatures["explain"](**{key: tf.constant(value) for key, value in {**inputs, "image": pixels}.items()})
    expected = exported[2].explain({**inputs, "image": pixels / np.float32(127.5) - 1})
    assert set(found) == {"masks", "warped_layers", "background", "foreground", "alpha", "stillness", "image"}
    for name in set(found) - {"image"}:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-4)


def huge_png(side):
    """The header of a PNG of side x side pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def spoil_joint(position, value):
    def spoil(inputs):
        inputs["target_joints"][-1, 5, position] = value

    return spoil


def far_away(inputs):
    inputs["target_joints"][..., 1] += 4000


def set_to(**values):
    return lambda inputs: inputs.update(values)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (spoil_joint(0, np.nan), "no finite numbers"),
        (spoil_joint(2, 1.5), "visibility"),
        (far_away, "target pose lies outside the photo"),
        (set_to(source_joints=np.zeros((1, 14, 3), np.float32)), "source pose shows no joint"),
        (set_to(image_bytes=[b"GIF89a"]), "no JPEG and no PNG"),
        (set_to(image_bytes=[huge_png(30000)]), "more than 50000000 pixels"),
        (set_to(image_bytes=[huge_png(64)]), "PNG"),
    ],
    ids=["nan", "visibility", "outside", "nobody", "gif", "bomb", "truncated"],
)
def test_bad_requests_are_refused(signatures, request_of, as_file, spoil, sentence):
    photo, source, targets = request_of(90, 120, 1, 1)
    inputs = {"image_bytes": [as_file(photo)], "source_joints": source[None], "target_joints": targets}
    spoil(inputs)
    with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
        signatures["serving_default"](**{key: tf.constant(value) for key, value in inputs.items()})


def test_another_format_is_refused(signatures, request_of, as_file):
    photo, source, targets = request_of(90, 120, 1, 1)
    inputs = {"image_bytes": [as_file(photo)], "source_joints": source[None], "target_joints": targets}
    with pytest.raises(tf.errors.InvalidArgumentError, match="neither"):
        signatures["repose_photo"](**{key: tf.constant(value) for key, value in inputs.items()}, image_format=["gif"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda i: {"target_joints": i["target_joints"][0]}, "too few axes"),
        (lambda i: {"target_joints": i["target_joints"][:, :9]}, "another number of joints than 14 or 23"),
        (lambda i: {"target_joints": i["target_joints"][..., :2]}, "wrong shape"),
        (lambda i: {"source_joints": i["source_joints"][0]}, "source poses have the wrong shape"),
        (lambda i: {"target_joints": i["target_joints"][:0]}, "not in 1..256"),
        (lambda i: {"image_bytes": [i["image_bytes"]] * 2}, "not as many photos"),
        (lambda i: {"canvas_to_image": np.float32([[1, 0, 0], [0, 2, 0]])}, "positive s"),
    ],
    ids=["axes", "joints", "columns", "source", "empty", "photos", "crop"],
)
def test_bad_sequences_are_refused(signatures, request_of, as_file, change, sentence):
    photo, source, targets = request_of(90, 120, 3, 1)
    inputs = {"image_bytes": as_file(photo), "source_joints": source, "target_joints": targets}
    inputs["canvas_to_image"] = np.float32([[2, 0, 0], [0, 2, 0]])
    inputs |= change(inputs)
    with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
        signatures["render_sequence_in_crop"](**{key: tf.constant(value) for key, value in inputs.items()})


def test_fourteen_joints_are_a_body_without_hands_feet_and_face(small_lite, decided, request_of, as_file):
    config = load_config("lite", [*small_lite, "model.skeleton=body"])
    generator = build_generator(config.model)
    decided(generator)
    signatures = Signatures(generator, config).all
    for name in ("repose_photo", "serving_default", "synthesize", "encode_source", "render", "explain"):
        (*_, shape) = [spec.shape.as_list() for spec in signatures[name].inputs if spec.name.endswith("_joints")]
        assert shape == [None, None, 3 if name == "encode_source" else None], name
    photo, source, poses = request_of(90, 120, 3, 1)
    whole = [np.pad(joints, [*[(0, 0)] * (joints.ndim - 2), (0, 9), (0, 0)]) for joints in (source, poses)]
    sequence = signatures["render_sequence"]
    graph = tf.function(sequence.function, input_signature=sequence.inputs, autograph=False)
    expected = graph(as_file(photo), *whole)
    flat = np.pad(poses, [(0, 0), (0, 0), (0, 1)])
    for given in ((source, poses), (source, whole[1]), (whole[0], poses), (source, flat)):
        found = graph(as_file(photo), *given)
        np.testing.assert_array_equal(found["image_bytes"], expected["image_bytes"])
    # Hands do change it.
    whole[0][17:19] = whole[1][:, 17:19] = [60, 40, 1]
    assert (graph(as_file(photo), *whole)["image_bytes"].numpy() != expected["image_bytes"].numpy()).all()


def test_the_presets_have_all_signatures():
    config = load_config("tiny", ["model.network=unet"])
    signatures = Signatures(build_generator(config.model), config).all
    image, joints = np.full((2, 64, 64, 3), 90, np.uint8), np.ones((2, 14, 3), np.float32)
    joints = {"source_joints": joints, "target_joints": joints}
    found = tf.function(signatures["explain"].function)(image, **joints)
    assert set(found) == {"image"} and found["image"].shape == (2, 64, 64, 3)
