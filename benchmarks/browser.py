"""How many pictures a second the page of serving/on_device renders in Chromium, with threads and without.

    make web                                                  builds the page (stop it when it serves)
    python -m benchmarks.browser [--site serving/on_device/dist] [--pictures 100]

The figure is what the page itself shows, the median of its last pictures: from joints to RGBA bytes, in the worker.
"""

import argparse
import functools
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = Path(__file__).parents[1] / "serving/on_device"
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=PAGE / "dist")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()

    # Only here: tests use `served` and say themselves what is missing.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        print(f"Chromium {browser.version}, {_processor()}")
        for headers in (ISOLATED, {}):
            print(json.dumps(_measured(browser, options, headers)))
        browser.close()


def _measured(browser, options, headers):
    """Nudges a joint by the keyboard until so many pictures were made."""
    with served(options.site, headers) as address:
        page = browser.new_page()
        page.goto(address)
        idle = page.locator("#stage[aria-busy=false]")
        idle.wait_for(timeout=120_000)
        page.locator("[data-joint=left_wrist]").focus()
        for picture in range(options.pictures):
            page.keyboard.press("ArrowDown" if picture % 20 < 10 else "ArrowUp")
            idle.wait_for()
        speed = page.locator("#speed")
        milliseconds = float(speed.get_attribute("data-milliseconds"))
        on = speed.inner_text().split(".")[0]
        page.close()
    return {"runs": on, "milliseconds": milliseconds, "pictures_a_second": round(1000 / milliseconds, 1)}


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
