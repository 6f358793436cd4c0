import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

import grpc
import numpy as np
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.inference.access import Access
from tf_unseen_pose.serving.tls import Tls


@pytest.fixture
def tls(tmp_path):
    """A private key and a certificate for localhost."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl to make a certificate")
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    command = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run(["openssl", *command.split(), "-keyout", key, "-out", chain], check=True, capture_output=True)
    return key, chain


def states_by_https(served, authority, identity=None):
    """The states of the model's versions, asked for by REST over TLS."""
    context = ssl.create_default_context(cafile=authority)
    if identity:
        context.load_cert_chain(identity[1], identity[0])
    url = re.sub("^http://[^:]*", "https://localhost", f"{served.rest}/tiny")
    with urllib.request.urlopen(url, timeout=30, context=context) as answer:
        return [version["state"] for version in json.load(answer)["model_version_status"]]


def test_tls(start, connect, rows, expected, tls, refused):
    served, inputs = start(tls=Tls(*tls), rest_port=0), rows(1)
    credentials = grpc.ssl_channel_credentials(tls[1].read_bytes())
    with grpc.secure_channel(served.address, credentials) as channel:
        assert np.array_equal(connect(channel).predict("mix", inputs)["image"], expected(**inputs))
    assert refused(served.client.predict, "mix", inputs)[0] == "UNAVAILABLE"
    assert states_by_https(served, tls[1]) == ["AVAILABLE"]


def test_clients_with_a_certificate_are_let_in_alone(start, connect, rows, expected, tls, refused):
    (key, chain), inputs = tls, rows(1)
    served = start(tls=Tls(key, chain, client_authority=chain), rest_port=0)
    assert states_by_https(served, chain, identity=tls) == ["AVAILABLE"]
    with pytest.raises(OSError, match="(?i)certificate|closed|reset"):
        states_by_https(served, chain)
    with Access(authority=chain, identity=tls).channel(served.address, []) as channel:
        assert np.array_equal(connect(channel).predict("mix", inputs)["image"], expected(**inputs))
    with Access(authority=chain).channel(served.address, []) as channel:
        assert refused(connect(channel).predict, "mix", inputs)[0] == "UNAVAILABLE"
    with pytest.raises(UserError, match="key.pem holds no certificate"):
        start(tls=Tls(key, chain, client_authority=key))


def test_the_systems_certificates_serve_as_well(start, tls):
    served = start(tls=Tls(*tls))
    code = (
        "import grpc; from tf_unseen_pose.inference.access import Access; "
        f"grpc.channel_ready_future(Access(tls=True).channel('{served.address}', [])).result(5)"
    )
    trusting = os.environ | {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(tls[1])}
    assert subprocess.run([sys.executable, "-c", code], env=trusting).returncode == 0


def test_tls_files_that_are_no_pair_are_named(start, tls, tmp_path):
    key, chain = tls
    with pytest.raises(UserError, match="no certificate .*missing.pem for TLS"):
        start(tls=Tls(key, tmp_path / "missing.pem"))
    with pytest.raises(UserError, match="key.pem and .*key.pem do not belong together"):
        start(tls=Tls(key, key))
    secret = tmp_path / "secret.pem"
    command = ["openssl", "rsa", "-aes128", "-passout", "pass:word", "-in", key, "-out", secret]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(UserError, match="name an unencrypted key"):
        start(tls=Tls(secret, chain))


def test_reflection_describes_both_services(start):
    served = start()
    stub = reflection_pb2_grpc.ServerReflectionStub(served.client.channel)
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="tensorflow.serving.PredictionService"),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="tensorflow.serving.ModelService"),
    ]
    services, *files = stub.ServerReflectionInfo(iter(asked), timeout=20)
    names = {service.name for service in services.list_services_response.service}
    assert {"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService", "grpc.health.v1.Health"} <= names
    for answer, method in zip(files, (b"GetModelMetadata", b"HandleReloadConfigRequest"), strict=True):
        assert method in b"".join(answer.file_descriptor_response.file_descriptor_proto)


def test_an_idle_stream_does_not_hold_up_the_end(start):
    served = start(grace=20)
    wait = threading.Event()

    def asked():
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        wait.wait()

    stream = reflection_pb2_grpc.ServerReflectionStub(served.client.channel).ServerReflectionInfo(asked())
    next(stream)
    begin = time.monotonic()
    served.stop()
    assert time.monotonic() - begin < 10
    wait.set()


def test_a_taken_port_is_the_users_to_change(start):
    port = start().server.port
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(UserError, match=f"Port {port} of {host} is not available .*in use"):
            start(port=port, host=host)
    with pytest.raises(UserError, match="Port 0 of no.such.host.invalid is not available"):
        start(host="no.such.host.invalid")


def test_no_version_that_loads_is_no_server(start, folder):
    shutil.rmtree(folder.path / "1" / "variables")
    (folder.path / "1" / "saved_model.pb").write_bytes(b"spoilt")
    with pytest.raises(UserError, match="No version in .*tiny can be served. Version 1 could not be loaded") as caught:
        start()
    assert "\n" not in str(caught.value)


@pytest.fixture
def process(folder):
    """Starts `unseen-pose serve` for `folder`: the process and its port."""
    started = []

    def call(*options):
        command = [sys.executable, "-m", "tf_unseen_pose", "serve", folder.path, "--port", "0", *options]
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(list(map(str, command)), env=environment, **pipes))
        line = started[-1].stdout.readline()
        return started[-1], int(re.fullmatch(r"Serving tiny, version 1, at 127\.0\.0\.1:(\d+)\.\n", line)[1])

    yield call
    for server in started:
        server.kill()
        server.communicate()


@pytest.mark.older_stack
def test_sigterm_lets_requests_end(process, connect):
    server, port = process("--grace", "60")
    answers = []
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        client = connect(channel)
        # So much that it has not ended when the signal comes.
        loops = np.array([40], np.int32)
        thread = threading.Thread(target=lambda: answers.append(client.predict("slow", {"loops": loops}, timeout=60)))
        thread.start()
        time.sleep(0.5)
        assert thread.is_alive()
        server.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(grpc.RpcError) as caught, grpc.insecure_channel(f"localhost:{port}") as another:
            connect(another).predict("slow", {"loops": loops})
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        thread.join()
    assert answers[0]["loops"].tolist() == [40]
    assert server.wait(20) == 0
    assert '"code": "OK"' in server.stderr.read()


@pytest.mark.older_stack
def test_sigterm_does_not_wait_beyond_the_grace_time(process, connect, refused):
    server, port = process("--grace", "0.5")
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        request = threading.Thread(
            target=refused, args=[connect(channel).predict, "slow", {"loops": np.array([10**5], np.int32)}]
        )
        request.start()
        time.sleep(1)
        begin = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0 and time.monotonic() - begin < 10
        request.join()


def test_the_server_listens_at_the_address_that_it_was_given_and_no_other(start):
    port = start().server.port
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port), timeout=5):
        pass
