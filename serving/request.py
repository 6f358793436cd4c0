#!/usr/bin/env python3
"""Writes a request for signature `repose_photo` as JSON, for curl or grpcurl; needs Python alone.

    serving/request.py me.jpg me.json pose.json > request.json           for REST
    serving/request.py --grpc me.jpg me.json pose.json > request.json    for grpcurl

me.json and pose.json are pose files of this project (`unseen-pose pose me.jpg -o me.json`), in pixels of the photo.
"""

import argparse
import base64
import json
from pathlib import Path

# Of the answer: jpeg or png.
FORMAT = "jpeg"


def joints_of(path: str, columns: int) -> list[list[float]]:
    """The first pose of a pose file: x, y, visibility and, with 4 columns, depth where the file has it."""
    return [joint[:columns] for joint in json.loads(Path(path).read_text())["poses"][0]["joints"]]


def rest(photo: str, source: list, target: list) -> dict:
    """The body of a POST to /v1/models/MODEL:predict."""
    return {
        "signature_name": "repose_photo",
        "instances": [
            {
                "image_bytes": {"b64": photo},
                "source_joints": source,
                "target_joints": target,
                "image_format": FORMAT,
            }
        ],
    }


def grpc(model: str, photo: str, source: list, target: list) -> dict:
    """A tensorflow.serving.PredictRequest."""
    poses = {
        name: {
            "dtype": "DT_FLOAT",
            "tensor_shape": {"dim": [{"size": size} for size in (1, len(pose), len(pose[0]))]},
            "float_val": [number for joint in pose for number in joint],
        }
        for name, pose in (("source_joints", source), ("target_joints", target))
    }
    strings = {
        name: {"dtype": "DT_STRING", "tensor_shape": {"dim": [{"size": 1}]}, "string_val": [value]}
        for name, value in (("image_bytes", photo), ("image_format", base64.b64encode(FORMAT.encode()).decode()))
    }
    return {
        "model_spec": {"name": model, "signature_name": "repose_photo"},
        "inputs": {**strings, **poses},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, meaning in (("photo", "a JPEG or PNG, upright"), ("source", "its pose"), ("target", "the pose to take")):
        parser.add_argument(name, help=meaning)
    parser.add_argument("--grpc", action="store_true", help="for grpcurl; else for REST")
    parser.add_argument("--model", default="lite", help="the model's name, for grpcurl")
    options = parser.parse_args()
    photo = base64.b64encode(Path(options.photo).read_bytes()).decode()
    poses = joints_of(options.source, 3), joints_of(options.target, 4)
    print(json.dumps(grpc(options.model, photo, *poses) if options.grpc else rest(photo, *poses)))


if __name__ == "__main__":
    main()
