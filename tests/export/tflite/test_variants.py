from tf_unseen_pose.export.tflite.flatbuffer import graphs


def quantized(content, kind):
    """How many operations of a kind have maps in integers, and how many there are."""
    found = [operation for graph in graphs(content) for operation in graph.operations if operation.kind == kind]
    integers = [
        operation
        for graph in graphs(content)
        for operation in graph.operations
        if operation.kind == kind and all(map(graph.is_quantized, operation.outputs))
    ]
    return len(integers), len(found)


def test_int8_is_for_convolutions_and_what_lies_between_them(lite_contents):
    integers, convolutions = quantized(lite_contents["int8"], "CONV_2D")
    assert integers == convolutions > 30
    # Of the upsampled maps only those within the networks, likewise of additions and concatenations.
    for kind in ("RESIZE_BILINEAR", "ADD", "CONCATENATION"):
        integers, found = quantized(lite_contents["int8"], kind)
        assert 0 < integers < found, kind
    for kind in ("GATHER", "SOFTMAX", "LOGISTIC", "MUL", "DIV", "EXP", "FLOOR"):
        integers, found = quantized(lite_contents["int8"], kind)
        assert integers == 0 < found, kind


def test_other_variants_have_no_maps_in_integers(lite_contents):
    for variant in ("float32", "float16", "dynamic"):
        assert quantized(lite_contents[variant], "CONV_2D")[0] == 0


def test_buffers_begin_where_the_format_wants_them(lite_contents):
    from ai_edge_litert.schema_py_generated import Model

    for variant, content in lite_contents.items():
        model = Model.GetRootAs(content, 0)
        total = 0
        for i in range(model.BuffersLength()):
            data = model.Buffers(i).DataAsNumpy()
            if not isinstance(data, int) and len(data) > 64:
                offset = data.__array_interface__["data"][0] - _address(content)
                assert offset % 16 == 0, (variant, i)
                total += len(data)
        # The graph itself takes 230 kB.
        assert total > 40_000, variant


def _address(content):
    import numpy as np

    return np.frombuffer(content, np.uint8).__array_interface__["data"][0]
