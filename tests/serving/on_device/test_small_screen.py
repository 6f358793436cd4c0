"""The page on a phone, and for people who use other means than eyes and a mouse."""

import pytest

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


@pytest.fixture(scope="module")
def phone(open_page, site):
    return open_page(site, **PHONE)


def test_all_fits_the_width(phone):
    assert phone.tab.evaluate("document.documentElement.scrollWidth") <= 390
    picture = phone.tab.locator("#picture").bounding_box()
    assert picture["width"] > 300
    for control in phone.tab.locator("form button:visible, form select:visible, form .button:visible").all():
        box = control.bounding_box()
        assert box["height"] >= 40 and box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_a_finger_drags_a_joint(phone):
    before = phone.pose()
    x, y = phone.centre("left_wrist")
    touch = phone.tab.context.new_cdp_session(phone.tab)
    # Beside the dot: fingers are broad.
    points = [("touchStart", x + 8, y + 6), *(("touchMove", x + 8 + 4 * i, y + 6 + 6 * i) for i in range(1, 6))]
    for kind, px, py in points:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": px, "y": py}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    phone.settle()
    moved = (phone.pose() - before)[7, :2]
    scale = 540 / phone.tab.locator("#picture").bounding_box()["width"]
    assert moved == pytest.approx([20 * scale, 30 * scale], abs=1.5)


@pytest.mark.parametrize("state", ["example", "masks", "guide", "error"])
def test_axe_finds_nothing_serious(phone, node, state):
    phone.tab.locator("#example").click()
    phone.tab.locator("#pose-controls:enabled").wait_for()
    phone.settle()
    {
        "example": lambda: None,
        "masks": lambda: phone.tab.get_by_label("Masks and layers").check(),
        "guide": lambda: phone.tab.locator("#replace").click(),
        "error": lambda: (phone.choose(b"nothing"), phone.error()),
    }[state]()
    phone.tab.evaluate(node("-p", "require('fs').readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')"))
    found = phone.tab.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    grave = [
        (rule["id"], rule["help"], rule["nodes"][0]["html"])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
    assert grave == []
    if state == "masks":
        phone.tab.get_by_label("Result").check()
