import gc
import io
import random
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import ovmsclient
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

from tf_unseen_pose.serving.service import MODEL_SERVICE
from tf_unseen_pose.serving.tensors import Limits


def png(width, height):
    file = io.BytesIO()
    Image.effect_noise((width, height), 50).save(file, "PNG")
    return file.getvalue()


def test_predict_is_what_numpy_says(start, rows, expected):
    client = start().client
    inputs = rows(3)
    for signature in ("", "serving_default", "mix"):
        outputs = client.predict(signature, inputs)
        assert outputs.keys() == {"image", "version"}
        assert outputs["image"].dtype == np.uint8 and np.array_equal(outputs["image"], expected(**inputs))
        assert outputs["version"].tolist() == [1, 1, 1]


def test_strings_come_and_go_whole(start):
    pictures = np.array([png(7, 5), png(2, 9)], object)
    outputs = start().client.predict("sizes", {"image_bytes": pictures})
    assert outputs["size"].tolist() == [[5, 7], [9, 2]]
    assert outputs["echo"].tolist() == [content + b"\0" for content in pictures]


def test_inputs_of_any_rank_are_one_or_many(start):
    client, picture = start().client, png(7, 5)
    x = np.arange(300, dtype=np.float32)
    one = client.predict("sequence", {"image_bytes": np.array(picture, object), "x": x})
    assert one["y"].tolist() == (2 * x).tolist() and one["length"].shape == () and one["length"] == len(picture)
    many = client.predict(
        "sequence", {"image_bytes": np.array([picture, picture[:-1]], object), "x": x.reshape(2, 150)}
    )
    assert many["y"].shape == (2, 150) and many["length"].tolist() == [len(picture), len(picture) - 1]


def test_the_response_says_what_answered_and_holds_what_was_asked_for(start, rows):
    client = start(name="other").client
    protos = {name: tf.make_tensor_proto(array) for name, array in rows(1).items()}
    response = client.raw(protos, model="other", wanted=["version", "version"])
    assert list(response.outputs) == ["version"]
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("other", 1, "serving_default")


def test_metadata_is_the_saved_models_own(start, folder):
    response = start().client.metadata()
    assert (response.model_spec.name, response.model_spec.version.value) == ("tiny", 1)
    described = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(described)
    signature = described.signature_def["mix"]
    assert [side.size for side in signature.inputs["image"].tensor_shape.dim] == [-1, 4, 4, 3]
    assert signature.inputs["joints"].dtype == tf.float32.as_datatype_enum
    assert {"serving_default", "mix", "sizes", "slow"} <= described.signature_def.keys()


def test_what_is_not_there_is_named(start, rows, refused):
    served = start()
    client, inputs = served.client, rows(1)
    calls = {
        "There is no model 'nobody'; served are tiny": ("NOT_FOUND", {"model": "nobody"}),
        "The model_spec names no model; served are tiny": ("INVALID_ARGUMENT", {"model": ""}),
        "Version 7 of model 'tiny' is not available; available are 1": ("NOT_FOUND", {"version": 7}),
        "Model 'tiny' has no label 'canary'; it has none": ("NOT_FOUND", {"label": "canary"}),
        "The model has no signature 'paint'; name one of: crossed": ("INVALID_ARGUMENT", {"signature": "paint"}),
        "has no output 'sound'; it has image, version": ("INVALID_ARGUMENT", {"wanted": ["sound"]}),
    }
    for sentence, (code, options) in calls.items():
        answer = refused(client.predict, **({"inputs": inputs} | options))
        assert answer[0] == code and sentence in answer[1]
    assert refused(client.metadata, fields=[])[0] == "INVALID_ARGUMENT"
    assert "no metadata field 'weights'" in refused(client.metadata, fields=["weights"])[1]
    assert refused(client.status, "nobody")[0] == refused(client.status, version=7)[0] == "NOT_FOUND"
    # Names that clients make up are in no line of the log.
    assert not [line for line in served.log() if "nobody" in str(line) or "paint" in str(line)]


@pytest.mark.parametrize("method", ["Classify", "Regress", "MultiInference"])
def test_other_calls_of_the_service_are_not_implemented(start, refused, method):
    code, sentence = refused(start().client.call, method, b"anything")
    assert code == "UNIMPLEMENTED" and method in sentence and "Predict" in sentence


