from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.inference.access import Access
from tf_unseen_pose.serving.access import read_token


def test_calls_need_the_token_and_health_does_not(start, rows, expected, refused):
    served = start(token="open sesame", insecure_token=True)
    client, inputs = served.client, rows(1)
    for shown in (None, "", "Bearer", "Bearer open", "Bearer open sesame2", "open sesame"):
        metadata = () if shown is None else (("authorization", shown),)
        code, sentence = refused(client.predict, "mix", inputs, metadata=metadata)
        assert code == "UNAUTHENTICATED" and "authorization: Bearer" in sentence
    outputs = client.predict("mix", inputs, metadata=(("authorization", "Bearer open sesame"),))
    assert (outputs["image"] == expected(**inputs)).all()
    assert refused(client.call, "ServerReflectionInfo", b"", service="grpc.reflection.v1alpha.ServerReflection")[0] == (
        "UNAUTHENTICATED"
    )
    check = health_pb2.HealthCheckRequest()
    assert client.call("Check", check, health_pb2.HealthCheckResponse, service="grpc.health.v1.Health").status == 1
    log = served.log()
    assert [line["code"] for line in log if line["event"] == "request"].count("UNAUTHENTICATED") == 7
    assert "sesame" not in str(log)


def test_a_token_in_the_clear_has_to_be_asked_for(start, refuses):
    refuses(lambda: start(token="secret"), "--tls-key", "--insecure-token")
    refuses(lambda: Access(token="secret").channel("localhost:1", []), "--server-tls", "--insecure-token")
    refuses(lambda: Access(identity=(Path("key.pem"), Path("chain.pem"))).channel("localhost:1", []), "is for TLS")


def test_the_token_is_the_one_line_of_a_file(tmp_path):
    path = tmp_path / "token"
    with pytest.raises(UserError, match="There is no token file"):
        read_token(path)
    path.write_text("  secret\n")
    assert read_token(path) == "secret"
    for content in ("", "\n", "two\nlines", "s\u00e9cret"):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(UserError, match="holds no token"):
            read_token(path)
