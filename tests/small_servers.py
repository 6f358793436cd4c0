"""A tiny SavedModel whose answers NumPy knows, servers in this process, and a client for them."""

import asyncio
import io
import json
import shutil
import threading
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    predict_pb2,
)

from tf_unseen_pose.serving.logs import Log
from tf_unseen_pose.serving.server import Options, Server

PREDICTION, MODEL = "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"


class Tiny(tf.Module):
    """Signatures without symmetry, each for one kind of request; `number` tells versions apart."""

    def __init__(self, number):
        super().__init__()
        self.number = tf.Variable(number)

    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4, 3], tf.uint8), tf.TensorSpec([None, 14, 3])])
    def mix(self, image, joints):
        moved = tf.cast(tf.round(joints[:, :1, None, :1]), tf.int32)
        turned = tf.transpose(tf.cast(image, tf.int32), [0, 2, 1, 3]) + moved
        return {"image": tf.cast(turned % 256, tf.uint8), "version": tf.repeat(self.number, tf.shape(image)[0])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def sizes(self, image_bytes):
        def size(content):
            return tf.shape(tf.io.decode_image(content, 3, expand_animations=False))[:2]

        return {"size": tf.map_fn(size, image_bytes, tf.int32), "echo": tf.strings.join([image_bytes, "\0"])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def guarded(self, x):
        with tf.control_dependencies([tf.debugging.assert_less(x, 100, "x is too large")]):
            return {"y": 2 * x, "rows": tf.repeat(tf.shape(x)[0], tf.shape(x)[0])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def filtered(self, x):
        return {"even": tf.boolean_mask(x, x % 2 == 0)}

    @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec([None, 2])])
    def crossed(self, a, b):
        return {"product": tf.matmul(a, b, transpose_b=True)}

    @tf.function(input_signature=[tf.TensorSpec(None, tf.string), tf.TensorSpec(None)])
    def sequence(self, image_bytes, x):
        """One picture and rows, or a batch of both: of any rank."""
        return {"y": 2 * x, "length": tf.strings.length(image_bytes)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def slow(self, loops):
        """A tenth of a second a loop or so."""

        def step(i, square):
            return i + 1, tf.linalg.matmul(square, square) / 700

        most = tf.reduce_max(loops)
        _, square = tf.while_loop(lambda i, _: i < 10 * most, step, [0, tf.ones([700, 700])])
        return {"loops": loops + 0 * tf.cast(square[0, 0], tf.int32)}

    def signatures(self):
        names = ("mix", "sizes", "guarded", "filtered", "crossed", "sequence", "slow")
        return {"serving_default": self.mix} | {name: getattr(self, name) for name in names}


@pytest.fixture(scope="session")
def made_versions(tmp_path_factory):
    """Version folders 1 to 3, made once."""
    folder = tmp_path_factory.mktemp("made")
    for number in (1, 2, 3):
        module = Tiny(number)
        tf.saved_model.save(module, str(folder / str(number)), signatures=module.signatures())
    return folder


@pytest.fixture
def folder(made_versions, tmp_path):
    """A folder `tiny` that holds version 1; `add(number)` puts another one there as `export` does, whole."""
    path = tmp_path / "tiny"
    path.mkdir()

    def add(number):
        partial = path / f".partial-{number}"
        shutil.copytree(made_versions / str(number), partial)
        partial.rename(path / str(number))

    add(1)
    return SimpleNamespace(path=path, add=add)


@pytest.fixture(scope="session")
def loop():
    """An event loop on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class Client:
    """Calls a server; methods return responses or raise `grpc.RpcError`."""

    def __init__(self, channel):
        self.channel = channel

    def call(self, method, request, response_type=None, service=PREDICTION, **options):
        content = request if isinstance(request, bytes) else request.SerializeToString()
        answer = self.channel.unary_unary(f"/{service}/{method}")(content, **({"timeout": 20} | options))
        return response_type.FromString(answer) if response_type else answer

    def raw(self, tensors, signature="", model="tiny", version=None, label=None, wanted=(), **options):
        """Predict with TensorProtos."""
        request = predict_pb2.PredictRequest(output_filter=wanted)
        request.model_spec.name, request.model_spec.signature_name = model, signature
        if version is not None:
            request.model_spec.version.value = version
        if label is not None:
            request.model_spec.version_label = label
        for name, proto in tensors.items():
            request.inputs[name].CopyFrom(proto)
        return self.call("Predict", request, predict_pb2.PredictResponse, **options)

    def predict(self, signature="", inputs=None, **options):
        """Predict with arrays: outputs by name."""
        protos = {name: tf.make_tensor_proto(value) for name, value in (inputs or {}).items()}
        response = self.raw(protos, signature, **options)
        return {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}

    def metadata(self, model="tiny", fields=("signature_def",)):
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
        request.model_spec.name = model
        return self.call("GetModelMetadata", request, get_model_metadata_pb2.GetModelMetadataResponse)

    def status(self, model="tiny", version=None):
        """State and error of every version."""
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = model
        if version is not None:
            request.model_spec.version.value = version
        response = self.call("GetModelStatus", request, get_model_status_pb2.GetModelStatusResponse, MODEL)
        states = get_model_status_pb2.ModelVersionStatus.State
        return {
            entry.version: (states.Name(entry.state), entry.status.error_message)
            for entry in response.model_version_status
        }

    def reload(self, text):
        """HandleReloadConfigRequest with a ModelConfigList in protobuf's text format."""
        from google.protobuf import text_format

        request = model_management_pb2.ReloadConfigRequest()
        text_format.Parse(text, request.config.model_config_list)
        return self.call("HandleReloadConfigRequest", request, model_management_pb2.ReloadConfigResponse, MODEL)


def started_server(loop, **options):
    """A server in this process: an object with server, client, address, log(), stop() and end()."""
    stream = io.StringIO()

    async def make():
        server = Server(Options(**{"port": 0, "poll": 0.05, "grace": 5} | options), Log(stream))
        await server.start()
        return server

    # Warming a version up takes its time on a busy machine.
    server = asyncio.run_coroutine_threadsafe(make(), loop).result(300)
    address = f"localhost:{server.port}"
    # A channel of its own for every server: gRPC shares connections, and ports come back.
    channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])

    def stop():
        return asyncio.run_coroutine_threadsafe(server.stop(), loop).result(60)

    def end():
        channel.close()
        stop()

    def log():
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    rest = f"http://localhost:{server.rest_port}/v1/models"
    return SimpleNamespace(
        server=server, rest=rest, client=Client(channel), address=address, log=log, stop=stop, end=end
    )


