"""Inspects every operation of a file before it is written.

Allowed are stateless builtin operations: no Flex, no custom ones. No output may be an input handed through, which
LiteRT's CompiledModel reads as zeros. Only convolutions and the operations between them may be quantized; a chain of
quantized operations without a convolution would be geometry.
"""

from collections import Counter
from typing import NoReturn

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.tflite.flatbuffer import Graph, Operation, graphs

# Operations with a state, or that call other subgraphs.
_STATEFUL = {
    "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE", "CALL", "IF", "WHILE",
    "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_SIZE",
    "RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL",
}  # fmt: skip
CONVOLUTION = "CONV_2D"
_NEIGHBOURS = {"RESIZE_BILINEAR", "ADD", "CONCATENATION"}
_BORDERS = {"QUANTIZE", "DEQUANTIZE"}


def require_portable(content: bytes, variant: str) -> dict[str, dict[str, int]]:
    """Inspects a model.

    Args:
        variant: its name in messages; only "int8" may have quantized maps.

    Returns:
        The number of operations of each kind per subgraph.

    Raises:
        UserError: an operation that devices lack, or one in int8 that must be float.
    """
    counts = {}
    for graph in graphs(content):
        for operation in graph.operations:
            if operation.custom or operation.kind in ("CUSTOM", "DELEGATE") or operation.kind in _STATEFUL:
                raise UserError(
                    f"The {variant} file would hold the operation {operation.custom or operation.kind}, which devices "
                    "do not have; nothing was exported: try the other TensorFlow stack, and report this."
                )
            if any(graph.is_variable(tensor) for tensor in (*operation.inputs, *operation.outputs)):
                raise UserError(
                    f"The {variant} file would keep a state in {operation.kind}; nothing was exported: try the other "
                    "TensorFlow stack, and report this."
                )
        for tensor in set(graph.inputs) & set(graph.outputs):
            raise UserError(
                f"The {variant} file would hand its input {graph.tensor_name(tensor)} through, which some runtimes "
                "read as zeros; nothing was exported: report this."
            )
        _require_float_geometry(graph, variant)
        counts[graph.name] = dict(Counter(operation.kind for operation in graph.operations))
    return counts


def _require_float_geometry(graph: Graph, variant: str) -> None:
    """Rejects quantized maps that do not belong to a convolution or its neighbours."""
    group: dict[int, int] = {}

    def find(tensor: int) -> int:
        while group.setdefault(tensor, tensor) != tensor:
            tensor = group[tensor]
        return tensor

    convolved, quantized = set(), []
    for operation in graph.operations:
        maps = [tensor for tensor in (*operation.inputs, *operation.outputs) if graph.is_quantized(tensor)]
        if not maps or operation.kind in _BORDERS:
            continue
        if operation.kind not in {CONVOLUTION, *_NEIGHBOURS}:
            _refuse(graph, operation, variant)
        for tensor in maps[1:]:
            group[find(tensor)] = find(maps[0])
        quantized.append((operation, maps[0]))
        if operation.kind == CONVOLUTION:
            convolved.add(maps[0])
    convolved = {find(tensor) for tensor in convolved}
    for operation, tensor in quantized:
        if find(tensor) not in convolved:
            _refuse(graph, operation, variant)


def _refuse(graph: Graph, operation: Operation, variant: str) -> NoReturn:
    raise UserError(
        f"The {variant} file would compute {graph.tensor_name(operation.outputs[0])} ({operation.kind}) in integers, "
        "which is no convolution's neighbour; nothing was exported: report this."
    )
