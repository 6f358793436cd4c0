#!/usr/bin/env python3
"""A client of its own: tensorflow-serving-api and nothing of this project.

serving/client_example.py localhost:8500 me.jpg me.json pose.json out.jpg
"""

import sys
from pathlib import Path

import grpc
import tensorflow as tf
from request import joints_of
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


def main(server: str, photo: str, source: str, target: str, output: str) -> None:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "lite"
    request.model_spec.signature_name = "repose_photo"
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([Path(photo).read_bytes()]))
    request.inputs["source_joints"].CopyFrom(tf.make_tensor_proto([joints_of(source, 3)], tf.float32))
    request.inputs["target_joints"].CopyFrom(tf.make_tensor_proto([joints_of(target, 4)], tf.float32))
    request.inputs["image_format"].CopyFrom(tf.make_tensor_proto(["jpeg"]))
    # Photos may be larger than gRPC's usual 4 MB, and nobody should wait for ever.
    with grpc.insecure_channel(server, [("grpc.max_receive_message_length", 64 << 20)]) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = stub.Predict(request, timeout=30)
    # However the server has written an output, as a list or as bytes.
    (content,) = tf.make_ndarray(answer.outputs["image_bytes"])
    Path(output).write_bytes(content)
    print(f"{output} holds the photo, {len(content)} bytes.")


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
