import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from benchmarks.serving.load import Answers, Scene, after, closed_loop, open_loop
from benchmarks.serving.messages import newest_model
from benchmarks.serving.process import MemoryCurve, ServerProcess


@pytest.fixture(scope="module")
def scene(versions):
    return Scene.drawn(newest_model(versions))


def answer(image, version=3):
    response = predict_pb2.PredictResponse()
    response.model_spec.version.value = version
    response.outputs["image"].CopyFrom(tf.make_tensor_proto(image[None]))
    return response.SerializeToString()


class Unavailable(grpc.RpcError):
    def code(self):
        return grpc.StatusCode.UNAVAILABLE


def test_answers_are_right_wrong_or_lost(scene):
    answers, begin = Answers(), time.monotonic()

    def fail():
        raise Unavailable

    def changed(by):
        image = scene.expected[2].astype(int)
        image[5, 7, 1] += by if image[5, 7, 1] < 128 else -by
        return answer(image.astype(np.uint8))

    for call in (lambda: answer(scene.expected[2]), lambda: changed(1), lambda: changed(2), fail):
        answers.take(scene, 2, call, begin, lambda: begin + 0.25)
    row = answers.row(seconds=2)
    assert (row["answers"], row["answers/s"], row["wrong"], row["refused or lost"]) == (3, 1.5, 1, "UNAVAILABLE 1")
    assert row["p50, ms"] == pytest.approx(250) and answers.versions == {3}


def test_all_requests_are_different_and_known(scene):
    assert len(set(scene.messages)) == len(scene.messages) == len(scene.expected)
    assert len({image.tobytes() for image in scene.expected}) == len(scene.expected)


def test_both_ways_of_asking_and_a_server_that_is_killed(scene, versions):
    with ServerProcess(versions, "--queue", "500") as server, server.channel(retrying=True) as channel:
        with MemoryCurve(server, 0.1) as memory:
            opened = open_loop(channel, scene, rate=50, seconds=1)
            closed = closed_loop(channel, scene, 3, after(1))
        assert 25 <= len(opened.latencies) <= 80 and len(closed.latencies) > 10
        server.restart()
        again = closed_loop(channel, scene, 3, after(1))
        for answers in (opened, closed, again):
            assert answers.wrong == 0 and not answers.lost and answers.versions == {1}
    assert len(memory.megabytes) > 5 and all(50 < megabytes < 10_000 for megabytes in memory.megabytes)
