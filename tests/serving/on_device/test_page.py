"""The page in Chromium: a photo in, a joint dragged, the person follows as they do in Python."""

import io
import json

import cv2
import numpy as np
import pytest
from color_profiles import formula, profile
from PIL import Image

from tf_unseen_pose import Reposer
from tf_unseen_pose.data.synthetic.scene import draw_scene
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.background_plate import placed
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.imaging.registration import mask_from_joints
from tf_unseen_pose.inference.demo import bundled
from tf_unseen_pose.inference.lite_file import LiteFile
from tf_unseen_pose.inference.lite_networks import LiteNetworks
from tf_unseen_pose.known_skeletons import BODY

JOINTS = BODY.joints


@pytest.fixture(scope="module")
def python(model_file):
    """Of a photo, its joints and a plate, a function that gives the photo in another pose, by the page's own file."""
    reposer = Reposer(LiteNetworks(LiteFile.open(model_file)), sharp_hole=False)
    return lambda photo, source, plate=None: reposer.live(photo, source[None, :, :3], source[:, :3], plate)


def test_a_dragged_wrist_moves_the_person_as_in_python(page, python, psnr, skeleton):
    image, source, _ = bundled()
    posed = python(image, source)
    before, pose_before = page.picture(), page.pose()
    page.drag("left_wrist", -30, 60)
    assert page.tab.locator(".joint.meant").get_attribute("data-joint") == "left_wrist"
    after, pose_after = page.picture(), page.pose()

    assert page.tab.locator(".joint:visible").count() == len(pose_after) == skeleton.joint_count
    moved = skeleton.joint_index(*(name for name in ("left_wrist", "left_hand") if name in skeleton.joints))
    assert np.abs(pose_after - pose_before)[moved, :2].min() > 10
    assert np.allclose(np.delete(pose_after, moved, 0), np.delete(pose_before, moved, 0), atol=0.02)
    assert psnr(before, after) < 40
    for picture, pose in ((before, pose_before), (after, pose_after)):
        assert psnr(picture, posed(pose)) >= 50
    # Beside the canvas the photo stays as it is.
    assert np.array_equal(after[:, :4], image[:, :4])


# What a browser without WebGL 2 answers.
_NO_GRAPHICS = """{
  const own = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return kind === 'webgl2' ? null : own.call(this, kind, ...rest);
  };
}"""
# Keeps hold of what the page draws with.
_HELD_GRAPHICS = """{
  const own = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    const context = own.call(this, kind, ...rest);
    if (kind === 'webgl2') window.losing = context.getExtension('WEBGL_lose_context');
    return context;
  };
}"""


def _cut_person():
    """A photo of odd sides, whose border cuts the person, and the joints that are left."""
    image, source, _ = bundled()
    (left, top), (right, bottom) = (61, 13), (520, 418)
    joints = source[:, :3] - np.float32([left, top, 0])
    photo = np.ascontiguousarray(image[top:bottom, left:right])
    outside = ((joints[:, :2] < 0) | (joints[:, :2] > [right - left - 1, bottom - top - 1])).any(axis=1)
    assert outside.any()
    joints[outside] = 0
    return photo, joints


def _open_with(open_page, site, script, content):
    """The page in a browser that a script has changed, with the cut person in such a file for an example."""
    _, joints = _cut_person()
    other = open_page(site, ready=False)
    other.tab.add_init_script(script)
    other.tab.route("**/demo/person.jpg", lambda route: route.fulfill(body=content, content_type="image/png"))
    example = json.dumps({"poses": [{"joints": joints.tolist()}]})
    other.tab.route("**/demo/person.json", lambda route: route.fulfill(body=example, content_type="application/json"))
    return other.open()


def _awkward(photo, kind):
    """The photo as a phone or an editor may write it: turned, in colours of its own, seen through."""
    embedded = profile(formula(3, 2.4, 0.947867, 0.052133, 0.077399, 0.04045))
    if kind == "JPEG":
        exif = Image.Exif()
        exif[0x0112] = 6
        options = {"exif": exif, "quality": 95, "subsampling": 0}
        # Turned clockwise by who shows it.
        return Image.fromarray(np.ascontiguousarray(np.rot90(photo))), options | {"icc_profile": embedded}
    opacity = np.linspace(90, 255, photo[..., 0].size).reshape(photo.shape[:2])
    return Image.fromarray(np.dstack([photo, np.uint8(opacity)])), {"icc_profile": embedded}


