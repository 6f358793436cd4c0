"""The page about phones: its tensors are the shipped file's, and its calls, made in Python, compute what is right."""

import re

import numpy as np
import pytest
from ai_edge_litert.compiled_model import CompiledModel

from tf_unseen_pose.inference.lite_file import LiteFile
from tf_unseen_pose.pose.joint_formats import HEAD_BEYOND_EARS, LEAST_VISIBILITY

SIGNATURE = re.compile(r"^\| (\d) `(\w+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
TENSOR = re.compile(r"^\| (`[^|]+`) \| \[([\d, ]+)\] \|", re.MULTILINE)
STATE = ["hole", "image", "joints", "layers", "matte"]


@pytest.fixture(scope="module")
def path(root):
    return root / "saved_models" / "lite" / "tflite" / "float16.tflite"


@pytest.fixture(scope="module")
def file(path):
    return LiteFile.open(path)


@pytest.fixture(scope="module")
def compiled(path):
    return CompiledModel.from_file(str(path))


def tables(pages):
    """{signature's number and name: names of inputs and of outputs} and {tensor: shape} as the page has them."""
    text = pages["docs/phones"].text
    signatures = {
        (int(number), name): tuple(sorted(re.findall(r"`(\w+)`", side)) for side in sides)
        for number, name, *sides in SIGNATURE.findall(text)
    }
    shapes = {
        name: tuple(map(int, shape.split(", ")))
        for names, shape in TENSOR.findall(text)
        for name in re.findall(r"`(\w+)`", names)
    }
    return signatures, shapes


def test_signatures_and_tensors_are_those_of_the_file(pages, compiled, file):
    signatures, shapes = tables(pages)
    names, found = {}, set()
    for number in range(compiled.get_num_signatures()):
        name = compiled.get_signature_by_index(number)["key"]
        assert compiled.get_signature_index(name) == number
        names[number, name] = tuple(sorted(compiled.get_signature_list()[name][way]) for way in ("inputs", "outputs"))
        for details in (file.inputs(name), file.outputs(name)):
            assert {kind for _, kind in details.values()} == {"float32"}
            found |= {(tensor, shape) for tensor, (shape, _) in details.items()}
    assert signatures == names and len(names) == 4
    assert set(shapes.items()) == found


@pytest.fixture(scope="module")
def content(lite_files):
    """A file as it is exported now, small."""
    return (lite_files[1] / "float32.tflite").read_bytes()


def test_the_calls_of_the_page_compute_what_the_interpreter_does(content):
    """Buffers by name, the state copied from encode_source's outputs to render's inputs, two poses after one photo."""
    compiled, file = CompiledModel.from_buffer(content), LiteFile(content)
    rng = np.random.default_rng(0)
    source, target = (rng.uniform(5, 60, (2, 1, 14, 4)) * [1, 1, 0, 0] + [0, 0, 1, 0]).astype(np.float32)
    inputs = {"image": rng.uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32), "source_joints": source[..., :3]}
    photo = {name: compiled.create_input_buffer_by_name("encode_source", name) for name in ("image", "source_joints")}
    encoded = {name: compiled.create_output_buffer_by_name("encode_source", name) for name in STATE}
    posed = {name: compiled.create_input_buffer_by_name("render", name) for name in (*STATE, "target_joints")}
    rendered = {"image": compiled.create_output_buffer_by_name("render", "image")}
    for name, buffer in photo.items():
        buffer.write(inputs[name])
    compiled.run_by_name("encode_source", photo, encoded)
    state = file["encode_source"](**inputs)
    for name in STATE:
        made = encoded[name].read(state[name].size, np.float32)
        np.testing.assert_allclose(made, state[name].ravel(), atol=1e-5, err_msg=name)
        posed[name].write(made)
    pictures = []
    for joints in (target, target + np.float32([6, -4, 0, 0])):
        posed["target_joints"].write(joints)
        compiled.run_by_name("render", posed, rendered)
        pictures.append(rendered["image"].read(64 * 64 * 3, np.float32))
        expected = file["render"](**state, target_joints=joints)["image"]
        np.testing.assert_allclose(pictures[-1], expected.ravel(), atol=1e-4)
    assert np.abs(pictures[0] - pictures[1]).max() > 0.1
    inputs["target_joints"] = target
    whole = {name: compiled.create_input_buffer_by_name("synthesize", name) for name in inputs}
    for name, buffer in whole.items():
        buffer.write(inputs[name])
    made = {"image": compiled.create_output_buffer_by_name("synthesize", "image")}
    compiled.run_by_name("synthesize", whole, made)
    np.testing.assert_allclose(made["image"].read(64 * 64 * 3, np.float32), pictures[0], atol=1e-4)


def test_numbers_of_the_text_are_the_packages(pages):
    text = " ".join(pages["docs/phones"].text.split())
    assert f"by {HEAD_BEYOND_EARS} of the way" in text and f"below {LEAST_VISIBILITY} is 0" in text