def test_models_labels_and_policies_can_be_changed(start, folder, rows, refused):
    folder.add(2)
    client, inputs = start(allow_reload=True).client, rows(1)
    config = f'config {{ name: "tiny" base_path: "{folder.path}" model_platform: "tensorflow" %s }}'

    def version(**options):
        return client.predict("mix", inputs, **options)["version"].item()

    assert version() == 2 and list(client.status()) == [2, 1]
    both = 'model_version_policy { specific { versions: 1 versions: 2 } } version_labels { key: "%s" value: %d }'
    client.reload(config % (both % ("stable", 1)))
    assert (version(label="stable"), version(version=1), version(version=2), version()) == (1, 1, 2, 2)
    client.reload(config % (both % ("stable", 2)))
    assert version(label="stable") == 2
    code, sentence = refused(client.reload, config % (both % ("canary", 3)))
    assert code == "FAILED_PRECONDITION" and "Label 'canary' cannot stand for version 3" in sentence
    assert version(label="stable") == 2
    # Half of a list can be served: nothing changes, and nothing of it stays.
    (folder.path.parent / "empty").mkdir()
    states = client.status()
    half = f'config {{ name: "empty" base_path: "{folder.path.parent / "empty"}" }}'
    one = 'model_version_policy { specific { versions: 1 } } version_labels { key: "stable" value: 1 }'
    code, sentence = refused(client.reload, half + config % one)
    assert code == "FAILED_PRECONDITION" and "empty can be served" in sentence
    assert client.status() == states and (version(label="stable"), version()) == (2, 2)
    assert refused(version, model="empty")[0] == "NOT_FOUND"
    client.reload(config % "model_version_policy { all {} }")
    assert {state for state, _ in client.status().values()} == {"AVAILABLE"}
    assert refused(version, label="stable")[0] == "NOT_FOUND"
    client.reload(config % "")
    assert client.status()[1][0] == "END" and refused(version, version=1)[0] == "NOT_FOUND"
    # Another name for the folder: the old one is gone.
    client.reload((config % "").replace('"tiny" base', '"again" base'))
    assert version(model="again") == 2 and refused(version)[0] == "NOT_FOUND"


def test_nobody_changes_the_list_who_was_not_allowed_to(start, folder, refused):
    client = start().client
    code, sentence = refused(client.reload, f'config {{ name: "other" base_path: "{folder.path}" }}')
    assert code == "PERMISSION_DENIED" and "--allow-reload" in sentence
    assert client.status() == {1: ("AVAILABLE", "")}


def test_models_come_from_beside_the_served_folder_alone(start, folder, refused, tmp_path):
    client = start(allow_reload=True).client
    for entry, sentence in {
        'base_path: "/etc"': "must be an absolute path below",
        f'base_path: "{folder.path}/../.."': "must be an absolute path below",
        'base_path: "tiny"': "must be an absolute path below",
        f'base_path: "{tmp_path}/missing"': "is not a folder of this server",
        f'base_path: "{folder.path}" model_platform: "torch"': "Platform 'torch'",
        f'base_path: "{folder.path}" model_version_policy {{ specific {{}} }}': "names no version",
        f'base_path: "{folder.path}" }} config {{ name: "tiny" base_path: "{folder.path}"': "different names",
    }.items():
        code, answer = refused(client.reload, f'config {{ name: "tiny" {entry} }}')
        assert code == "INVALID_ARGUMENT" and sentence in answer
    assert refused(client.reload, "")[0] == "INVALID_ARGUMENT"
    assert refused(client.call, "HandleReloadConfigRequest", b"", service=MODEL_SERVICE)[0] == "INVALID_ARGUMENT"
    assert client.status() == {1: ("AVAILABLE", "")}


def test_a_client_that_knows_nothing_of_this_server(start, rows, expected):
    client = ovmsclient.make_grpc_client(start().address)
    inputs = rows(2)
    assert client.get_model_status("tiny") == {1: {"state": "AVAILABLE", "error_code": 0, "error_message": ""}}
    metadata = client.get_model_metadata("tiny", 1)
    assert metadata["inputs"]["image"] == {"shape": [-1, 4, 4, 3], "dtype": "DT_UINT8"}
    outputs = client.predict(inputs, "tiny")
    assert np.array_equal(outputs["image"], expected(**inputs))
    with pytest.raises(Exception, match="Missing inputs: joints"):
        client.predict({"image": inputs["image"]}, "tiny", 1)