@pytest.mark.parametrize(
    "script, slow, kind", [(_HELD_GRAPHICS, False, "JPEG"), (_NO_GRAPHICS, True, "PNG")], ids=["graphics", "none"]
)
def test_the_photo_s_own_pixels_are_moved_as_in_python(open_page, site, python, psnr, tmp_path, script, slow, kind):
    photo, joints = _cut_person()
    image, options = _awkward(photo, kind)
    image.save(tmp_path / "photo", kind, **options)
    page = _open_with(open_page, site, script, (tmp_path / "photo").read_bytes())
    photo = load_image(tmp_path / "photo")
    page.drag("right_elbow", -25, -30)
    picture, posed = page.picture(), python(photo, joints)
    assert picture.shape == photo.shape and psnr(picture, photo) < 35
    assert psnr(picture, posed(page.pose())) >= 50
    assert page.tab.locator("#drawing").is_visible() == slow
    assert page.errors == []


def test_graphics_may_be_lost_and_come_back(open_page, site, psnr, as_file):
    page = _open_with(open_page, site, _HELD_GRAPHICS, as_file(_cut_person()[0]))
    page.drag("right_elbow", -25, -30)
    pictures, sentence = [page.picture()], page.tab.locator("#drawing")
    page.tab.evaluate("losing.loseContext()")
    sentence.wait_for()
    pictures.append(page.picture())
    page.drag("left_wrist", 20, 10)
    pictures.append(page.picture())
    page.tab.evaluate("losing.restoreContext()")
    sentence.wait_for(state="hidden")
    pictures.append(page.picture())
    assert psnr(*pictures[:2]) > 60 and psnr(*pictures[2:]) > 60 and psnr(*pictures[1:3]) < 50
    assert page.errors == []


def _behind_the_example():
    """A scene that is the example's wherever no person is, and where the person surely is: bool [H, W]."""
    image, source, _ = bundled()
    mask = mask_from_joints(source[:, :3], BODY, *image.shape[:2])
    plate = np.where(mask[..., None] > 0, image[::-1, ::-1], image)
    return plate, cv2.erode(mask, np.ones((25, 25))) > 0


def test_a_plate_fills_the_hole_as_in_python(page, python, psnr, as_file):
    image, source, _ = bundled()
    plate, person = _behind_the_example()
    page.choose(as_file(plate), field="#plate")
    page.tab.locator("#plate-remove").wait_for()
    page.drag("left_wrist", -40, 50)
    picture, expected = page.picture(), python(image, source, plate)(page.pose())
    assert psnr(picture, expected) >= 50 and psnr(picture[person], expected[person]) >= 40
    assert psnr(expected, python(image, source)(page.pose())) < 40
    page.tab.get_by_label("The scene without the person", exact=True).check()
    assert psnr(page.picture()[person], plate[person]) >= 40
    assert page.errors == []


def test_a_plate_of_another_scene_changes_nothing_and_one_that_fits_may_be_removed(page, psnr, as_file):
    def scene():
        page.tab.get_by_label("The scene without the person", exact=True).check()
        return page.picture()

    image, source, _ = bundled()
    painted, plate, other = scene(), as_file(_behind_the_example()[0]), draw_scene(np.random.default_rng(5), 300, 400)
    with pytest.raises(UserError) as refused:
        placed(other, image, mask_from_joints(source[:, :3], BODY, *image.shape[:2]))
    page.choose(as_file(other), field="#plate")
    assert page.error() == str(refused.value)
    page.settle()
    remove = page.tab.locator("#plate-remove")
    assert remove.is_hidden() and np.array_equal(scene(), painted)
    # A new photo has no plate, either.
    for without in (remove, page.tab.locator("#example")):
        page.choose(plate, field="#plate")
        remove.wait_for()
        page.settle()
        assert psnr(scene(), painted) < 30
        without.click()
        remove.wait_for(state="hidden")
        page.tab.locator("#pose-controls:enabled").wait_for()
        page.settle()
        assert np.array_equal(scene(), painted)
    assert page.errors == []


