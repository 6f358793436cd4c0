import datetime
import io
import json

from tf_unseen_pose.serving.logs import Log


def test_a_line_is_one_object_whatever_it_says():
    stream = io.StringIO()
    log = Log(stream)
    log.event("odd", text='quotes " and\nbreaks', nothing=None, number=3)
    try:
        raise ValueError("secret\nmatter")
    except ValueError as error:
        log.failure(error, method="Predict")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.keys() == {"time", "event", "text", "number"}
    assert datetime.datetime.fromisoformat(first["time"]).utcoffset() == datetime.timedelta(0)
    assert second["error"] == "ValueError: secret\nmatter" and "Traceback" in second["traceback"]


def test_every_request_leaves_a_line_without_what_it_holds(start, rows, refused):
    served = start()
    served.client.predict("mix", rows(3), version=1)
    refused(served.client.predict, "mix", {}, wanted=["private"])
    served.client.status()
    assert [line["event"] for line in served.log() if "load" in line["event"]] == ["loading", "loaded"]
    fine, bad, status = [line for line in served.log() if line["event"] == "request"]
    assert fine | {"time": 0, "ms": 0} == {
        "time": 0,
        "event": "request",
        "method": "Predict",
        "model": "tiny",
        "signature": "mix",
        "version": 1,
        "batch": 3,
        "ms": 0,
        "code": "OK",
        "bytes_in": fine["bytes_in"],
        "bytes_out": fine["bytes_out"],
    }
    assert 0 < fine["ms"] < 20_000 and fine["bytes_in"] > 3 * (48 + 168) and fine["bytes_out"] > 3 * 48
    assert bad["code"] == "INVALID_ARGUMENT" and "batch" not in bad and "private" not in str(bad)
    assert status["method"] == "GetModelStatus" and "signature" not in status
