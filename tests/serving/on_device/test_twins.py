"""The page's arithmetic against the package's: crops, fitted motion, pixels, names. Needs Node alone."""

import json

import numpy as np
import pytest

from tf_unseen_pose.imaging.crop import whole_crop
from tf_unseen_pose.imaging.placement import Placement, on_whole_pixels
from tf_unseen_pose.imaging.provenance import png_chunks
from tf_unseen_pose.imaging.registration import mask_from_joints
from tf_unseen_pose.imaging.resampling import cut_out
from tf_unseen_pose.inference.demo import bundled
from tf_unseen_pose.inference.lite_file import metadata
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON
from tf_unseen_pose.pose.cut_off import inside_photo
from tf_unseen_pose.pose.joint_formats import blazepose_to_body
from tf_unseen_pose.pose.retargeting import retarget

SIDE = 256


@pytest.fixture
def page_says(node):
    """Calls a function of one of the page's modules with JSON: its answer."""

    def call(module, expression, *arguments):
        script = (
            f"const m = await import('./src/{module}'); const {{ readFile }} = await import('node:fs/promises');"
            f"const given = JSON.parse(await readFile('/dev/stdin')); console.log(JSON.stringify({expression}));"
        )
        return json.loads(node("--input-type=module", "-e", script, input=json.dumps(arguments)))

    return call


def _poses(count, seed, skeleton):
    """People somewhere in a photo, some joints absent: [count, J, 3]."""
    rng, joints = np.random.default_rng(seed), skeleton.joint_count
    poses = np.concatenate(
        [rng.uniform(-50, 900, (count, joints, 2)), rng.uniform(0.1, 1, (count, joints, 1))], axis=-1
    )
    # Hands and feet reach further than the rest. Of even seeds, people's calves and upper bodies are short: they are
    # measured by their box, and reach further than is usually shown.
    poses[:, 14:, :2] += rng.normal(0, 300, poses[:, 14:, :2].shape)
    if seed % 2 == 0:
        poses[:, [10, 13], :2] = poses[:, [9, 12], :2] + 20
        poses[:, 0, 1] = poses[:, [8, 11], 1].mean(axis=1) - 30
    poses[..., 2] *= rng.uniform(size=(count, joints)) > 0.15
    return poses.astype(np.float32)


def test_skeletons(page_says):
    joints, limbs = page_says("pose/skeleton.js", "[m.JOINTS, m.LIMBS]")
    assert joints == list(BODY.joints) and [limb["name"] for limb in limbs[:10]] == [limb.name for limb in PERSON.limbs]
    assert [(limb["name"], limb["joints"], limb["anchors"], limb["width"]) for limb in limbs] == [
        (limb.name, BODY.joint_index(*limb.joints), BODY.joint_index(*limb.anchors), limb.width) for limb in BODY.limbs
    ]
    given = [{"name": skeleton.name, "joints": skeleton.joints} for skeleton in (PERSON, BODY, GOLF)]
    tried = (
        "given.map((skeleton) => { try { return m.jointCountOf(skeleton); } catch (error) { return error.message; } })"
    )
    *counts, refused = page_says("pose/skeleton.js", tried, *given)
    assert counts == [14, 23] and "'golf'" in refused


def test_found_joints(page_says):
    rng = np.random.default_rng(2)
    # BlazePose's square of 256 pixels about a photo's region, with depth, visibility and presence as logits.
    marks = np.concatenate([rng.uniform(20, 236, (39, 2)), rng.normal(0, 9, (39, 1)), rng.normal(-1, 2, (39, 2))], 1)
    region = {"x": 127.5, "y": 127.5, "side": 256, "angle": 0}
    found = page_says("pose/blazepose.js", "m.jointsOf(...given)", marks.ravel().tolist(), region)
    landmarks = np.concatenate([marks[:33, :2] - 0.5, 1 / (1 + np.exp(-marks[:33, 3:4]))], axis=1)
    expected = blazepose_to_body(landmarks)
    assert (expected[:, 2] == 0).any() and np.allclose(found, expected, atol=1e-3)
    # Just within the border's pixels and just beyond them.
    for joint, x in ((0, 179.4), (1, 179.6), (2, -0.4), (3, -0.6)):
        found[joint][:3] = expected[joint, :3] = [x, 50, 1]
    inside = page_says("pose/skeleton.js", "m.insidePhoto(...given)", found, {"width": 180, "height": 140})
    kept = inside_photo(expected, 180, 140)
    assert 0 < (kept[:, 2] > 0).sum() < (expected[:, 2] > 0).sum() and np.allclose(inside, kept, atol=1e-3)


def test_the_mark_of_saved_pictures(page_says):
    assert bytes(page_says("ui/provenance.js", "m.CHUNKS.flatMap((chunk) => [...chunk])")) == png_chunks()


@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_crops(page_says, count):
    cases, expected = [], []
    for seed, (height, width) in enumerate([(3000, 3000), (500, 900), (900, 500), (850, 850)]):
        skeleton = (PERSON, BODY)[(seed + count) % 2]
        source, targets = _poses(1, seed, skeleton)[0], _poses(count, 100 + seed, skeleton)
        cases.append([source.tolist(), targets.tolist(), {"width": width, "height": height}])
        expected.append(whole_crop(source, targets, (height, width), skeleton, SIDE, SIDE)[[0, 0, 1], [0, 2, 2]])
    crops = page_says("geometry/crop.js", "given.map((each) => m.wholeCrop(...each))", *cases)
    assert np.allclose([[crop["step"], crop["x"], crop["y"]] for crop in crops], expected, rtol=1e-5, atol=1e-3)


