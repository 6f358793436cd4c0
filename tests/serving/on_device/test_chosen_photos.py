"""Photos that a user gives the page: people found, joints placed by hand, and what is no photo."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.inference.demo import bundled


def test_the_person_of_a_photo_is_found(page, as_file):
    _, source, _ = bundled()
    _choose_twice(page, as_file)
    page.settle()
    found = page.pose()
    away = np.hypot(*(found[:, :2] - (2 * source[: len(found), :2] + 0.5)).T)
    assert np.median(away) < 20 and away.max() < 60
    assert page.errors == []


def _choose_twice(page, as_file):
    """Gives the page the example in twice its size, and waits until it is taken."""
    image, *_ = bundled()
    sides = [2 * side for side in image.shape[1::-1]]
    page.choose(as_file(np.asarray(Image.fromarray(image).resize(sides, Image.Resampling.BICUBIC))), "twice.png")
    page.tab.locator(f"#picture[width='{sides[0]}']").wait_for()
    page.tab.locator("#pose-controls:enabled").wait_for()


def test_of_two_photos_the_one_asked_for_last_is_taken(page, as_file):
    """The example comes from a server, a file at once."""
    held = []
    page.tab.route("**/demo/person.jpg", lambda route: held.append(route))
    page.tab.locator("#example").click()
    # It is on its way from the click on: nothing that is shown now is the answer.
    assert page.tab.locator("#stage").get_attribute("aria-busy") == "true"
    _choose_twice(page, as_file)
    chosen = page.pose()
    (route,) = held
    with page.tab.expect_response("**/demo/person.jpg"):
        route.continue_()
    page.tab.unroute("**/demo/person.jpg")
    page.settle()
    assert np.array_equal(page.pose(), chosen)


def test_joints_are_placed_anew_though_a_picture_is_still_being_made(page, psnr):
    x, y = page.centre("left_wrist")
    page.tab.mouse.move(x, y)
    page.tab.mouse.down()
    page.tab.mouse.move(x + 40, y - 40)
    page.tab.evaluate("document.querySelector('#replace').click()")
    page.tab.mouse.up()
    page.tab.wait_for_timeout(1000)
    assert page.tab.locator("#guide-prompt").inner_text().startswith("1 of 14")
    assert page.tab.locator(".joint:visible").count() == 0
    image, *_ = bundled()
    shown = page.tab.evaluate("document.querySelector('#picture').toDataURL().split(',')[1]")
    assert psnr(np.asarray(Image.open(io.BytesIO(base64.b64decode(shown))).convert("RGB")), image) > 45


def test_what_the_networks_run_on_may_change_while_joints_are_placed(page):
    page.tab.locator("#replace").click()
    page.tab.locator("#accelerator").dispatch_event("change")
    page.tab.get_by_text("Loading …").wait_for()
    page.tab.get_by_text("Place the joints on the person.").wait_for()
    assert page.tab.locator("#guide-prompt").inner_text().startswith("1 of 14")
    assert page.tab.locator("#pose-controls:disabled").count() == 1


def test_where_nobody_is_found_the_joints_are_placed_by_hand(page, as_file):
    noise = np.random.default_rng(0).integers(0, 255, (300, 240, 3), np.uint8)
    page.choose(as_file(noise))
    guide = page.tab.locator("#guide")
    guide.wait_for()
    prompt = page.tab.locator("#guide-prompt")
    assert "1 of 14: tap the top of the head" in prompt.inner_text()
    box = page.tab.locator("#picture").bounding_box()
    page.tab.locator("#picture").click(position={"x": 5, "y": 5})
    page.tab.locator("#guide-back").click()
    for number, (x, y) in enumerate(_standing()):
        if number == 13:
            page.tab.locator("#guide-skip").click()
        else:
            page.tab.locator("#picture").click(position={"x": x * box["width"], "y": y * box["height"]})
    guide.wait_for(state="hidden")
    page.settle()
    pose = page.pose()
    assert np.allclose(pose[:13, :2], np.array(_standing())[:13] * [240, 300], atol=1.5)
    assert (pose[:13, 2] == 1).all() and (pose[13:, 2] == 0).all()
    assert page.tab.locator(".joint:visible").count() == 14


def _standing():
    return [
        (0.50, 0.12), (0.50, 0.22), (0.40, 0.25), (0.33, 0.38), (0.30, 0.50), (0.60, 0.25), (0.67, 0.38),
        (0.70, 0.50), (0.44, 0.52), (0.43, 0.70), (0.42, 0.88), (0.56, 0.52), (0.57, 0.70), (0.58, 0.88),
    ]  # fmt: skip


def _huge():
    """A small PNG file that unpacks to 400 million pixels."""
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "no photo"),
        (b"GIF89a is what it says", "no photo"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "no photo"),
        (_huge(), "400 million pixels"),
    ],
    ids=["empty", "text", "broken", "huge"],
)
def test_a_bad_photo_is_refused_in_a_sentence(page, content, words):
    page.choose(content)
    sentence = page.error()
    assert words in sentence and sentence.endswith(".") and ". " not in sentence
    # The photo before it is still there.
    page.drag("left_ankle", 10, 5)
    assert page.errors == []