def test_nothing_is_asked_of_another_host_and_nothing_fails(page, site):
    page.drag("right_wrist", 20, -40)
    assert page.errors == []
    assert [address for address in page.requests if not address.startswith((site, f"blob:{site}"))] == []


def test_the_policy_forbids_other_hosts(page):
    fetched = page.tab.evaluate(
        "fetch('http://127.0.0.2:9/').then(() => 'sent', (error) => 'refused: ' + error.message)"
    )
    assert fetched.startswith("refused")
    assert any("Content Security Policy" in error for error in page.errors)
    page.errors.clear()


def test_an_elbow_takes_its_hand_along(page):
    before = page.pose()
    page.drag("right_elbow", 15, 20)
    moved = (page.pose() - before)[JOINTS.index("right_elbow") : JOINTS.index("right_wrist") + 1, :2]
    assert np.allclose(moved[0], moved[1], atol=0.05) and moved.min() > 5


def test_arrow_keys_move_the_joint_in_focus(page):
    before = page.pose()
    page.joint("head").focus()
    page.tab.keyboard.press("ArrowUp")
    page.tab.keyboard.press("Shift+ArrowLeft")
    page.settle()
    moved = (page.pose() - before)[0, :2]
    assert moved[1] < -1 and moved[0] == pytest.approx(5 * moved[1], rel=0.02)
    assert "head, " in page.joint("head").get_attribute("aria-label")


def test_without_headers_it_runs_on_one_thread_and_makes_the_same(open_page, plain_site, page, psnr):
    alone = open_page(plain_site)
    assert "one thread" in alone.tab.locator("#speed").inner_text()
    assert "several threads" in page.tab.locator("#speed").inner_text()
    assert psnr(alone.picture(), page.picture()) > 50
    assert alone.errors == []


def test_a_browser_without_webassembly_is_told(open_page, site):
    old = open_page(site, ready=False)
    old.tab.add_init_script("delete window.WebAssembly")
    old.tab.goto(site)
    assert "no WebAssembly" in old.error()


def test_masks_layers_and_background_are_shown(page, psnr, skeleton):
    shown = {}
    for label in ("Photo", "Masks and layers", "The scene without the person"):
        page.tab.get_by_label(label, exact=True).check()
        shown[label] = page.picture()
        assert page.tab.locator("#layers figure").count() == (skeleton.limb_count if label.startswith("Masks") else 0)
    image, *_ = bundled()
    assert psnr(shown["Photo"], image) > 45
    assert psnr(shown["Masks and layers"], image) < 30
    assert psnr(shown["The scene without the person"], image) < 30


def test_saved_pictures_say_whether_they_are_synthetic(page):
    for label, synthetic in (("Result", True), ("Photo", False), ("The scene without the person", True)):
        page.tab.get_by_label(label, exact=True).check()
        with Image.open(io.BytesIO(page.saved("#save-png"))) as image:
            image.verify()
            assert image.info.get("Comment", "").startswith("Synthetic") == synthetic
            assert (b"compositeWithTrainedAlgorithmicMedia" in image.info.get("xmp", b"")) == synthetic


def test_a_motion_plays_and_is_filmed(page):
    page.tab.select_option("#motion", "wave")
    # A click on what lies below would scroll the page, and the wrist with it.
    page.tab.locator("#play").scroll_into_view_if_needed()
    before, place = page.centre("left_wrist"), page.joint("left_wrist").get_attribute("style")
    page.tab.locator("#play").click()
    moved = "(place) => document.querySelector('[data-joint=left_wrist]').getAttribute('style') !== place"
    page.tab.wait_for_function(moved, arg=place)
    page.tab.locator("#play").click()
    page.settle()
    assert page.centre("left_wrist") == pytest.approx(before, abs=1)
    video = page.saved("#save-video")
    assert len(video) > 20_000 and (b"ftyp" in video[:16] or video.startswith(b"\x1a\x45\xdf\xa3"))
    assert page.errors == []
