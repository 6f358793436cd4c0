"""Serving SavedModels over gRPC, in the protocol of TensorFlow Serving.

The embedded server is for development, small deployments and tests; large ones take TensorFlow Serving itself over the
same folders. It needs TensorFlow and serves any SavedModel: of this project it knows the exceptions only.

    server.py           puts the rest together: ports, TLS, health, reflection, SIGTERM
    endpoint.py         one call: bytes in, bytes out, a status code with a sentence, a line in the log, metrics
    rest.py             the same calls over HTTP, as TensorFlow Serving's REST
    json_tensors.py     JSON to TensorProtos and back
    access.py  tls.py   the bearer token; certificates
    service.py          what the calls mean: Predict, GetModelMetadata, GetModelStatus, HandleReloadConfigRequest
    model_list.py       which models are asked for, in a file or a request
    served_models.py    which models there are and what lies in their folders: loads new versions, drains old ones
    versions.py         one model's versions: their states, labels, and which one a request means
    loaded.py           a SavedModel in memory: signatures as functions of arrays
    admission.py        how many pixels may be in the server at a time
    batching.py         the queue: requests that fit together run together
    tensors.py          TensorProtos from strangers to arrays and back
    picture_headers.py  the size of a picture before it is decoded
    warmup.py           requests that a version brings along, run before it is served
    health.py  prometheus.py  logs.py  request_errors.py

Everything but loading and running models happens on one thread, that of the event loop: no state needs a lock.
"""
