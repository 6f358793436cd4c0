import flatbuffers
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from tf_unseen_pose.export.tflite.flatbuffer import graphs, with_metadata
from tf_unseen_pose.inference.lite_file import LiteFile, metadata


def with_constants_behind(content):
    """The model as the quantizer writes large ones: constants of 1000 bytes and more after the flatbuffer."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    described = {entry.buffer for entry in model.metadata}
    moved = {
        i: buffer.data.tobytes()
        for i, buffer in enumerate(model.buffers)
        if i not in described and buffer.data is not None and len(buffer.data) > 999
    }

    def packed(places):
        for i, place in places.items():
            model.buffers[i].data, model.buffers[i].offset, model.buffers[i].size = None, place, len(moved[i])
        builder = flatbuffers.Builder(0)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    # Once to learn where the flatbuffer ends: every place takes as many bytes.
    end = 16 * -(-len(packed(dict.fromkeys(moved, 10**6))) // 16)
    places, tail = {}, b""
    for i, data in moved.items():
        places[i] = end + len(tail)
        tail += data + bytes(-len(data) % 16)
    return packed(places).ljust(end, b"\0") + tail


def test_constants_behind_the_flatbuffer_are_brought_in(lite_contents, joints):
    content = lite_contents["float16"]
    behind = with_constants_behind(content)
    brought = with_metadata(behind, "note", b"kept")
    source = joints(seed=1)
    inputs = {
        "image": np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32),
        "source_joints": source,
        "target_joints": np.concatenate([joints(seed=2), np.zeros((1, 14, 1), np.float32)], axis=2),
    }
    pictures = [LiteFile(each)["synthesize"](**inputs)["image"] for each in (content, behind, brought)]
    np.testing.assert_array_equal(pictures[1], pictures[0])
    np.testing.assert_array_equal(pictures[2], pictures[0])
    assert len(brought) < len(behind) + 1000 and metadata(brought) == metadata(content)
    model = schema.Model.GetRootAs(brought, 0)
    assert not any(model.Buffers(i).Offset() for i in range(model.BuffersLength()))
    for graph, other in zip(graphs(behind), graphs(content), strict=True):
        assert graph.operations == other.operations


def test_only_inputs_and_outputs_keep_their_names(lite_contents):
    for graph in graphs(lite_contents["float16"]):
        inner = {tensor for operation in graph.operations for tensor in operation.outputs} - set(graph.outputs)
        assert inner and {graph.tensor_name(tensor) for tensor in inner} == {""}
        assert all(graph.tensor_name(tensor) for tensor in (*graph.inputs, *graph.outputs))


def test_only_quantized_tensors_say_how_they_are_quantized(lite_contents):
    counts = {}
    for variant in ("float16", "int8"):
        model = schema.ModelT.InitFromPackedBuf(lite_contents[variant], 0)
        tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
        described = [tensor.quantization for tensor in tensors if tensor.quantization]
        assert all(len(quantization.scale) for quantization in described)
        counts[variant] = len(described)
    assert counts["float16"] == 0 < counts["int8"]


def test_equal_shapes_are_written_once(lite_contents):
    model = schema.Model.GetRootAs(lite_contents["float16"], 0)
    graphs_of = [model.Subgraphs(i) for i in range(model.SubgraphsLength())]
    tensors = [graph.Tensors(i) for graph in graphs_of for i in range(graph.TensorsLength())]
    tensors = [tensor for tensor in tensors if tensor.ShapeLength()]
    places = {(tuple(tensor.ShapeAsNumpy()), tensor._tab.Vector(tensor._tab.Offset(4))) for tensor in tensors}
    assert len(tensors) > len(places) == len({shape for shape, _ in places})


def test_no_map_of_one_value_is_stored(lite_contents):
    """Such as a map of ones: 64 kB for each channel of `lite`'s."""
    model = schema.ModelT.InitFromPackedBuf(lite_contents["float16"], 0)
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    constants = [model.buffers[i].data for i in used if model.buffers[i].data is not None]
    large = [np.asarray(data).view(np.int32) for data in constants if len(data) >= 2048]
    assert large and all(np.ptp(values) for values in large)


def test_slices_of_whole_tensors_are_left_out(tmp_path):
    """Those that turn round or that are results stay."""

    @tf.function(input_signature=[tf.TensorSpec([2, 3])])
    def used(x):
        column = (3 * x)[..., None]
        return {"turned": 2 * column[:, ::-1], "whole": (x + 1)[:, :3], "part": column[:1] - 1}

    module = tf.Module()
    tf.saved_model.save(module, str(tmp_path), {"used": used.get_concrete_function()})
    content = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path), ["used"]).convert()
    finished = with_metadata(content, "note", b"kept")
    slices = [
        sum(operation.kind == "STRIDED_SLICE" for operation in graph.operations)
        for each in (content, finished)
        for graph in graphs(each)
    ]
    assert slices[1] == slices[0] - 1 and slices[1] >= 2
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    found = Interpreter(model_content=finished).get_signature_runner("used")(x=x)
    np.testing.assert_allclose(found["turned"], 6 * x[:, ::-1, None])
    np.testing.assert_allclose(found["whole"], x + 1)
    np.testing.assert_allclose(found["part"], 3 * x[:1, :, None] - 1)


def test_metadata_replaces_that_of_its_name(lite_contents):
    twice = with_metadata(with_metadata(lite_contents["int8"], "unseen_pose.json", b"old"), "unseen_pose.json", b"new")
    assert metadata(twice) == b"new"
