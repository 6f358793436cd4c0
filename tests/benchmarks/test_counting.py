import keras
import pytest
import tensorflow as tf

from benchmarks.counting import multiply_accumulates, parameters
from tf_unseen_pose.config import load_config
from tf_unseen_pose.model import build_generator


def counted(function, *shapes):
    function = tf.function(function)
    return multiply_accumulates(function.get_concrete_function(*(tf.TensorSpec(shape) for shape in shapes)))


def test_convolution_with_stride_and_padding():
    kernel = tf.zeros([3, 5, 4, 6])
    same = counted(lambda x: tf.nn.conv2d(x, kernel, 2, "SAME"), [2, 9, 12, 4])
    assert same == 2 * 5 * 6 * 6 * (3 * 5 * 4)
    valid = counted(lambda x: tf.nn.conv2d(x, kernel, 1, "VALID"), [2, 9, 12, 4])
    assert valid == 2 * 7 * 8 * 6 * (3 * 5 * 4)


def test_grouped_and_depthwise_convolution():
    grouped = counted(lambda x: tf.nn.conv2d(x, tf.zeros([3, 3, 2, 6]), 1, "SAME"), [1, 8, 10, 4])
    assert grouped == 8 * 10 * 6 * 9 * 2
    depthwise = counted(
        lambda x: tf.nn.depthwise_conv2d(x, tf.zeros([3, 3, 4, 2]), [1, 2, 2, 1], "SAME"), [1, 8, 10, 4]
    )
    assert depthwise == 4 * 5 * 8 * 9


def test_transposed_convolution_counts_as_its_mirror_image():
    layer = keras.layers.Conv2DTranspose(6, 3, 2, "same")
    layer.build((1, 5, 7, 4))
    assert counted(layer, [1, 5, 7, 4]) == 5 * 7 * 4 * 9 * 6


def test_gradients_cost_what_the_convolution_does():
    def gradients(x):
        kernel, of_each = tf.ones([3, 5, 4, 6]), tf.ones([3, 3, 4, 2])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, kernel, of_each])
            plain = tf.nn.conv2d(x, kernel, 2, "SAME")
            depthwise = tf.nn.depthwise_conv2d(x, of_each, [1, 2, 2, 1], "SAME")
        return tape.gradient(plain, [x, kernel]), tape.gradient(depthwise, [x, of_each])

    plain, depthwise = 2 * 5 * 6 * 6 * (3 * 5 * 4), 2 * 5 * 6 * 8 * 9
    # Forward, to the input, to the kernel.
    assert counted(gradients, [2, 9, 12, 4]) == 3 * plain + 3 * depthwise


def test_products_with_transposed_operands():
    assert counted(lambda a, b: tf.linalg.matmul(a, b, transpose_a=True), [5, 2], [5, 3]) == 2 * 3 * 5
    assert counted(lambda a, b: tf.linalg.matmul(a, b, adjoint_b=True), [7, 2, 5], [7, 3, 5]) == 7 * 2 * 3 * 5


def test_functions_within_functions_count_as_often_as_they_are_called():
    @tf.function
    def inner(x):
        return tf.nn.conv2d(x, tf.zeros([1, 1, 4, 4]), 1, "SAME")

    @tf.function
    def middle(x):
        return inner(inner(x))

    assert counted(lambda x: middle(x) + inner(x), [1, 6, 5, 4]) == 3 * (6 * 5 * 4 * 4)


def test_without_a_static_shape_it_names_the_tensor():
    with pytest.raises(ValueError, match="Conv2D:0"):
        counted(lambda x: tf.nn.conv2d(x, tf.zeros([1, 1, 4, 4]), 1, "SAME"), [None, 6, 5, 4])


def size_of(preset):
    """Parameters, and multiply-accumulates of the whole and of `render`, in millions and thousands of millions."""
    model = load_config(preset).model
    generator = build_generator(model)
    image, joints = [1, 256, 256, 3], [1, model.body.joint_count, 3]
    whole = counted(
        lambda image, source, target: generator.render(generator.encode_source(image, source), target),
        image, joints, joints,
    )  # fmt: skip
    return parameters(generator) / 1e6, whole / 1e9, (whole - counted(generator.encode_source, image, joints)) / 1e9


def test_the_papers_network_has_the_size_that_is_known_of_it():
    assert size_of("paper") == pytest.approx((7.86, 56.5, 23.7), abs=0.05)


def test_lite_keeps_its_budget():
    size, whole, render = size_of("lite")
    assert 1 < size < 3 and 1 < whole < 6 and 0.5 < render < 2
