import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tf_unseen_pose.export.warmup_requests import BATCH_SIZES


@pytest.fixture(scope="module")
def requests(exported):
    path = exported[1] / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))
    ]
    return [log.predict_log.request for log in logs]


def test_every_signature_is_warmed_up_at_every_batch_size(requests, signatures):
    found = {
        (request.model_spec.signature_name, value.tensor_shape.dim[0].size)
        for request in requests
        for value in request.inputs.values()
    }
    assert found == {(name, size) for name in signatures for size in BATCH_SIZES}
    assert {request.model_spec.name for request in requests} == {"lite"}


def test_the_graph_accepts_them(requests, signatures):
    for request in requests[:: len(BATCH_SIZES)] + requests[1 :: len(BATCH_SIZES)]:
        values = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
        size = request.inputs["source_joints"].tensor_shape.dim[0].size if "source_joints" in values else None
        for value in signatures[request.model_spec.signature_name](**values).values():
            assert size in (None, value.shape[0])


def test_they_are_small(exported):
    assert (exported[1] / "assets.extra" / "tf_serving_warmup_requests").stat().st_size < 100_000


def test_servers_batch_to_these_sizes():
    text = (Path(__file__).parents[2] / "serving" / "batching_parameters.txt").read_text()
    allowed = [int(size) for size in re.findall(r"^allowed_batch_sizes: (\d+)", text, re.MULTILINE)]
    assert tuple(allowed) == BATCH_SIZES
    assert int(re.search(r"max_batch_size \{ value: (\d+)", text)[1]) == np.max(BATCH_SIZES)
