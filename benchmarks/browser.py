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
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

PAGE = Path(__file__).parents[1] / "serving/on_device"
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=PAGE / "dist")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        print(f"Chromium {browser.version}, {_processor()}")
        for headers in (ISOLATED, {}):
            print(json.dumps(_measured(browser, options, headers)))
        browser.close()


def _measured(browser, options, headers):
    """Nudges a joint by the keyboard until so many pictures were made."""
    server = _server(options.site, headers)
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
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
    server.shutdown()
    return {"runs": on, "milliseconds": milliseconds, "pictures_a_second": round(1000 / milliseconds, 1)}


def _server(folder, headers):
    class Files(SimpleHTTPRequestHandler):
        extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".wasm": "application/wasm"}

        def end_headers(self):
            for name, value in headers.items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _processor():
    lines = subprocess.run(["lscpu"], capture_output=True, text=True).stdout.splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("Model name")), "unknown processor")


if __name__ == "__main__":
    main()
