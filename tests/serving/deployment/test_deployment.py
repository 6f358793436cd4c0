"""The files of `serving/`: what they name exists, what they say is the protocol's, what they send is answered."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from google.protobuf import json_format, text_format
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.config import model_server_config_pb2

from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.pose.pose_files import Poses, write_poses

SERVING = Path(__file__).parents[3] / "serving"


@pytest.fixture
def files(tmp_path, batch):
    """A photo and two pose files, and what is in them."""
    rng = np.random.default_rng(1)
    photo = rng.integers(0, 256, (90, 120, 3), np.uint8)
    source, target = batch(90, 120, batch=2, seed=5)["source_joints"]
    save_image(tmp_path / "me.png", photo)
    for name, joints in (("me", source), ("pose", target)):
        write_poses(tmp_path / f"{name}.json", Poses(joints[None], 120, 90))
    return [tmp_path / name for name in ("me.png", "me.json", "pose.json")], photo, source, target


def run(*command, **environment):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
    )


def test_labels_are_of_versions_that_are_served_and_the_stable_one_is_bundled():
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((SERVING / "models.config").read_text(), config)
    (model,) = config.model_config_list.config
    bundled = [
        int(folder.name) for folder in (SERVING.parent / "saved_models" / "lite").iterdir() if folder.name.isdigit()
    ]
    assert dict(model.version_labels) == {"stable": max(bundled), "canary": max(bundled) + 1}
    assert set(model.version_labels.values()) == set(model.model_version_policy.specific.versions)


def test_the_containers_files_are_there_and_its_ports_are_the_machines_own():
    (service,) = yaml.safe_load((SERVING / "compose.yaml").read_text())["services"].values()
    named = [argument.rpartition("/config/")[2] for argument in service["command"] if "/config/" in argument]
    assert sorted(named) == ["batching_parameters.txt", "models.config", "monitoring.config"]
    assert all((SERVING / name).is_file() for name in named)
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert (SERVING / service["volumes"][0].partition(":-")[2].partition("}")[0]).resolve().name == "saved_models"


def test_the_script_starts_the_server_that_is_there(tmp_path):
    server, seen = tmp_path / "server", tmp_path / "seen"
    server.write_text(f'#!/bin/sh\nfor a in "$@"; do echo "$a"; done > {seen}\ncp "${{3#*=}}" {seen}.config\n')
    server.chmod(0o755)
    (tmp_path / "my models").mkdir()
    done = run(SERVING / "start.sh", tmp_path / "my models", UNSEEN_POSE_MODEL_SERVER=str(server), GRPC_PORT="8600")
    assert done.returncode == 0, done.stderr
    arguments = seen.read_text().splitlines()
    assert "--port=8600" in arguments and "--rest_api_port=8501" in arguments
    assert f"--batching_parameters_file={SERVING / 'batching_parameters.txt'}" in arguments
    assert f'base_path: "{tmp_path / "my models" / "lite"}"' in seen.with_suffix(".config").read_text()


def test_the_script_says_what_is_missing(tmp_path):
    for arguments, missing in (([], "no-such-server"), ([tmp_path / "none"], "no folder")):
        done = run(SERVING / "start.sh", *arguments, UNSEEN_POSE_MODEL_SERVER="no-such-server")
        assert done.returncode == 2 and missing in done.stderr.splitlines()[-1]


def test_the_written_requests_are_answered(model_server, files, from_file):
    paths, photo, *_ = files
    request = predict_pb2.PredictRequest()
    json_format.Parse(run(sys.executable, SERVING / "request.py", "--grpc", *paths).stdout, request)
    answer = model_server.client.call("Predict", request, predict_pb2.PredictResponse)
    assert from_file(answer.outputs["image_bytes"].string_val[0]).shape == photo.shape


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_line_of_curl_gets_the_photo(model_server, files, tmp_path, from_file):
    _, photo, *_ = files
    (line,) = [line for line in (SERVING / "README.md").read_text().splitlines() if "| curl " in line]
    line = line.strip().replace("http://localhost:8501/v1/models", model_server.rest).replace("me.jpg", "me.png")
    done = run("bash", "-c", f"cd {tmp_path}; {line.replace('serving/request.py', str(SERVING / 'request.py'))}")
    assert done.returncode == 0, done.stderr
    assert from_file((tmp_path / "out.jpg").read_bytes()).shape == photo.shape


def test_the_example_client_needs_nothing_of_this_project(model_server, files, tmp_path, from_file):
    paths, photo, *_ = files
    example = (SERVING / "client_example.py").read_text()
    assert "tf_unseen_pose" not in example
    done = run(sys.executable, SERVING / "client_example.py", model_server.address, *paths, tmp_path / "out.jpg")
    assert done.returncode == 0, done.stderr
    content = (tmp_path / "out.jpg").read_bytes()
    assert done.stdout == f"{tmp_path / 'out.jpg'} holds the photo, {len(content)} bytes.\n"
    assert content[:3] == b"\xff\xd8\xff" and from_file(content).shape == photo.shape
    assert b"compositeWithTrainedAlgorithmicMedia" in content


def test_synthesize_and_animate_through_a_server(model_server, files, tmp_path, from_file):
    (photo, source, target), pixels, *_ = files
    common = ["--source-pose", source, "--server", model_server.address]
    program = [sys.executable, "-m", "tf_unseen_pose"]
    done = run(*program, "synthesize", photo, "--target", target, *common, "-o", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr
    result = from_file((tmp_path / "out.png").read_bytes())
    assert result.shape == pixels.shape and (result != pixels).any()
    assert b"compositeWithTrainedAlgorithmicMedia" in (tmp_path / "out.png").read_bytes()
    done = run(*program, "animate", photo, "--driving", target, *common, "--no-retarget", "-o", tmp_path / "out.mp4")
    assert done.returncode == 0 and (tmp_path / "out.mp4").stat().st_size > 500, done.stderr
    done = run(*program, "synthesize", photo, "--target", target, "--server-token", source, "-o", tmp_path / "a.png")
    assert done.returncode == 2 and "name it with --server" in done.stderr
