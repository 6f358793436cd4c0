"""Fetching, against a server on the loopback."""

import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from tf_unseen_pose.assets.downloads import default_cache, fetch
from tf_unseen_pose.errors import UserError

BODY = np.random.default_rng(0).bytes(700_001)
SHA256 = hashlib.sha256(BODY).hexdigest()
WAY_OUT = "or give it with --pose-model FILE"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[:300_000] if self.path.startswith("/truncated") else BODY)

    def log_message(self, *args):
        pass


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.url = 0, f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def refused(url, cache, *words, sha256=SHA256):
    """Asserts one sentence that names the URL, the place to put the file and the way out, and that nothing is left."""
    with pytest.raises(UserError) as caught:
        fetch(url, sha256, WAY_OUT, cache=cache)
    sentence = str(caught.value)
    for word in (url, str(cache / url.rsplit("/", 1)[-1]), f", {WAY_OUT}.", *words):
        assert word in sentence, sentence
    assert ". " not in sentence and "\n" not in sentence
    assert not list(cache.glob("*")) and not list(cache.glob(".*"))


def test_fetches_once(server, tmp_path):
    for _ in range(2):
        path = fetch(f"{server.url}/a.task", SHA256, WAY_OUT, size=len(BODY), cache=tmp_path / "models")
        assert path == tmp_path / "models" / "a.task"
        assert path.read_bytes() == BODY
    assert server.requests == 1
    assert [file.name for file in path.parent.iterdir()] == ["a.task"]


def test_a_damaged_file_in_the_cache_is_fetched_anew(server, tmp_path):
    (tmp_path / "b.task").write_bytes(BODY[:-1])
    assert fetch(f"{server.url}/a.task", SHA256, WAY_OUT, name="b.task", cache=tmp_path).read_bytes() == BODY
    assert server.requests == 1


def test_refuses_what_is_not_the_file(server, tmp_path):
    refused(f"{server.url}/a.task", tmp_path, "checksum", sha256=hashlib.sha256(b"other").hexdigest())
    refused(f"{server.url}/missing.task", tmp_path, "404")
    refused(f"{server.url}/truncated.task", tmp_path)
    assert server.requests == 3


def test_a_failed_fetch_keeps_the_older_file(server, tmp_path):
    (tmp_path / "missing.task").write_bytes(b"older")
    with pytest.raises(UserError, match="404"):
        fetch(f"{server.url}/missing.task", SHA256, WAY_OUT, cache=tmp_path)
    assert (tmp_path / "missing.task").read_bytes() == b"older"


def test_no_network(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refused(f"http://127.0.0.1:{closed.getsockname()[1]}/a.task", tmp_path, "refused")


def test_a_cache_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="Not a directory.*or give it with"):
        fetch(f"{server.url}/a.task", SHA256, WAY_OUT, cache=tmp_path / "file" / "models")


def test_the_cache_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "tf_unseen_pose" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert str(default_cache()) == "/home/someone/.cache/tf_unseen_pose/models"
