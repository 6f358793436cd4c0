"""Reads the operations of TFLite files, removes idle ones, and adds a metadata entry."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
_IDENTIFIER = b"TFL3"


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        kind: TFLite's name, such as CONV_2D.
        custom: the name of a custom operation, including Flex; None for a builtin one.
        inputs, outputs: its tensors, without constants.
    """

    kind: str
    custom: str | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Graph:
    """One subgraph of a model: `operations` in order, `inputs`, `outputs`, and facts about its tensors."""

    def __init__(self, model: schema.ModelT, subgraph: schema.SubGraphT):
        self._model, self._subgraph = model, subgraph
        self.name = subgraph.name.decode()
        self.inputs, self.outputs = (tuple(map(int, ends)) for ends in (subgraph.inputs, subgraph.outputs))

    @cached_property
    def operations(self) -> list[Operation]:
        """In execution order."""
        return [self._operation(found) for found in self._subgraph.operators]

    def is_quantized(self, tensor: int) -> bool:
        """Whether a tensor is quantized."""
        return _is_quantized(self._subgraph.tensors[tensor])

    def is_constant(self, tensor: int) -> bool:
        """Whether a tensor's values are stored in the file."""
        data = self._model.buffers[self._subgraph.tensors[tensor].buffer].data
        return data is not None and len(data) > 0

    def is_variable(self, tensor: int) -> bool:
        """Whether a tensor keeps a state between calls."""
        return bool(self._subgraph.tensors[tensor].isVariable)

    def tensor_name(self, tensor: int) -> str:
        """A tensor's name in the graph; "" for an inner tensor of a file that is finished."""
        return (self._subgraph.tensors[tensor].name or b"").decode()

    def _operation(self, found: schema.OperatorT) -> Operation:
        code = self._model.operatorCodes[found.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        custom = code.customCode.decode() if code.customCode else None
        inputs = tuple(int(i) for i in found.inputs if i >= 0 and not self.is_constant(i))
        return Operation(_NAMES.get(kind, str(kind)), custom, inputs, tuple(map(int, found.outputs)))


def _is_quantized(tensor):
    parameters = tensor.quantization
    return parameters is not None and parameters.scale is not None and len(parameters.scale) > 0


def _unpacked(content: bytes) -> schema.ModelT:
    """A model as complete objects, including the large constants that the quantizer stores behind the flatbuffer."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.size > 1:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def graphs(content: bytes) -> Iterator[Graph]:
    """The subgraphs of a model, one per signature."""
    model = _unpacked(content)
    return (Graph(model, subgraph) for subgraph in model.subgraphs)


class _AlignedBuffer(schema.BufferT):
    """A buffer aligned to 16 bytes, as the format requires; Python's writer aligns to 4."""

    def __init__(self, data: np.ndarray | None):
        super().__init__()
        self.data = data

    def Pack(self, builder):
        vector = None
        if self.data is not None:
            content = np.asarray(self.data).tobytes()
            builder.StartVector(1, len(content), 16)
            builder.head -= len(content)
            builder.Bytes[builder.head : builder.head + len(content)] = content
            vector = builder.EndVector()
        schema.BufferStart(builder)
        if vector is not None:
            schema.BufferAddData(builder, vector)
        return schema.BufferEnd(builder)


class _SharingBuilder(flatbuffers.Builder):
    """Writes equal vectors of numbers once; most are shapes and lists of tensors."""

    def __init__(self, size: int):
        super().__init__(size)
        self._written: dict[bytes, int] = {}
        self._start: int | None = None
        self.head: int

    def StartVector(self, elemSize, numElems, alignment):
        # A vector that is aligned to more than its length might not be so at another place.
        self._start, self._length = (self.Offset() if alignment <= 4 else None), 4 + elemSize * numElems
        return super().StartVector(elemSize, numElems, alignment)

    def PrependUOffsetTRelative(self, off):
        # The vector holds distances, which mean something else at another place.
        self._start = None
        super().PrependUOffsetTRelative(off)

    def EndVector(self, numElems=None):
        offset, start, self._start = super().EndVector(), self._start, None
        if start is None:
            return offset
        shared = self._written.setdefault(bytes(self.Bytes[self.head : self.head + self._length]), offset)
        if shared != offset:
            self.head = len(self.Bytes) - start
        return shared


def _remove_idle_slices(model, subgraph, signatures):
    """Removes slices of whole tensors, and then the tensors that nothing uses."""
    replaced: dict[int, int] = {}
    kept = []
    for operation in subgraph.operators:
        operation.inputs = [replaced.get(int(i), int(i)) for i in operation.inputs]
        if _is_idle_slice(model, subgraph, operation):
            replaced[int(operation.outputs[0])] = operation.inputs[0]
        else:
            kept.append(operation)
    subgraph.operators = kept
    used = {int(i) for one in [*kept, subgraph] for i in (*one.inputs, *one.outputs) if i >= 0}
    number = {old: new for new, old in enumerate(sorted(used))} | {-1: -1}
    subgraph.tensors = [subgraph.tensors[old] for old in sorted(used)]
    for one in (*kept, subgraph):
        one.inputs, one.outputs = ([number[int(i)] for i in ends] for ends in (one.inputs, one.outputs))
    for end in (end for signature in signatures for end in (*signature.inputs, *signature.outputs)):
        end.tensorIndex = number[end.tensorIndex]


def _is_idle_slice(model, subgraph, operation):
    code = model.operatorCodes[operation.opcodeIndex]
    if code.builtinCode != schema.BuiltinOperator.STRIDED_SLICE or operation.outputs[0] in subgraph.outputs:
        return False
    whole, part = (subgraph.tensors[ends[0]] for ends in (operation.inputs, operation.outputs))
    strides = model.buffers[subgraph.tensors[operation.inputs[3]].buffer].data
    # A tensor of unknown size has no fixed shape, and a negative stride turns it round.
    fixed = whole.shapeSignature is None and strides is not None
    return fixed and list(whole.shape) == list(part.shape) and (np.asarray(strides).view(np.int32) == 1).all()


def with_metadata(content: bytes, name: str, value: bytes) -> bytes:
    """The same model with a metadata entry, replacing one of that name, entirely within the flatbuffer.

    Names of tensors that are neither inputs nor outputs are left out: 80 kB of `lite` that no runtime reads. So are
    slices that take all of a tensor, 20 kB (the converter writes each new axis, `x[..., None]`, as a reshape and one),
    and the empty description of how a tensor that is not quantized is quantized, 40 kB. Equal shapes and lists of
    tensors are written once, which saves 110 kB.
    """
    model = _unpacked(content)
    for index, subgraph in enumerate(model.subgraphs):
        signatures = [signature for signature in model.signatureDefs or [] if signature.subgraphIndex == index]
        _remove_idle_slices(model, subgraph, signatures)
        ends = {*map(int, subgraph.inputs), *map(int, subgraph.outputs)}
        for number, tensor in enumerate(subgraph.tensors):
            tensor.name = tensor.name if number in ends else None
            if not _is_quantized(tensor):
                tensor.quantization = None
    entries = [entry for entry in model.metadata or [] if entry.name != name.encode()]
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers)
    data = [*(buffer.data for buffer in model.buffers), np.frombuffer(value, np.uint8)]
    model.buffers = [_AlignedBuffer(values) for values in data]
    model.metadata = [*entries, entry]
    builder = _SharingBuilder(len(content) + len(value))
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())
