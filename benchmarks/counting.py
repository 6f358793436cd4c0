"""Multiply-accumulates of a traced function, counted in its graph.

What counts is what the graph will do, not what a configuration says: convolutions (plain, grouped, depthwise,
transposed), their gradients and matrix products, with the graph's static shapes, in the function and in all that it
calls. Everything elementwise is left out, as is usual. A loop's body counts once.
"""

import math


def multiply_accumulates(concrete_function) -> int:
    """Multiply-accumulates of one call.

    Args:
        concrete_function: traced with static shapes, batch included.

    Raises:
        ValueError: an operation that counts has no static shape; it is named.
    """
    return _of_graph(concrete_function.graph)


def _of_graph(graph) -> int:
    return sum(_of_operation(operation, graph) for operation in graph.get_operations())


def _of_operation(operation, graph) -> int:
    if operation.type in _COUNTED:
        return _COUNTED[operation.type](operation)
    return sum(_of_graph(_called(name, graph)) for name in _function_names(operation))


def _function_names(operation) -> list[str]:
    """Functions that an operation calls: the `f` of a PartitionedCall, the branches of an If, a While's body."""
    names = []
    for value in operation.node_def.attr.values():
        names += [value.func.name] if value.HasField("func") else []
        names += [function.name for function in value.list.func]
    return names


def _called(name: str, graph):
    # The definition in the graph's library has lost its static shapes; the graph it was made from has them.
    return graph._get_function(name).graph


def _shape(tensor) -> list[int]:
    if not tensor.shape.is_fully_defined():
        raise ValueError(f"{tensor.name} has the shape {tensor.shape}; trace the function with static shapes")
    return tensor.shape.as_list()


def _convolution(operation) -> int:
    """Each output number takes a kernel's height x width x channels (of its group)."""
    height, width, channels, _ = _shape(operation.inputs[1])
    return math.prod(_shape(operation.outputs[0])) * height * width * channels


def _sides(kernel) -> int:
    """Height x width; the channels of a depthwise kernel may be unknown, as those of tf.image.ssim's."""
    height, width = kernel.shape.as_list()[:2]
    return height * width


def _depthwise(operation) -> int:
    return math.prod(_shape(operation.outputs[0])) * _sides(operation.inputs[1])


def _transposed(operation) -> int:
    """Each input number is spread over a kernel's height x width x output channels; a convolution's gradient, too."""
    height, width, channels, _ = _shape(operation.inputs[1])
    return math.prod(_shape(operation.inputs[2])) * height * width * channels


def _kernel_gradient(operation) -> int:
    """Each number of the kernel is a sum over all places of the gradient that comes in."""
    height, width, channels, _ = _shape(operation.outputs[0])
    return math.prod(_shape(operation.inputs[2])) * height * width * channels


def _depthwise_gradient(operation) -> int:
    return math.prod(_shape(operation.inputs[2])) * _sides(operation.inputs[1])


def _depthwise_kernel_gradient(operation) -> int:
    return math.prod(_shape(operation.inputs[2])) * _sides(operation.outputs[0])


def _product(operation) -> int:
    inner = -2 if operation.get_attr(_TRANSPOSED[operation.type]) else -1
    return math.prod(_shape(operation.outputs[0])) * _shape(operation.inputs[0])[inner]


_TRANSPOSED = {"MatMul": "transpose_a", "BatchMatMul": "adj_x", "BatchMatMulV2": "adj_x", "BatchMatMulV3": "adj_x"}
_COUNTED = {
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "Conv2DBackpropInput": _transposed,
    "Conv2DBackpropFilter": _kernel_gradient,
    "DepthwiseConv2dNativeBackpropInput": _depthwise_gradient,
    "DepthwiseConv2dNativeBackpropFilter": _depthwise_kernel_gradient,
    **dict.fromkeys(_TRANSPOSED, _product),
}


def parameters(model) -> int:
    """Trainable numbers of a Keras model."""
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)