def test_hostile_messages_get_a_sentence_and_the_server_stays(start, rows, expected, refused):
    client = start(limits=Limits(2**20, 10_000, 8)).client
    inputs = rows(1)
    protos = {name: tf.make_tensor_proto(array) for name, array in inputs.items()}
    giant, negative = tf.make_tensor_proto(1.0, shape=[1, 14, 3]), tf.make_tensor_proto(1.0, shape=[1, 14, 3])
    giant.tensor_shape.dim[0].size, negative.tensor_shape.dim[0].size = 2**61, -5
    bad = [
        protos | {"joints": giant},
        protos | {"joints": negative},
        protos | {"joints": tf.make_tensor_proto(inputs["joints"] * np.nan)},
        protos | {"image": tf.make_tensor_proto(inputs["image"].astype(np.float32))},
        protos | {"image": tf.make_tensor_proto(inputs["image"][:, :3])},
        protos | {"more": protos["image"]},
        {},
    ]
    for tensors in bad:
        assert refused(client.raw, tensors)[0] == "INVALID_ARGUMENT"
    whole = png(50, 50)
    for content in (b"", b"text", whole[:20], whole[: len(whole) // 2], png(101, 100)):
        assert refused(client.predict, "sizes", {"image_bytes": [content]})[0] == "INVALID_ARGUMENT"
    random.seed(3)
    for method in ("Predict", "GetModelMetadata"):
        for _ in range(50):
            code, _ = refused(client.call, method, b"\xff" + random.randbytes(random.randrange(200)))
            assert code == "INVALID_ARGUMENT"
    assert refused(client.predict, "sizes", {"image_bytes": [b"x" * 2**20]})[0] == "INVALID_ARGUMENT"
    assert refused(client.predict, "sizes", {"image_bytes": [b"x" * 2**21]})[0] == "RESOURCE_EXHAUSTED"
    assert np.array_equal(client.predict("mix", inputs)["image"], expected(**inputs))


def test_a_refused_message_is_freed_at_once(start, refused):
    client, message = start(limits=Limits(2**20, 10_000, 8)).client, b"x" * (2**20 + 1)
    gc.disable()
    tracemalloc.start()
    try:
        codes = {refused(client.call, "Predict", message)[0] for _ in range(12)}
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert codes == {"INVALID_ARGUMENT"} and kept < 3 * len(message)


def test_a_failure_of_the_server_is_in_the_log_and_the_client_gets_a_sentence(start, rows, refused, monkeypatch):
    from tf_unseen_pose.serving.loaded import Signature

    served = start()

    def fail(*_):
        raise tf.errors.InternalError(None, None, "private\nmatters")

    monkeypatch.setattr(Signature, "run", fail)
    code, sentence = refused(served.client.predict, "mix", rows(1))
    assert code == "INTERNAL" and "private" not in sentence
    (error,) = [line for line in served.log() if line["event"] == "error"]
    assert "private" in error["error"] and "Traceback" in error["traceback"] and error["signature"] == "mix"


def test_concurrent_clients_get_their_own_rows(start, rows, expected):
    served = start()
    inputs = [rows(1 + seed % 3, seed) for seed in range(60)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda value: served.client.predict("mix", value)["image"], inputs))
    for value, answer in zip(inputs, answers, strict=True):
        assert np.array_equal(answer, expected(**value))


def test_versions_change_under_load_without_a_wrong_or_lost_answer(start, folder, rows, expected):
    served = start()
    stop, seen, wrong = threading.Event(), [], []

    def ask(seed):
        inputs = rows(1 + seed, seed)
        while not stop.is_set():
            try:
                outputs = served.client.predict("mix", inputs)
            except grpc.RpcError as error:
                wrong.append(error)
                return
            if not np.array_equal(outputs["image"], expected(**inputs)) or len(set(outputs["version"])) > 1:
                wrong.append(outputs)
            seen.append(outputs["version"][0])

    threads = [threading.Thread(target=ask, args=[seed]) for seed in range(3)]
    for thread in threads:
        thread.start()
    for number in (2, 3):
        folder.add(number)
        deadline = time.monotonic() + 30
        while number not in seen[-1:] and time.monotonic() < deadline:
            time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong and set(seen) == {1, 2, 3}
    assert served.client.status() == {3: ("AVAILABLE", ""), 2: ("END", ""), 1: ("END", "")}


def test_a_request_ends_on_the_version_on_which_it_began(start, folder, rows, gate):
    served = start()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(served.client.predict, "mix", rows(1))
        assert gate.entered.acquire(timeout=20)
        # It waits in the queue, on the first version as well.
        second = pool.submit(served.client.predict, "mix", rows(1, 1))
        folder.add(2)
        deadline = time.monotonic() + 30
        while served.client.status().get(2, [""])[0] != "AVAILABLE" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert served.client.status()[1] == ("UNLOADING", "")
        gate.open.set()
        assert [call.result()["version"].item() for call in (first, second)] == [1, 1]
    assert served.client.predict("mix", rows(1))["version"] == 2
    assert served.client.status()[1] == ("END", "")


def test_a_request_with_no_model_spec_is_told_so(start, refused):
    assert refused(start().client.call, "Predict", predict_pb2.PredictRequest())[0] == "INVALID_ARGUMENT"
