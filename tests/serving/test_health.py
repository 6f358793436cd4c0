import asyncio
import queue

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def health():
    channels = []

    def stub(served):
        channels.append(grpc.insecure_channel(served.address, [("grpc.use_local_subchannel_pool", 1)]))
        return health_pb2_grpc.HealthStub(channels[-1])

    yield stub
    for channel in channels:
        channel.close()


@pytest.mark.parametrize("service", ["", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"])
def test_the_server_and_its_services_are_healthy_when_a_version_answers(start, health, service):
    assert health(start()).Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status == SERVING


def test_an_unknown_service_is_not_found(start, health, refused):
    assert refused(health(start()).Check, health_pb2.HealthCheckRequest(service="none"), timeout=10)[0] == "NOT_FOUND"


def test_a_list_that_is_refused_leaves_the_server_healthy(start, health, refused, tmp_path):
    served = start(allow_reload=True)
    (tmp_path / "empty").mkdir()
    code, sentence = refused(served.client.reload, f'config {{ name: "empty" base_path: "{tmp_path / "empty"}" }}')
    assert code == "FAILED_PRECONDITION" and sentence == f"No version in {tmp_path / 'empty'} can be served."
    assert health(served).Check(health_pb2.HealthCheckRequest(), timeout=10).status == SERVING


def test_every_watcher_learns_of_the_end_whoever_leaves_before(start, health, loop):
    served = start()
    news = queue.Queue()
    watches = [health(served).Watch(health_pb2.HealthCheckRequest(), timeout=20) for _ in range(3)]
    assert [next(watch).status for watch in watches] == [SERVING] * 3
    watches[0].cancel()
    stopped = asyncio.run_coroutine_threadsafe(served.server.stop(), loop)
    for watch in watches[1:]:
        news.put([response.status for response in watch])
    assert [news.get(), news.get()] == [[NOT_SERVING]] * 2
    assert stopped.result(20) is True
