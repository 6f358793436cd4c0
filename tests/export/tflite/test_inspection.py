import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.export.tflite.conversion import convert_saved_model
from tf_unseen_pose.export.tflite.inspection import require_portable


@pytest.fixture
def converted(tmp_path):
    """A function of one picture [1, 8, 8, 3] as TFLite."""

    def convert(function, module=None, quantize=False, **options):
        graph = tf.function(function, input_signature=[tf.TensorSpec([1, 8, 8, 3])])
        tf.saved_model.save(module or tf.Module(), str(tmp_path / "model"), signatures=graph)
        if not (options or quantize):
            return convert_saved_model(tmp_path / "model", ("serving_default",))
        converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "model"))
        converter.target_spec.supported_ops = options.get("ops", [tf.lite.OpsSet.TFLITE_BUILTINS])
        if quantize:
            rng = np.random.default_rng(0)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: (
                [rng.uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)] for _ in range(3)
            )
        return converter.convert()

    return convert


def kernel():
    return tf.constant(np.random.default_rng(0).normal(size=(3, 3, 3, 4)), tf.float32)


def test_every_variant_of_ours_passes(lite_contents):
    counts = {variant: require_portable(content, variant) for variant, content in lite_contents.items()}
    for variant, graphs in counts.items():
        assert len(graphs) == 4 and all(graph["CONV_2D"] > 5 for graph in graphs.values()), variant
    assert not any("QUANTIZE" in graph for graph in (*counts["float32"].values(), *counts["dynamic"].values()))
    assert all(graph["QUANTIZE"] > 0 for graph in counts["int8"].values())


def test_a_flex_operation_is_refused(converted, refuses):
    flex = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    content = converted(lambda x: tf.linalg.inv(x[0, :, :, 0]), ops=flex)
    refuses(lambda: require_portable(content, "float32"), "FlexMatrixInverse", "devices")


def test_an_input_handed_through_is_refused(converted, refuses):
    content = converted(lambda x: {"same": x, "other": x * 2.0})
    refuses(lambda: require_portable(content, "float32"), "hand its input", "zeros")


def test_whole_graph_quantization_is_refused(converted, refuses):
    """A warp's arithmetic in int8, with a convolution elsewhere in the graph."""

    def graph(x):
        return {"maps": tf.nn.conv2d(x, kernel(), 1, "SAME"), "moved": tf.sin(x[:, :4] * 3.0) - x[:, 4:]}

    content = converted(graph, quantize=True)
    refuses(lambda: require_portable(content, "int8"), "in integers")


def test_an_addition_that_meets_no_convolution_is_refused(converted, refuses):
    content = converted(
        lambda x: {"sum": x + tf.constant(np.random.default_rng(0).normal(size=[1, 8, 8, 3]), tf.float32)},
        quantize=True,
    )
    refuses(lambda: require_portable(content, "int8"), "in integers")


def test_a_convolution_with_an_addition_in_int8_passes(converted):
    def graph(x):
        maps = tf.nn.conv2d(x, kernel(), 1, "SAME")
        return {"maps": maps + tf.nn.conv2d(maps, tf.ones([1, 1, 4, 4]), 1, "SAME")}

    counts = require_portable(converted(graph, quantize=True), "int8")
    assert sum(graph.get("ADD", 0) for graph in counts.values()) == 1


def test_what_tflite_lacks_is_named(converted, refuses):
    refuses(
        lambda: converted(lambda x: tf.raw_ops.Betainc(a=x + 2.0, b=x + 3.0, x=x)), "Betainc", "nothing was exported"
    )
