"""Serves SavedModels over gRPC with TensorFlow Serving's protocol.

The embedded server is for development, small deployments and tests; large ones use TensorFlow Serving on the same
folders. It serves any SavedModel and uses only the exceptions of this project.

    server.py           the whole: ports, TLS, health, reflection, SIGTERM
    endpoint.py         one call: bytes in, bytes out, a status code with a sentence, a line in the log, metrics
    rest.py             the same calls over HTTP, as TensorFlow Serving's REST
    json_tensors.py     JSON to TensorProtos and back
    access.py  tls.py   the bearer token; certificates
    service.py          the calls: Predict, GetModelMetadata, GetModelStatus, HandleReloadConfigRequest
    model_list.py       the requested models, from a file or a request
    served_models.py    the models and their folders: loads new versions, drains old ones
    versions.py         one model's versions: states, labels, and the choice for a request
    loaded.py           a SavedModel in memory: signatures as functions of arrays
    admission.py        the limit on pixels in the server
    batching.py         the queue: compatible requests run together
    tensors.py          untrusted TensorProtos to arrays and back
    picture_headers.py  the size of a picture before it is decoded
    warmup.py           a version's own requests, run before it is served
    health.py  prometheus.py  logs.py  request_errors.py

Everything but loading and running models happens on the event loop's thread, so no state needs a lock.
"""
