import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest

from tf_unseen_pose.serving.batching import BatchOptions


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(20) as pool:
        yield pool


@pytest.fixture
def hold(gate, pool):
    """Occupies the server's only thread, so that what comes next waits: returns the call that does."""

    def call(served):
        first = pool.submit(served.client.predict, "guarded", {"x": [1]})
        assert gate.entered.acquire(timeout=20)
        return first

    return call


def ask(pool, served, values, signature="guarded", **options):
    """Requests that wait, in this order."""
    calls = []
    for value in values:
        before = served.server._batcher.queue_length
        calls.append(pool.submit(served.client.predict, signature, {"x": np.array(value, np.int32)}, **options))
        wait_until(lambda before=before: served.server._batcher.queue_length > before)
    return calls


def test_requests_that_wait_run_together_and_each_gets_its_rows(start, gate, hold, pool):
    served = start()
    first = hold(served)
    values = [[1], [2, 3], [4], [5, 6, 7], [8, 9]]
    calls = ask(pool, served, values)
    gate.open.set()
    answers = [call.result() for call in calls]
    assert [answer["y"].tolist() for answer in answers] == [[2 * x for x in value] for value in values]
    # Eight rows at most: the last request did not fit any more.
    assert [answer["rows"][0] for answer in answers] == [7, 7, 7, 7, 2] and first.result()["rows"] == [1]
    assert gate.sizes == [1, 7, 2]
    batches = {line["batch"] for line in served.log() if line["event"] == "request"}
    assert batches == {1, 2, 7}


def test_batches_are_filled_up_to_allowed_sizes_with_the_last_row(start, gate, hold, pool):
    served = start(batching=BatchOptions(most_rows=8, sizes=(2, 4, 8)))
    first = hold(served)
    calls = ask(pool, served, [[1, 2], [99]])
    # More rows than a batch may have run as they are.
    large = pool.submit(served.client.predict, "guarded", {"x": np.arange(9, dtype=np.int32)})
    gate.open.set()
    assert [call.result()["y"].tolist() for call in calls] == [[2, 4], [198]]
    assert [call.result()["rows"].tolist() for call in [first, *calls]] == [[2], [4, 4], [4]]
    assert large.result()["y"].tolist() == list(range(0, 18, 2)) and set(gate.sizes) == {2, 4, 9}


def test_requests_that_do_not_fit_together_run_one_after_the_other(start, gate, hold, pool):
    served = start()
    hold(served)
    calls = ask(pool, served, [[1]]) + ask(pool, served, [[2]], wanted=["y"]) + ask(pool, served, [[4]], "filtered")
    gate.open.set()
    assert [call.result().keys() for call in calls] == [{"y", "rows"}, {"y"}, {"even"}]
    assert len(gate.sizes) == 4


def test_a_request_at_fault_spoils_no_other(start, gate, hold, pool, refused):
    served = start()
    hold(served)
    calls = ask(pool, served, [[1], [100], [2]])
    gate.open.set()
    assert [calls[i].result()["y"].item() for i in (0, 2)] == [2, 4]
    code, sentence = refused(calls[1].result)
    assert code == "INVALID_ARGUMENT" and "x is too large" in sentence


def test_inputs_or_outputs_of_other_lengths_are_not_joined(start, gate, hold, pool):
    gate.open.set()
    served = start(batching=BatchOptions(most_rows=8, sizes=(8,)))
    a, b = np.array([[1, 2]], np.float32), np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    assert served.client.predict("crossed", {"a": a, "b": b})["product"].tolist() == [[5, 11, 17]]
    # Two even numbers of four: found out after it ran with eight rows, and remembered.
    for value in ([1, 2, 3, 4], [6, 5]):
        answer = served.client.predict("filtered", {"x": np.array(value, np.int32)})
        assert answer["even"].tolist() == [x for x in value if x % 2 == 0]
    assert gate.sizes[1:] == [8, 4, 2]


def test_a_request_waits_for_others_as_long_as_it_was_told(start, pool):
    served = start(batching=BatchOptions(most_rows=3, timeout=0.4))
    begin = time.monotonic()
    assert served.client.predict("guarded", {"x": [5]})["rows"] == [1]
    assert 0.4 <= time.monotonic() - begin < 5
    # A full batch does not wait.
    served.server._batcher._options = BatchOptions(most_rows=3, timeout=1000)
    calls = [pool.submit(served.client.predict, "guarded", {"x": [value]}) for value in (1, 2, 3)]
    assert [call.result()["rows"].item() for call in calls] == [3, 3, 3]


def test_a_full_queue_refuses_at_once(start, gate, hold, pool, refused):
    served = start(batching=BatchOptions(queue=2))
    hold(served)
    calls = ask(pool, served, [[1], [2]])
    begin = time.monotonic()
    code, sentence = refused(served.client.predict, "guarded", {"x": [3]})
    assert time.monotonic() - begin < 2
    assert code == "RESOURCE_EXHAUSTED" and "2 requests are waiting" in sentence
    gate.open.set()
    assert [call.result()["y"].item() for call in calls] == [2, 4]


def test_after_the_deadline_nothing_is_run(start, gate, hold, pool, refused):
    served = start()
    hold(served)
    late = pool.submit(served.client.predict, "guarded", {"x": [50]}, timeout=0.5)
    assert refused(late.result)[0] == "DEADLINE_EXCEEDED"
    wait_until(lambda: served.server._batcher.queue_length == 0)
    gate.open.set()
    assert served.client.predict("guarded", {"x": [3]})["y"] == 6
    assert gate.sizes == [1, 1]
    assert "DEADLINE_EXCEEDED" in [line.get("code") for line in served.log()]


def test_a_client_that_has_gone_leaves_the_queue(start, gate, hold, pool):
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    served = start()
    hold(served)
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "tiny", "guarded"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([7]))
    channel = grpc.insecure_channel(served.address, [("grpc.use_local_subchannel_pool", 1)])
    # A call that nobody holds is cancelled at once.
    call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict").future(request.SerializeToString())
    wait_until(lambda: served.server._batcher.queue_length == 1)
    channel.close()
    wait_until(lambda: served.server._batcher.queue_length == 0)
    assert call.code() == grpc.StatusCode.CANCELLED
    gate.open.set()
    assert served.client.predict("guarded", {"x": [3]})["y"] == 6 and gate.sizes == [1, 1]
    assert "CANCELLED" in [line.get("code") for line in served.log()]


def test_several_threads_run_batches_side_by_side(start, gate, pool):
    served = start(batching=BatchOptions(threads=2))
    calls = [pool.submit(served.client.predict, "guarded", {"x": [value]}) for value in (1, 2)]
    assert all(gate.entered.acquire(timeout=20) for _ in calls)
    assert threading.active_count() < 100
    gate.open.set()
    assert [call.result()["y"].item() for call in calls] == [2, 4]
