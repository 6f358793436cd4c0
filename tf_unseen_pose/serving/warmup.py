"""Runs a version's warmup requests before it is served, as TensorFlow Serving does.

A graph's first run is many times slower, since operations are compiled and memory is allocated; without warmup the
first client of each new version would wait for that.
"""

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tf_unseen_pose.serving.loaded import DEFAULT_SIGNATURE, LoadedModel
from tf_unseen_pose.serving.tensors import Limits, decode_inputs

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
# The requests are as trusted as the version.
_NO_LIMITS = Limits(message_bytes=2**31, pixels=2**31, rows=2**31)


def warm_up(model: LoadedModel, folder: Path) -> int:
    """Runs the Predict requests of a version's folder, if any; returns their number.

    Raises:
        Exception: a damaged record, or an error of the model: the version must not be served.
    """
    path = folder / WARMUP_FILE
    if not path.is_file():
        return 0
    count = 0
    for record in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        if log.HasField("predict_log"):
            request = log.predict_log.request
            signature = model.signatures[request.model_spec.signature_name or DEFAULT_SIGNATURE]
            signature.run(decode_inputs(request.inputs, signature, _NO_LIMITS), tuple(signature.outputs))
            count += 1
    return count
