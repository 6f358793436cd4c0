"""The page's arithmetic against the package's: crops, fitted motion, pixels, names. Needs Node alone."""

import json

import numpy as np
import pytest

from tf_unseen_pose.imaging.compositing import Placement, on_whole_pixels
from tf_unseen_pose.imaging.crop import whole_crop
from tf_unseen_pose.imaging.provenance import png_chunks
from tf_unseen_pose.imaging.registration import mask_from_joints
from tf_unseen_pose.imaging.resampling import cut_out
from tf_unseen_pose.inference.demo import bundled
from tf_unseen_pose.inference.lite_file import metadata
from tf_unseen_pose.known_skeletons import PERSON
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


def _poses(count, seed):
    """People somewhere in a photo, some joints absent: [count, 14, 3]."""
    rng = np.random.default_rng(seed)
    poses = np.concatenate([rng.uniform(-50, 900, (count, 14, 2)), rng.uniform(0.1, 1, (count, 14, 1))], axis=-1)
    poses[..., 2] *= rng.uniform(size=(count, 14)) > 0.15
    return poses.astype(np.float32)


def test_names_and_limbs(page_says):
    assert page_says("pose/skeleton.js", "m.JOINTS") == list(PERSON.joints)
    assert page_says("pose/skeleton.js", "m.LIMBS") == [limb.name for limb in PERSON.limbs]


def test_the_mark_of_saved_pictures(page_says):
    assert bytes(page_says("ui/provenance.js", "m.CHUNKS.flatMap((chunk) => [...chunk])")) == png_chunks()


@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_crops(page_says, count):
    for seed, (height, width) in enumerate([(3000, 3000), (500, 900), (900, 500), (850, 850)]):
        source, targets = _poses(1, seed)[0], _poses(count, 100 + seed)
        photo = {"width": width, "height": height}
        crop = page_says("geometry/crop.js", "m.wholeCrop(...given)", source.tolist(), targets.tolist(), photo)
        expected = whole_crop(source, targets, (height, width), PERSON, SIDE, SIDE)
        assert [crop["step"], crop["x"], crop["y"]] == pytest.approx(
            [expected[0, 0], *expected[:, 2]], rel=1e-5, abs=1e-3
        )


def test_fitted_motion(page_says):
    _, source, motion = bundled()
    driving = motion.joints.copy()
    driving[3:6, 4, 2] = driving[0, 9, 2] = 0
    for person in (source[:, :3], _poses(1, 3)[0]):
        fitted = page_says("pose/retarget.js", "m.retarget(...given)", driving.tolist(), person.tolist())
        assert np.allclose(fitted, retarget(driving, person, PERSON), atol=1e-2)


def test_where_a_person_may_be(page_says):
    _, source, _ = bundled()
    # Another one, whose shoulders are crossed and whose right arm and one calf are not seen.
    other = source[:, :3].copy()
    other[[2, 5]] = other[[5, 2]]
    other[[4, 13], 2] = 0
    size = {"width": 540, "height": 630}
    for joints in (source[:, :3], other):
        beside = page_says("geometry/person.js", "[...m.besidePerson(...given)]", joints.tolist(), size, 0)
        mask = mask_from_joints(joints, PERSON, 630, 540) > 0
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
