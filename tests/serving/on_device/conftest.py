"""The page, built by Node, served as plain files, in Debian's Chromium."""

import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.browser import served
from tf_unseen_pose.inference.lite_file import LiteFile

PAGE = Path(__file__).parents[3] / "serving/on_device"
MODELS = Path(os.environ.get("TFLITE_FOLDER", PAGE.parents[1] / "saved_models/lite/tflite"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LEAST_NODE = (20, 19)
# Machines that run tests beside other work are slow.
TIMEOUT = 60_000


@pytest.fixture(scope="session")
def node():
    """Runs a program of Node's in the page's folder: its output."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("needs Node.js (apt-get install nodejs npm)")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(map(int, version[1:].split(".")[:2])) < LEAST_NODE:
        pytest.skip(f"needs Node.js {'.'.join(map(str, LEAST_NODE))} or later, and this is {version}")

    def run(*arguments, program=program, **options):
        done = subprocess.run([program, *arguments], cwd=PAGE, capture_output=True, text=True, **options)
        assert done.returncode == 0, f"{' '.join(arguments)[:80]}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def model_file():
    """The .tflite file that the page takes of a folder."""
    for kind in ("float16", "float32", ""):
        if found := sorted(MODELS.glob(f"*{kind}*.tflite")):
            return found[0]
    return pytest.skip(f"needs a .tflite file in {MODELS} (python -m tf_unseen_pose export lite --tflite)")


@pytest.fixture(scope="session")
def skeleton(model_file):
    """Whose poses that file takes."""
    return LiteFile.open(model_file).skeleton


@pytest.fixture(scope="session")
def built(node, model_file):
    """The folder of plain files that a server gets."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm (apt-get install npm)")
    if not _installed():
        reachable = subprocess.run([npm, "ping", "--fetch-retries=0"], cwd=PAGE, capture_output=True, timeout=60)
        if reachable.returncode != 0:
            pytest.skip("needs npm's registry, once, for the page's packages")
        node("ci", "--no-audit", "--no-fund", program=npm, timeout=300)
    node("run", "build", program=npm, timeout=120, env={**os.environ, "TFLITE_FOLDER": str(MODELS)})
    return PAGE / "dist"


def _installed():
    """Whether node_modules is what package-lock.json says."""
    lock, installed = PAGE / "package-lock.json", PAGE / "node_modules/.package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


@pytest.fixture(scope="session")
def page_sources():
    """The folder of the page's modules, which browsers read as they are."""
    return PAGE / "src"


@pytest.fixture(scope="session")
def headers(node):
    """The headers that are advised to servers."""
    return json.loads(node("-e", "import('./headers.js').then(({ HEADERS }) => console.log(JSON.stringify(HEADERS)))"))


@pytest.fixture(scope="session")
def site(built, headers):
    """The page's address where a server sends the advised headers."""
    with served(built, headers) as address:
        yield address


@pytest.fixture(scope="session")
def plain_site(built):
    """The page's address where a server sends none."""
    with served(built, {}) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    """Chromium that reaches nothing but this machine."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright (requirements-browser.txt)")
    if CHROMIUM is None:
        pytest.skip("needs Chromium (apt-get install chromium)")
    # Root, as CI is, may not use the sandbox; the names of other hosts are not resolved.
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def open_page(browser):
    """Opens the page at an address, with options of Playwright's contexts; `ready` waits until it works."""
    opened = []

    def call(address, ready=True, **options):
        opened.append(Page(browser, address, **options))
        return opened[-1].open() if ready else opened[-1]

    yield call
    for page in opened:
        page.close()


@pytest.fixture(scope="session")
def psnr():
    """Decibels between uint8 pictures."""
    return lambda one, other: 10 * np.log10(255**2 / max(1e-9, np.mean((np.float64(one) - other) ** 2)))


class Page:
    """An open page.

    Attributes:
        tab: Playwright's page.
        errors: what the console called errors, and exceptions that nobody caught.
        requests: the addresses that were asked for.
    """

    def __init__(self, browser, address, **options):
        self._context = browser.new_context(accept_downloads=True, **options)
        self.tab = self._context.new_page()
        self.tab.set_default_timeout(TIMEOUT)
        self.errors, self.requests = [], []
        self.tab.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.address = address

    def open(self):
        """Loads the page and waits until the example is re-posed."""
        self.tab.goto(self.address)
        self.settle()
        return self

    def settle(self):
        """Waits until all pictures that were asked for are there."""
        self.tab.locator("#stage[aria-busy=false]").wait_for()

    def close(self):
        self._context.close()

    def joint(self, name):
        return self.tab.locator(f"[data-joint={name}]")

    def centre(self, name):
        """Where a joint is on the screen."""
        box = self.joint(name).bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(self, name, dx, dy, steps=5):
        """Drags a joint by so many pixels of the screen."""
        x, y = self.centre(name)
        mouse = self.tab.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + dx, y + dy, steps=steps)
        mouse.up()
        self.settle()

    def choose(self, content, name="photo.png", field="#file"):
        """Gives the page a file."""
        kind = "image/png" if name.endswith("png") else "image/jpeg"
        self.tab.locator(field).set_input_files({"name": name, "mimeType": kind, "buffer": content})

    def saved(self, button):
        """The file that a button saves."""
        with self.tab.expect_download() as download:
            self.tab.locator(button).click()
        return download.value.path().read_bytes()

    def picture(self):
        """The picture as it is saved: uint8 [H, W, 3]."""
        return np.asarray(Image.open(io.BytesIO(self.saved("#save-png"))).convert("RGB"))

    def pose(self):
        """The target pose as it is saved: float32 [J, 3]."""
        return np.array(json.loads(self.saved("#save-pose"))["poses"][0]["joints"], np.float32)

    def error(self):
        """The sentence that says what went wrong."""
        self.tab.locator("#error").wait_for()
        return self.tab.locator("#error").inner_text()


@pytest.fixture(scope="module")
def page(open_page, site):
    return open_page(site)


@pytest.fixture(autouse=True)
def starts_from_the_photo(request):
    if "page" in request.fixturenames:
        page = request.getfixturevalue("page")
        page.tab.get_by_label("Result").check()
        page.tab.locator("#example").click()
        page.tab.locator("#guide").wait_for(state="hidden")
        page.tab.locator("#pose-controls:enabled").wait_for()
        page.settle()
