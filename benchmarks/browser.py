"""How many pictures a second the page of serving/on_device makes in Chromium, with threads and without.

    make web                                                  builds the page (stop it when it serves)
    python -m benchmarks.browser [--site serving/on_device/dist ...] [--pictures 100] [--side 1280]

Medians in milliseconds: from the key that moves a joint until the photo's pixels can be read, and what the page itself
says; and the time of all cores that Chromium took for a picture, which other work disturbs less. Several folders, of
this version of the page and another, are measured in turns, so that what else the machine does meets them alike.
Chromium draws without a graphics card here: its WebGL is SwiftShader's.
"""

import argparse
import functools
import io
import json
import statistics
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
from PIL import Image

from tf_unseen_pose.inference.bundled import bundled

PAGE = Path(__file__).parents[1] / "serving/on_device"
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, nargs="+", default=[PAGE / "dist"])
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--side", type=int, default=1280, help="the photo's longer side in pixels (%(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each folder's turn comes (%(default)s)")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()

    # Only here: tests use `served` and say themselves what is missing.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        print(f"Chromium {browser.version}, {_processor()}")
        for headers in (ISOLATED, {}):
            for site in options.site * options.rounds:
                print(json.dumps({"site": str(site), **_measured(browser, site, options, headers)}))
        browser.close()


# Nudges a joint by the keyboard, so often, and waits for every picture: milliseconds.
_NUDGE = """async (count) => {
  const stage = document.querySelector('#stage'), joint = document.querySelector('[data-joint=left_wrist]');
  const context = document.querySelector('#picture').getContext('2d'), times = [];
  const busy = () => stage.getAttribute('aria-busy') !== 'false';
  const settled = () => new Promise((resolve) => {
    const observer = new MutationObserver(() => { if (!busy()) { observer.disconnect(); resolve(); } });
    observer.observe(stage, { attributes: true });
  });
  for (let picture = 0; picture < count; picture++) {
    const started = performance.now(), done = settled();
    const key = picture % 20 < 10 ? 'ArrowDown' : 'ArrowUp';
    joint.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    await done;
    context.getImageData(0, 0, 1, 1);
    times.push(performance.now() - started);
  }
  return times;
}"""


def _measured(browser, site, options, headers):
    """Medians over so many pictures of the bundled photo at another size."""
    with served(site, headers) as address:
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        idle = page.locator("#stage[aria-busy=false]")
        idle.wait_for()
        photo = _photo(options.side)
        file = io.BytesIO()
        photo.save(file, "PNG")
        page.locator("#file").set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": file.getvalue()})
        page.locator(f"#picture[width='{photo.width}']").wait_for()
        page.locator("#pose-controls:enabled").wait_for()
        idle.wait_for()
        before = _busy()
        milliseconds = statistics.median(page.evaluate(_NUDGE, options.pictures))
        busy = (_busy() - before) / options.pictures
        speed = page.locator("#speed")
        said = float(speed.get_attribute("data-milliseconds"))
        on = speed.inner_text().split(".")[0]
        page.close()
    return {
        "runs": on, "photo": f"{photo.width} x {photo.height}", "milliseconds": round(milliseconds, 1),
        "pictures_a_second": round(1000 / milliseconds, 1), "page_says": said,
        "processor": round(busy),
    }  # fmt: skip


def _busy():
    """Milliseconds that this program's descendants, Chromium's processes, have run on all cores so far."""
    times = (process.cpu_times() for process in psutil.Process().children(recursive=True))
    return 1000 * sum(time.user + time.system for time in times)


def _photo(side):
    photo = Image.fromarray(bundled()[0])
    factor = side / max(photo.size)
    width, height = (round(length * factor) for length in photo.size)
    return photo.resize((width, height), Image.Resampling.BICUBIC)


@contextmanager
def served(folder: Path, headers: dict[str, str]) -> Iterator[str]:
    """The address of a folder's files, sent with these headers by this process."""

    class Files(SimpleHTTPRequestHandler):
        extensions_map = {
            **SimpleHTTPRequestHandler.extensions_map,
            ".wasm": "application/wasm",
            ".js": "text/javascript",
        }

        def end_headers(self):
            for name, value in headers.items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def _processor():
    lines = subprocess.run(["lscpu"], capture_output=True, text=True).stdout.splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("Model name")), "unknown processor")


if __name__ == "__main__":
    main()