@pytest.fixture
def start(loop, folder):
    """Starts a server for `folder` with options; see `started_server`."""
    started = []

    def call(**options):
        started.append(started_server(loop, **{"path": folder.path} | options))
        return started[-1]

    yield call
    for server in started:
        server.end()


@pytest.fixture(scope="session")
def model_server(loop, exported):
    """The exported model on a server, as 'lite'."""
    server = started_server(loop, path=exported[1].parent, rest_port=0)
    yield server
    server.end()


def rows_of(count, seed=0):
    """Inputs of signature `mix`; no two rows are alike."""
    rng = np.random.default_rng(seed)
    return {
        "image": rng.integers(0, 256, (count, 4, 4, 3), np.uint8),
        "joints": rng.normal(100, 30, (count, 14, 3)).astype(np.float32),
    }


def mixed(image, joints):
    """What `mix` computes."""
    return ((image.astype(int).transpose(0, 2, 1, 3) + np.round(joints[:, :1, None, :1]).astype(int)) % 256).astype(
        np.uint8
    )


@pytest.fixture
def rows():
    return rows_of


@pytest.fixture
def expected():
    return mixed


@pytest.fixture
def refused():
    """Runs a call that must fail: (code, sentence), after seeing that it is one sentence and no traceback."""

    def call(function, *arguments, **options):
        with pytest.raises(grpc.RpcError) as caught:
            function(*arguments, **options)
        sentence = caught.value.details()
        assert sentence and "\n" not in sentence and "Traceback" not in sentence and len(sentence) <= 500
        return caught.value.code().name, sentence

    return call


@pytest.fixture
def gate(monkeypatch):
    """Holds every run of a model until `open` is set; `entered` is released once a run."""
    from tf_unseen_pose.serving.loaded import Signature

    held = SimpleNamespace(open=threading.Event(), entered=threading.Semaphore(0), sizes=[])
    run = Signature.run

    def gated(self, inputs, wanted):
        held.sizes.append(len(next(iter(inputs.values()))))
        held.entered.release()
        assert held.open.wait(30)
        return run(self, inputs, wanted)

    monkeypatch.setattr(Signature, "run", gated)
    yield held
    held.open.set()


@pytest.fixture
def connect():
    """A client for a channel of one's own."""
    return Client
