"""The client against a server with an exported model: the embedded one, and TensorFlow Serving's where there is one."""

import os
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.inference.access import Access
from tf_unseen_pose.inference.bundled import FOLDER, bundled
from tf_unseen_pose.inference.connection import Connection
from tf_unseen_pose.inference.remote import RemoteReposer
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.known_skeletons import GOLF, PERSON, register_skeleton
from tf_unseen_pose.pose.sources import find_poses

ROOT = Path(__file__).parents[2]
MODEL_SERVER = os.environ.get("UNSEEN_POSE_MODEL_SERVER") or shutil.which("tensorflow_model_server")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(params=["embedded", "tensorflow_model_server"])
def address(request, exported):
    """HOST:PORT of a server that has the exported model as 'lite'."""
    folder = exported[1].parent
    if request.param == "embedded":
        yield request.getfixturevalue("model_server").address
        return
    if not MODEL_SERVER:
        pytest.skip("needs tensorflow_model_server on the PATH or in UNSEEN_POSE_MODEL_SERVER")
    port = free_port()
    command = [MODEL_SERVER, f"--port={port}", "--model_name=lite", f"--model_base_path={folder}"]
    command += ["--enable_batching", f"--batching_parameters_file={ROOT / 'serving' / 'batching_parameters.txt'}"]
    with subprocess.Popen(command) as server:
        yield f"localhost:{port}"
        server.terminate()


@pytest.fixture(scope="module")
def reposer(exported):
    run, _, generator = exported
    return Reposer.of(generator, run.config, sharp_hole=False)


@pytest.fixture(scope="module")
def photo():
    y, x = np.mgrid[:180, :240]
    noise = np.random.default_rng(0).normal(0, 20, (180, 240, 3))
    return np.uint8(np.clip(np.stack([x, y, 255 - x], axis=-1) + noise, 0, 255))


@pytest.fixture
def poses(batch):
    """A source pose and seven others."""
    joints = batch(180, 240, batch=8, seed=3)["source_joints"]
    joints[1:, :, 0] += np.linspace(0, 30, 7, dtype=np.float32)[:, None]
    depth = np.random.default_rng(4).normal(0, 40, (7, joints.shape[1], 1)).astype(np.float32)
    return joints[0], np.concatenate([joints[1:], depth], axis=-1)


def close(found, expected):
    # Hosts look colours up at a 32nd of a pixel, servers exactly.
    assert found.shape == expected.shape
    assert ((found.astype(float) - expected) ** 2).mean() < 255**2 / 10**5


def test_a_servers_photos_are_the_models(address, reposer, photo, poses):
    source, targets = poses
    with RemoteReposer(address, "lite") as remote:
        for crop in (False, True):
            close(
                remote.synthesize(photo, targets[0], source, crop), reposer.synthesize(photo, targets[0], source, crop)
            )
        # Of depth, too: without, other limbs are in front.
        flat, deep = (remote.synthesize(photo, targets[0, :, :columns], source) for columns in (3, 4))
        assert (flat != deep).any()
        close(flat, reposer.synthesize(photo, targets[0, :, :3], source))
        assert remote.skeleton is reposer.skeleton


def test_a_server_repaints_all_that_shows_the_person(model_server, reposer, photo, poses):
    (source, targets), extent = poses, np.float32([0, 3, 236, 179])
    with RemoteReposer(model_server.address) as remote:
        usual = remote.synthesize(photo, targets[0], source, crop=True)
        whole = remote.synthesize(photo, targets[0], source, crop=True, extent=extent)
    assert whole.shape[1] > usual.shape[1]
    close(whole, reposer.synthesize(photo, targets[0], source, crop=True, extent=extent))


