import base64
import json
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest

from tf_unseen_pose.serving.tensors import Limits


def ask(url, body=None, **headers):
    """Status and body of a GET, or of a POST of JSON or bytes."""
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, content, headers), timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_rows_and_columns_are_what_numpy_says(start, rows, expected):
    served, inputs = start(rest_port=0), rows(2)
    image = expected(**inputs).tolist()
    columns = {name: array.tolist() for name, array in inputs.items()}
    code, answer = ask(f"{served.rest}/tiny:predict", {"inputs": columns, "signature_name": "mix"})
    assert (code, answer) == (200, {"outputs": {"image": image, "version": [1, 1]}})
    instances = [{name: array[i].tolist() for name, array in inputs.items()} for i in range(2)]
    _, answer = ask(f"{served.rest}/tiny/versions/1:predict", {"instances": instances})
    assert answer == {"predictions": [{"image": part, "version": 1} for part in image]}
    # One input and one output need no names.
    for body, found in (({"instances": [7, 9, 10]}, {"predictions": [8, 10]}), ({"inputs": [8]}, {"outputs": [8]})):
        assert ask(f"{served.rest}/tiny:predict", body | {"signature_name": "filtered"})[1] == (
            {"predictions": [10]} if "instances" in body else found
        )
    assert [line["code"] for line in served.log() if line["event"] == "request"] == ["OK"] * 4


def test_bytes_travel_as_base64(start, as_file):
    served, picture = start(rest_port=0), as_file(np.zeros((5, 7, 3), np.uint8))
    content = {"b64": base64.b64encode(picture).decode()}
    body = {"signature_name": "sizes", "instances": [content, {"b64": content["b64"]}]}
    _, answer = ask(f"{served.rest}/tiny:predict", body)
    assert [row["size"] for row in answer["predictions"]] == [[5, 7]] * 2
    assert base64.b64decode(answer["predictions"][0]["echo"]["b64"]) == picture + b"\0"


def test_states_and_metadata(start, folder):
    served = start(rest_port=0)
    state = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert (
        ask(f"{served.rest}/tiny") == ask(f"{served.rest}/tiny/versions/1") == (200, {"model_version_status": [state]})
    )
    _, found = ask(f"{served.rest}/tiny/metadata")
    assert found["metadata"]["signature_def"]["signature_def"]["mix"]["inputs"]["joints"]["dtype"] == "DT_FLOAT"


def test_refusals_have_the_status_of_their_code(start, rows):
    served = start(rest_port=0, limits=Limits(2**16, 1000, 8))
    url, instances = f"{served.rest}/tiny:predict", [{"image": [1], "joints": [[0]]}]
    for body, status, words in (
        (b"no JSON", 400, "not a JSON object"),
        (b"[" * 10**5, 400, "not a JSON object"),
        ({}, 400, "either 'instances' or 'inputs'"),
        ({"instances": []}, 400, "empty"),
        ({"instances": instances}, 400, "has shape [1, 1"),
        ({"instances": [{"image": [[1], [2, 3]], "joints": [[0]]}]}, 400, "not an array of uint8"),
        ({"instances": [{"image": [300], "joints": [[0]]}]}, 400, "not an array of uint8"),
        ({"instances": [{"image": [1]}]}, 400, "Missing inputs: joints"),
        ({"instances": instances, "signature_name": "paint"}, 400, "no signature 'paint'"),
        ({"instances": [{"b64": "?"}], "signature_name": "sizes"}, 400, "not an array of string"),
        ({"instances": [1, 100], "signature_name": "guarded"}, 400, "x is too large"),
        (b" " * 2**18, 400, "at most 196608 are allowed"),
    ):
        code, answer = ask(url, body)
        assert (code, list(answer)) == (status, ["error"]) and words in answer["error"], answer
    assert (
        ask(f"{served.rest}/nobody:predict", {"instances": [1]})[0] == ask(f"{served.rest}/tiny/versions/7")[0] == 404
    )
    assert (
        ask(f"{served.rest}/tiny/labels/canary:predict", {"instances": [1]})[0] == ask(f"{served.rest}/a/b")[0] == 404
    )
    assert "nobody" not in str(served.log())


def test_the_token_is_asked_for_here_too(start):
    served = start(rest_port=0, token="secret", insecure_token=True)
    assert ask(f"{served.rest}/tiny")[0] == ask(f"{served.rest}/tiny", authorization="Bearer no")[0] == 401
    assert ask(f"{served.rest}/tiny", authorization="Bearer secret")[0] == 200


def test_what_has_begun_is_answered_before_the_end(start, gate):
    served, answers = start(rest_port=0), []
    body = {"signature_name": "filtered", "inputs": [4]}
    asking = threading.Thread(target=lambda: answers.append(ask(f"{served.rest}/tiny:predict", body)))
    asking.start()
    assert gate.entered.acquire(timeout=20)
    stopping = threading.Thread(target=served.stop)
    stopping.start()
    stopping.join(0.3)
    assert stopping.is_alive()
    with pytest.raises(urllib.error.URLError):
        ask(f"{served.rest}/tiny")
    gate.open.set()
    asking.join()
    stopping.join()
    assert answers == [(200, {"outputs": [4]})]
