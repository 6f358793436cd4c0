"""Fetching, against a server on the loopback."""

import hashlib
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from tf_unseen_pose.assets.downloads import default_cache, fetch
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.locks import waiting_for

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
        truncated = "truncated" in self.path and not ("once" in self.path and self.server.requests > 1)
        self.wfile.write(BODY[:300_000] if truncated else BODY)

    def log_message(self, *args):
        pass


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """Where files are kept; between two attempts no time passes."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return default_cache()


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
        fetch(url, sha256, WAY_OUT)
    sentence = str(caught.value)
    for word in (url, str(cache / url.rsplit("/", 1)[-1]), f", {WAY_OUT}.", *words):
        assert word in sentence, sentence
    assert ". " not in sentence and "\n" not in sentence
    assert not list(cache.glob("*"))


def test_fetches_once(server, cache, capsys):
    for _ in range(2):
        path = fetch(f"{server.url}/a.task", SHA256, WAY_OUT)
        assert path == cache / "a.task"
        assert path.read_bytes() == BODY
    assert server.requests == 1
    assert [file.name for file in path.parent.iterdir()] == ["a.task"]
    # The bar alone.
    assert server.url not in capsys.readouterr().err


def test_a_file_that_another_process_fetches_is_waited_for(server, cache, caplog):
    cache.mkdir(parents=True)
    fetched = []
    thread = threading.Thread(target=lambda: fetched.append(fetch(f"{server.url}/a.task", SHA256, WAY_OUT)))
    with waiting_for(cache / "a.task"):
        thread.start()
        while not caplog.messages:
            assert thread.is_alive()
        (cache / "a.task").write_bytes(BODY)
    thread.join()
    assert caplog.messages == [f"Process {os.getpid()} fetches {cache / 'a.task'}; waiting for it."]
    assert fetched == list(cache.iterdir()) and server.requests == 0


def test_a_damaged_file_in_the_cache_is_fetched_anew(server, cache):
    cache.mkdir(parents=True)
    (cache / "a.task").write_bytes(BODY[:-1])
    assert fetch(f"{server.url}/a.task", SHA256, WAY_OUT).read_bytes() == BODY
    assert server.requests == 1


def test_a_broken_transfer_is_tried_again(server):
    assert fetch(f"{server.url}/once-truncated.task", SHA256, WAY_OUT).read_bytes() == BODY
    assert server.requests == 2


def test_refuses_what_is_not_the_file(server, cache):
    refused(f"{server.url}/a.task", cache, "checksum", sha256=hashlib.sha256(b"other").hexdigest())
    refused(f"{server.url}/missing.task", cache, "404")
    refused(f"{server.url}/truncated.task", cache, "300000 bytes")


def test_a_failed_fetch_keeps_the_older_file(server, cache):
    cache.mkdir(parents=True)
    (cache / "missing.task").write_bytes(b"older")
    with pytest.raises(UserError, match="404"):
        fetch(f"{server.url}/missing.task", SHA256, WAY_OUT)
    assert (cache / "missing.task").read_bytes() == b"older"


def test_no_network(cache):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refused(f"http://127.0.0.1:{closed.getsockname()[1]}/a.task", cache, "refused")


def test_a_cache_that_cannot_be_written(server, cache):
    cache.parent.write_bytes(b"")
    with pytest.raises(UserError, match="Not a directory.*or give it with"):
        fetch(f"{server.url}/a.task", SHA256, WAY_OUT)


def test_the_cache_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "tf_unseen_pose" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert str(default_cache()) == "/home/someone/.cache/tf_unseen_pose/models"