def test_fitted_motion(page_says):
    _, source, motion = bundled()
    driving = motion.joints.copy()
    driving[3:6, 4, 2] = driving[0, 9, 2] = driving[7:, 17, 2] = driving[9, 19:21, 2] = 0
    # Whose hands are not seen, and who stands on one toe.
    other = _poses(1, 3, BODY)[0]
    other[17:22, 2] = 0
    cases = [
        (driving, source[:, :3], BODY), (driving, other, BODY), (driving[:, :14], source[:, :3], BODY),
        (driving, source[:14, :3], PERSON), (driving[:9], _poses(1, 3, PERSON)[0], PERSON),
    ]  # fmt: skip
    given = [[poses.tolist(), person.tolist()] for poses, person, _ in cases]
    fitted = page_says("pose/retarget.js", "given.map((each) => m.retarget(...each))", *given)
    for found, case in zip(fitted, cases, strict=True):
        assert np.allclose(found, retarget(*case), atol=1e-2)


def test_where_a_person_may_be(page_says):
    _, source, _ = bundled()
    # Another one with crossed shoulders and a long nose, whose right arm, one calf, one foot and one ear are not seen.
    other = source[:, :3].copy()
    other[[2, 5]] = other[[5, 2]]
    other[14, 0] -= 90
    other[[4, 13, 15, 21], 2] = 0
    people = (source[:, :3], BODY), (other, BODY), (other[:14], PERSON)
    said = page_says(
        "geometry/person.js",
        "given.map((joints) => [...m.besidePerson(joints, { width: 540, height: 630 }, 0)])",
        *(joints.tolist() for joints, _ in people),
    )
    for (joints, skeleton), beside in zip(people, said, strict=True):
        mask = mask_from_joints(joints, skeleton, 630, 540) > 0
        assert mask.mean() > 0.05
        assert ((np.reshape(beside, mask.shape) == 0) != mask).sum() < 0.03 * mask.sum()


@pytest.mark.parametrize("step, x, y", [(0.61, 31.4, 17.8), (1.37, -120.3, -33.6), (3.3, 150.2, -20.1), (0.001, 5, 5)])
def test_placements(page_says, step, x, y):
    photo = np.zeros((301, 233, 3), np.uint8)
    crop = on_whole_pixels(np.array([[step, 0, x], [0, step, y]], np.float32), SIDE, SIDE)
    place = Placement.of(photo, crop, SIDE, SIDE)
    said = page_says(
        "geometry/placement.js",
        "[m.onWholePixels(given[1]), new m.Placement(given[0], m.onWholePixels(given[1]))].flatMap((made, i) => i ? "
        "[made, made.crop, [0, 1].map((axis) => [...made.fade(axis)]), [0, 1].map((axis) => { const { low, part } = "
        "made.axis(axis, 37); return [...low].map((cell, i) => cell + part[i]); })] : made)",
        {"width": 233, "height": 301},
        {"step": float(np.float32(step)), "x": float(np.float32(x)), "y": float(np.float32(y))},
    )
    placed, made, own, fades, positions = said
    assert placed == {"step": crop[0, 0], "x": crop[0, 2], "y": crop[1, 2]}
    assert (tuple(made["corner"]), tuple(made["size"])) == (place.corner, place.size)
    assert [*zip(made["start"], made["stop"], strict=True)] == [(s.start, s.stop) for s in (place.columns, place.rows)]
    assert [own["step"], own["x"], own["y"]] == [place.scale, *place.canvas_to_covered[:, 2]]
    for axis, side in enumerate((233, 301)):
        assert np.allclose(fades[axis], place.fade(axis, side), atol=1e-6)
        low, part = place.axis(axis, 37)
        assert np.allclose(positions[axis], low + part, atol=1e-5)


def test_what_a_model_file_says_about_itself(page_says, model_file):
    said = page_says("engine/model_file.js", "m.about(await readFile(given[0]))", str(model_file))
    assert said == json.loads(metadata(model_file.read_bytes())) and said["alpha_steepness"] > 1


@pytest.mark.parametrize("step", [0.7, 1.6, 3.4])
def test_canvases(page_says, step):
    image, *_ = bundled()
    crop = np.array([[step, 0, -30.3], [0, step, 12.6]], np.float32)
    photo = {"width": image.shape[1], "height": image.shape[0]}
    photo["data"] = np.dstack([image, np.full_like(image[..., :1], 255)]).ravel().tolist()
    place = {"step": float(crop[0, 0]), "x": float(crop[0, 2]), "y": float(crop[1, 2])}
    canvas = np.array(page_says("geometry/resample.js", "[...m.cutOut(...given)]", photo, place)).reshape(SIDE, SIDE, 4)
    assert np.abs(canvas[..., :3] - np.int16(cut_out(image, crop, SIDE, SIDE))).mean() < 1.5