@pytest.mark.parametrize("corner", [(0, 0), (410, 333)])
def test_no_more_of_a_photo_is_sent_than_its_canvas_covers(model_server, reposer, photo, poses, corner):
    (source, targets), before = poses, len(model_server.log())
    large = np.random.default_rng(2).integers(0, 256, (900, 1100, 3), np.uint8)
    large[corner[1] :, corner[0] :][:180, :240] = photo
    source, target = (joints + np.float32([*corner, 0, 0])[: joints.shape[-1]] for joints in (source, targets[2]))
    with RemoteReposer(model_server.address) as remote, RemoteReposer(model_server.address, lossless=False) as lossy:
        found, coarser = (client.synthesize(large, target, source) for client in (remote, lossy))
    expected = reposer.synthesize(large, target, source)
    close(found, expected)
    assert 10 * np.log10(255**2 / ((coarser.astype(float) - expected) ** 2).mean()) > 38
    sent = [
        line["bytes_in"] for line in model_server.log()[before:] if line.get("signature") == "render_sequence_in_crop"
    ]
    assert sent[1] < sent[0] < large.nbytes / 4


def test_answers_are_the_saved_models_bytes(address, exported, as_file, photo, poses):
    source, targets = poses
    signature = tf.saved_model.load(str(exported[1])).signatures["serving_default"]
    inputs = {"image_bytes": [as_file(photo)], "source_joints": source[None], "target_joints": targets[:1]}
    connection = Connection(address, "lite", 60)
    found = connection.predict("serving_default", **inputs)
    connection.close()
    expected = signature(**{name: tf.constant(value) for name, value in inputs.items()})
    assert found["image_bytes"][0] == expected["image_bytes"].numpy()[0]
    np.testing.assert_array_equal(found["canvas_to_image"], expected["canvas_to_image"])


def test_a_sequence_goes_out_in_parts(address, reposer, photo, poses):
    source, targets = poses
    targets = targets.copy()
    targets[3, :, 2] = 0  # the first of a part; nobody is seen
    expected = np.stack(list(reposer.animate(photo, targets, source)))
    with RemoteReposer(address, "lite") as remote:
        close(np.stack(list(remote.animate(photo, targets, source, batch_size=3))), expected)


@pytest.mark.parametrize("fault", ["nan", "gif", "joints", "signature"])
def test_bad_requests_are_the_clients_fault(address, as_file, photo, poses, fault):
    source, targets = poses
    inputs = {"image_bytes": [as_file(photo)], "source_joints": source[None], "target_joints": targets[:1].copy()}
    if fault == "nan":
        inputs["target_joints"][0, 3, 1] = np.nan
    elif fault == "gif":
        inputs["image_bytes"] = [b"GIF89a"]
    elif fault == "joints":
        inputs["source_joints"] = inputs["source_joints"][:, :9]
    connection = Connection(address, "lite", 60)
    with pytest.raises(UserError) as refused:
        connection.predict("no_such" if fault == "signature" else "serving_default", **inputs)
    assert refused.value.__cause__.code() in (
        grpc.StatusCode.INVALID_ARGUMENT,
        *([grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND] if fault == "signature" else []),
    )
    assert len(str(refused.value)) > 40
    connection.close()


def test_no_more_is_asked_for_than_is_taken(model_server, photo, poses):
    source, targets = poses
    before = len(model_server.log())
    with RemoteReposer(model_server.address, "lite") as remote:
        frames = remote.animate(photo, targets.repeat(4, axis=0), source, batch_size=2)
        next(frames)
        time.sleep(1)
        asked = sum(line.get("signature") == "render_sequence_in_crop" for line in model_server.log()[before:])
        assert 1 <= asked <= 3  # of 14
        frames.close()


def test_all_signatures_answer(address, exported):
    connection = Connection(address, "lite", 60)
    records = tf.data.TFRecordDataset(str(exported[1] / "assets.extra" / "tf_serving_warmup_requests"))
    from tensorflow_serving.apis import prediction_log_pb2

    answered = set()
    for record in list(records.as_numpy_iterator())[::4]:
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        assert connection.predict(request.model_spec.signature_name, **inputs)
        answered.add(request.model_spec.signature_name)
    assert answered == set(connection.signatures()) - {"__saved_model_init_op"}
    connection.close()


