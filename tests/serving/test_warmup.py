import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.serving.loaded import LoadedModel
from tf_unseen_pose.serving.warmup import WARMUP_FILE, warm_up


def write_requests(version, rows, counts, signature="mix"):
    path = version / WARMUP_FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for count in counts:
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = signature
            for name, array in rows(count).items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())


def test_a_versions_own_requests_are_run_before_it_is_served(folder, rows, gate):
    version = folder.path / "1"
    model = LoadedModel.load(version)
    assert warm_up(model, version) == 0
    gate.open.set()
    write_requests(version, rows, [1, 4])
    assert warm_up(model, version) == 2 and gate.sizes == [1, 4]


def test_a_version_that_does_not_answer_its_own_requests_is_not_served(start, folder, rows):
    write_requests(folder.path / "1", rows, [1], signature="guarded")
    with pytest.raises(UserError, match="Version 1 could not be loaded: Missing inputs: x"):
        start()
