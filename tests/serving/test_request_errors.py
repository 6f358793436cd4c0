import grpc
import pytest
import tensorflow as tf

from tf_unseen_pose.serving.request_errors import RequestError, from_model, listed, quoted

GRAPH = """Graph execution error:

Detected at node decode/DecodeImage defined at (most recent call last):
  File "/home/somebody/model.py", line 3, in call
<stack traces unavailable>
Expected image (JPEG, PNG, or GIF), got unknown format
\t [[{{node decode/DecodeImage}}]] [Op:__inference_signature_wrapper_42]"""
TWO = """2 root error(s) found.
  (0) INVALID_ARGUMENT:  Incompatible shapes: [2] vs. [3]
\t [[{{node add}}]]
  (1) INVALID_ARGUMENT:  Another
0 successful operations."""


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (GRAPH, "Expected image (JPEG, PNG, or GIF), got unknown format"),
        (TWO, "Incompatible shapes: [2] vs. [3]"),
        ("{{function_node __wrapped__Mul}} shapes differ [Op:Mul]", "shapes differ"),
        ("assertion failed: [x is too large] [Condition x < y:] [x = ] [7 8]", "x is too large"),
        ("assertion failed: [Joint 3 of [0, 14) is missing.]", "Joint 3 of [0, 14) is missing."),
        ("", "it does not say why."),
    ],
)
def test_of_tensorflows_messages_the_sentence_is_told(message, fault):
    error = from_model(tf.errors.InvalidArgumentError(None, None, message))
    assert error.code == grpc.StatusCode.INVALID_ARGUMENT
    assert error.sentence == f"The model refuses these inputs: {fault}"


def test_too_little_memory_is_no_fault_of_the_server_and_others_are():
    for error in (tf.errors.ResourceExhaustedError(None, None, "OOM"), MemoryError()):
        assert from_model(error).code == grpc.StatusCode.RESOURCE_EXHAUSTED
    for error in (tf.errors.InternalError(None, None, "x"), ZeroDivisionError()):
        assert from_model(error) is error


def test_what_clients_write_is_cut_and_escaped():
    assert quoted("a\nb") == r"'a\nb'" and len(quoted("x" * 10**6)) < 70
    assert len(RequestError(grpc.StatusCode.NOT_FOUND, "x" * 10**6).sentence) == 500
    assert listed(["b", "a"]) == "a, b" and listed([]) == "none"