def test_a_server_that_comes_late_or_back_is_waited_for(start, rows, expected):
    port, started, inputs = free_port(), [], rows(3)
    late = threading.Timer(1.5, lambda: started.append(start(port=port)))
    late.start()
    connection = Connection(f"localhost:{port}", "tiny", 60)
    connection.wait_until_ready()
    late.join()
    started[0].stop()
    back = threading.Timer(1.5, lambda: started.append(start(port=port)))
    back.start()
    found = connection.predict("mix", **inputs)
    back.join()
    np.testing.assert_array_equal(found["image"], expected(**inputs))
    connection.close()


def test_a_busy_server_is_asked_again_and_one_that_never_will_answer_is_not(refuses):
    asked = []

    def answer(request, context):
        asked.append(len(request))
        if len(request) < 2**22:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "wrong")
        if len(asked) < 3:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")
        return b""

    predict = {"Predict": grpc.unary_unary_rpc_method_handler(answer)}
    server = grpc.server(ThreadPoolExecutor(1), options=[("grpc.max_receive_message_length", 2**24)])
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", predict)]
    )
    port = server.add_insecure_port("localhost:0")
    server.start()
    connection = Connection(f"localhost:{port}", "tiny", 60)
    assert connection.predict("mix", image=np.zeros(2**23, np.uint8)) == {}
    assert len(asked) == 3 and min(asked) > 2**23
    refuses(lambda: connection.predict("mix", image=np.zeros(2**25, np.uint8)), "rejects messages of that size")
    refuses(lambda: connection.predict("mix", image=np.zeros(2**20, np.uint8)), "refuses the request: wrong")
    assert len(asked) == 4
    connection.close()
    server.stop(0)


def test_what_is_wrong_is_said(model_server, photo, poses, refuses, tmp_path):
    (source, targets), address = poses, model_server.address
    refuses(lambda: RemoteReposer(f"localhost:{free_port()}", "lite", timeout=1), "does not answer", "--server")
    refuses(lambda: RemoteReposer(address, "other", timeout=5), "refuses the request: ", "other")
    missing = tmp_path / "none.pem"
    refuses(lambda: RemoteReposer(address, "lite", access=Access(authority=missing)), "none.pem cannot be read")
    with RemoteReposer(address, "lite") as remote:
        far = targets[0] + np.float32([5000, 0, 0, 0])
        refuses(
            lambda: remote.synthesize(photo, far, source), "All of the target pose lies outside the 240 x 180 photo"
        )
        refuses(lambda: remote.synthesize(photo, targets[0], far), "source pose shows no joint")
        refuses(lambda: remote.synthesize(photo, targets[0, :9], source), "9 joints")
        refuses(lambda: remote.synthesize(photo, targets[0], source, background=photo), "takes no background")
        refuses(lambda: next(remote.animate(photo, targets, source, background=photo)), "takes no background")
        remote._connection._timeout = 0.001
        refuses(lambda: remote.synthesize(photo, targets[0], source), address)


def test_skeletons_of_as_many_joints_are_not_mixed_up(model_server, refuses, only_known_here):
    hiker = register_skeleton(replace(PERSON, name="hiker"))
    refuses(lambda: RemoteReposer(model_server.address), "'person' and 'hiker'")
    refuses(lambda: RemoteReposer(model_server.address, skeleton=GOLF), "of another skeleton", "register_skeleton")
    with RemoteReposer(model_server.address, skeleton=hiker) as remote:
        assert remote.skeleton is hiker


def test_the_source_pose_is_found_where_it_is_not_given(model_server, has_model):
    photo, _, motion = bundled()
    source = find_poses(FOLDER / "person.jpg").joints[0]
    with RemoteReposer(model_server.address) as remote:
        found, given = (remote.synthesize(photo, motion.joints[20], *joints) for joints in ((), (source,)))
    np.testing.assert_array_equal(found, given)


def test_models_of_other_projects_are_refused(start, refuses):
    server = start(token="secret", insecure_token=True)
    other = "'tiny' is not one of this project's exports"
    refuses(lambda: RemoteReposer(server.address, "tiny", access=Access(token="secret", insecure_token=True)), other)
    wrong = "another bearer token", "--server-token"
    refuses(lambda: RemoteReposer(server.address, "tiny", access=Access(token="guess", insecure_token=True)), *wrong)
