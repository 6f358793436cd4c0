"""The calls of TensorFlow Serving's two services."""

import contextlib
import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

import grpc
from google.protobuf import descriptor, descriptor_pool
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_pb2,
    predict_pb2,
)

from tf_unseen_pose.serving.admission import Admission
from tf_unseen_pose.serving.batching import Batcher
from tf_unseen_pose.serving.endpoint import Call, Endpoints
from tf_unseen_pose.serving.loaded import DEFAULT_SIGNATURE, LoadedModel, Signature
from tf_unseen_pose.serving.model_list import settings_of
from tf_unseen_pose.serving.request_errors import RequestError, invalid, listed, not_found, quoted
from tf_unseen_pose.serving.served_models import Models
from tf_unseen_pose.serving.tensors import Limits, count_pixels, decode_inputs, encode
from tf_unseen_pose.serving.versions import Model, Version

PREDICTION_SERVICE, MODEL_SERVICE = "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"
_DEFINITIONS = "signature_def"


class Service:
    """Answers requests.

    Args:
        homes: the folders that models of a new list may come from, since the server loads code from there. None: new
            lists are rejected.
        changed: callback after models were reconfigured.
    """

    def __init__(
        self,
        models: Models,
        batcher: Batcher,
        limits: Limits,
        homes: tuple[Path, ...] | None,
        changed: Callable[[], None],
    ):
        self._models, self._batcher, self._limits, self._homes, self._changed = models, batcher, limits, homes, changed
        self._admission = Admission(limits.pixels_in_flight)

    def handlers(self, endpoints: Endpoints) -> list[grpc.GenericRpcHandler]:
        """gRPC handlers for all methods of both services."""
        own = {
            "Predict": (predict_pb2.PredictRequest, self.predict),
            "GetModelMetadata": (get_model_metadata_pb2.GetModelMetadataRequest, self.metadata),
            "GetModelStatus": (get_model_status_pb2.GetModelStatusRequest, self.status),
            "HandleReloadConfigRequest": (model_management_pb2.ReloadConfigRequest, self.reconfigure),
        }
        made = []
        for service in (PREDICTION_SERVICE, MODEL_SERVICE):
            names = [method.name for method in _described(service).methods]
            methods = {name: endpoints.unary(name, *own.get(name, (None, self.missing))) for name in names}
            made.append(grpc.method_handlers_generic_handler(service, methods))
        return made

    async def predict(self, request: predict_pb2.PredictRequest, call: Call) -> predict_pb2.PredictResponse:
        """The outputs of a signature for the inputs of the request."""
        # Before reading anything: a full server rejects at once.
        self._batcher.require_room()
        version = self._version(request.model_spec, call)
        with version.in_use() as loaded:
            signature = _signature(loaded, request.model_spec.signature_name)
            call.signature = signature.name
            inputs = decode_inputs(request.inputs, signature, self._limits)
            wanted = _wanted(signature, request.output_filter)
            with self._admission.admit(count_pixels(inputs, self._limits)):
                outputs, call.rows = await self._batcher.run(signature, inputs, wanted, call.deadline)
        response = predict_pb2.PredictResponse()
        self._name(response.model_spec, call, signature.name)
        for name, array in outputs.items():
            response.outputs[name].CopyFrom(encode(array, signature.outputs[name].dtype))
        return response

    def signature_of(self, spec: model_pb2.ModelSpec) -> Signature:
        """The signature of a request. Raises: RequestError: there is none."""
        with self._version(spec, Call("")).in_use() as loaded:
            return _signature(loaded, spec.signature_name)

    async def metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, call: Call
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """The descriptions of a model's signatures."""
        if not request.metadata_field:
            raise invalid(f"The request names no metadata field; the only one is '{_DEFINITIONS}'.")
        if strange := [name for name in request.metadata_field if name != _DEFINITIONS]:
            raise invalid(f"There is no metadata field {quoted(strange[0])}; the only one is '{_DEFINITIONS}'.")
        version = self._version(request.model_spec, call)
        described = get_model_metadata_pb2.SignatureDefMap()
        with version.in_use() as loaded:
            for name, definition in loaded.definitions.items():
                described.signature_def[name].CopyFrom(definition)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        self._name(response.model_spec, call)
        response.metadata[_DEFINITIONS].Pack(described)
        return response

    async def status(
        self, request: get_model_status_pb2.GetModelStatusRequest, call: Call
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """The states of a model's versions, the newest first."""
        model = self._model(request.model_spec, call)
        versions = [model.versions[number] for number in sorted(model.versions, reverse=True)]
        if (number := _number(model, request.model_spec)) is not None:
            versions = [version for version in versions if version.number == number]
            if not versions:
                raise not_found(f"There is no version {number} of model '{model.name}'.")
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in versions:
            entry = response.model_version_status.add(version=version.number, state=int(version.state))
            if version.error:
                entry.status.error_code = grpc.StatusCode.UNKNOWN.value[0]
                entry.status.error_message = version.error
        return response

    async def reconfigure(
        self, request: model_management_pb2.ReloadConfigRequest, call: Call
    ) -> model_management_pb2.ReloadConfigResponse:
        """Serves the models of a list instead; a list that cannot be served entirely changes nothing."""
        if self._homes is None:
            raise RequestError(
                grpc.StatusCode.PERMISSION_DENIED,
                "This server accepts no new list of models; start it with --allow-reload to permit that.",
            )
        faults = await self._models.reconfigure(settings_of(request.config, self._homes))
        self._changed()
        if faults:
            raise RequestError(grpc.StatusCode.FAILED_PRECONDITION, " ".join(faults))
        return model_management_pb2.ReloadConfigResponse()

    async def missing(self, request: None, call: Call) -> NoReturn:
        """Rejects a method that this server does not implement."""
        raise RequestError(
            grpc.StatusCode.UNIMPLEMENTED, f"This server does not answer {call.method}; Predict runs any signature."
        )

    def _model(self, spec: model_pb2.ModelSpec, call: Call) -> Model:
        if not spec.name:
            raise invalid(f"The model_spec names no model; served are {listed(model.name for model in self._models)}.")
        model = self._models.find(spec.name)
        call.model = model.name
        return model

    def _version(self, spec: model_pb2.ModelSpec, call: Call) -> Version:
        model = self._model(spec, call)
        version = model.find(_number(model, spec))
        call.version = version.number
        return version

    @staticmethod
    def _name(spec: model_pb2.ModelSpec, call: Call, signature: str = "") -> None:
        spec.name, spec.signature_name = call.model, signature
        spec.version.value = call.version


def _number(model: Model, spec: model_pb2.ModelSpec) -> int | None:
    """The version that a request names by number or label; None for the default.

    Clients of OpenVINO's server, with the same protocol, send version 0 for that.
    """
    choice = spec.WhichOneof("version_choice")
    if choice == "version_label":
        return model.labelled(spec.version_label)
    named = choice == "version" and (spec.version.value or 0 in model.versions)
    return spec.version.value if named else None


def _signature(loaded: LoadedModel, name: str) -> Signature:
    name = name or DEFAULT_SIGNATURE
    if name not in loaded.signatures:
        raise invalid(f"The model has no signature {quoted(name)}; name one of: {listed(loaded.signatures)}.")
    return loaded.signatures[name]


def _wanted(signature: Signature, names: Iterable[str]) -> tuple[str, ...]:
    """The outputs to compute, sorted; by default all."""
    if strange := [name for name in names if name not in signature.outputs]:
        raise invalid(
            f"Signature '{signature.name}' has no output {quoted(strange[0])}; it has {listed(signature.outputs)}."
        )
    return tuple(sorted(set(names) or signature.outputs))


def _described(service: str) -> descriptor.ServiceDescriptor:
    """A service's description, also for reflection.

    The API's modules put it into protobuf's pool. Those of 2.15 were written for an older protobuf and fail afterwards,
    at an attribute that cannot be set any more.
    """
    for module in ("prediction_service_pb2", "model_service_pb2"):
        with contextlib.suppress(AttributeError):
            importlib.import_module(f"tensorflow_serving.apis.{module}")
    return descriptor_pool.Default().FindServiceByName(service)
