import re
import socket

import pytest


@pytest.fixture
def versions(tmp_path):
    """A folder that looks like one of versions; nothing gets as far as loading it."""
    (tmp_path / "models" / "1").mkdir(parents=True)
    return tmp_path / "models"


def test_a_folder_that_cannot_be_served_is_named(run, tmp_path, versions):
    (tmp_path / "empty" / ".partial-1").mkdir(parents=True)
    (versions / "1" / "saved_model.pb").touch()
    for folder, sentence in {
        tmp_path / "missing": "There is no folder",
        tmp_path / "empty": "holds no version",
        versions / "1": "is a version itself; name the folder above it",
    }.items():
        code, _, error = run("serve", folder)
        assert code == 2 and sentence in error and str(folder) in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--tls-key", "key.pem"], "TLS needs both --tls-key and --tls-cert"),
        (["--tls-key", "key.pem", "--tls-cert", "chain.pem"], "There is no private key key.pem for TLS"),
        (["--tls-client-ca", "ca.pem"], "--tls-client-ca is for TLS"),
        (["--model-config", "models.config"], "Name either a folder of versions to serve, or a list"),
        (["--token-file", "token"], "There is no token file token"),
        (["--allowed-batch-sizes", "1,two"], "'1,two' is not a list of batch sizes"),
        (["--allowed-batch-sizes", "0,8"], "'0,8' is not a list of batch sizes"),
        (["--allowed-batch-sizes", "1,4"], "The largest allowed batch size, 4, must be --max-batch-size, 8"),
        (["--host", "no.such.host.invalid"], "Port 8500 of no.such.host.invalid is not available"),
        ([], "No version in .* can be served"),
    ],
)
def test_options_that_do_not_fit_are_named(run, versions, monkeypatch, options, sentence):
    monkeypatch.chdir(versions.parent)
    code, _, error = run("serve", versions, *(options or ["--port", "0"]))
    lines = [line for line in error.splitlines() if not line.startswith("{")]
    assert code == 2 and len(lines) == 1
    assert re.search(sentence, lines[0])


def test_a_taken_port_is_named(run, versions):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, error = run("serve", versions, "--port", port)
    assert code == 2 and f"Port {port} of 127.0.0.1 is not available" in error and error.count("\n") == 1
