"""Whole photos through the embedded server, by gRPC and by REST: times, bytes on the wire, and equal pictures.

The bundled photo is enlarged to each size and gets the grain of a camera. The comparison re-poses the photos of a
folder, or the bundled one, by TensorFlow in this process, which is the reference, by LiteRT, by gRPC and by REST. The
poses have depth.
"""

import base64
import json
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks.serving.messages import predict_request
from benchmarks.serving.process import PREDICT, ServerProcess
from benchmarks.serving.publishing import option_parser, publish
from benchmarks.timing import interleaved
from tf_unseen_pose import RemoteReposer, Reposer, bundled, find_poses
from tf_unseen_pose.data.clips import encode_picture
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.pose.foreign_people import scaled_to
from tf_unseen_pose.pose.retargeting import retarget
from tf_unseen_pose.serving.served_models import numbered_folders

_GRAIN = 3.0
_SIGNATURE = "repose_photo"


def enlarged(pixels: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bundled photo with so many pixels, its joints [23, 3], and a target [23, 4] in its pixels."""
    photo, joints, motion = bundled()
    size = tuple(round(side * np.sqrt(pixels / photo[..., 0].size)) for side in photo.shape[1::-1])
    image = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BICUBIC), np.float32)
    image += np.random.default_rng(seed).normal(0, _GRAIN, image.shape).astype(np.float32)
    poses = (scaled_to(pose, photo.shape[1::-1], size) for pose in (joints, motion.joints[20]))
    return np.uint8(np.clip(image, 0, 255)), *poses


def request_of(image: bytes, source: np.ndarray, target: np.ndarray, signature: str = _SIGNATURE) -> dict:
    """Inputs of one request, by name."""
    inputs = {
        "image_bytes": np.array([image], object),
        "source_joints": source[None, :, :3],
        "target_joints": target[None],
    }
    return inputs | ({"image_format": np.array([b"jpeg"], object)} if signature == _SIGNATURE else {})


def as_rest(inputs: dict, signature: str) -> bytes:
    """The body of TensorFlow Serving's REST form."""

    def plain(value):
        return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value.tolist()

    instance = {name: plain(array[0]) for name, array in inputs.items() if name != "image_format"}
    if "image_format" in inputs:
        instance["image_format"] = "jpeg"
    return json.dumps({"signature_name": signature, "instances": [instance]}).encode()


def post(port: int, body: bytes) -> bytes:
    url = f"http://127.0.0.1:{port}/v1/models/model:predict"
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=120) as answer:
        return answer.read()


def times(server: ServerProcess, rest_port: int, sizes: list[float], repeats: int) -> list[dict]:
    """A row a size and protocol."""
    rows = []
    with server.channel() as channel:
        call = channel.unary_unary(PREDICT)
        for size in sizes:
            image, source, target = enlarged(size * 1e6)
            inputs = request_of(encode_picture(image, "JPEG"), source, target)
            messages = {
                "gRPC": predict_request(inputs, _SIGNATURE).SerializeToString(),
                "REST": as_rest(inputs, _SIGNATURE),
            }
            asks: dict[str, Callable[[], bytes]] = {
                "gRPC": lambda message=messages["gRPC"]: call(message, timeout=120),
                "REST": lambda message=messages["REST"]: post(rest_port, message),
            }
            for way, timing in interleaved(asks, repeats).items():
                rows.append(
                    {
                        "million pixels": size,
                        "by": way,
                        "median, s": timing.median,
                        "spread": timing.spread,
                        "request, MB": len(messages[way]) / 1e6,
                        "answer, MB": len(asks[way]()) / 1e6,
                    }
                )
    return rows


def some_photos(folder: Path | None, count: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Photos, their joints, and targets with depth in their pixels."""
    photo, joints, motion = bundled()
    if folder is None:
        return [(photo, joints, pose) for pose in motion.joints[:: -(-len(motion.joints) // count)]]
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    chosen = []
    for number, path in enumerate(paths[:: max(1, len(paths) // count)][:count]):
        source = find_poses(path, BODY).joints[0]
        target = retarget(motion.joints[[9 * number % len(motion.joints)]], source, BODY)[0]
        chosen.append((load_image(path), source, target))
    return chosen


def differences(server: ServerProcess, rest_port: int, versions: Path, photos: list) -> list[dict]:
    """The least and the median PSNR to TensorFlow's picture in this process, a row a way."""
    numbered = numbered_folders(versions)
    local = Reposer.load(numbered[max(numbered)], "tensorflow", sharp_hole=False)
    lite = Reposer.load(versions / "tflite", "litert", sharp_hole=False)
    address = f"127.0.0.1:{server.port}"
    with RemoteReposer(address, "model") as lossless, RemoteReposer(address, "model", lossless=False) as lossy:
        ways = {
            "LiteRT": lite.synthesize,
            "gRPC, PNG": lossless.synthesize,
            "gRPC, JPEG": lossy.synthesize,
            "REST, PNG": lambda *pair: rest_pasted(rest_port, *pair),
            "REST, JPEG": lambda *pair: rest_whole(rest_port, *pair),
        }
        found: dict[str, list[float]] = {way: [] for way in ways}
        for image, source, target in photos:
            expected = local.synthesize(image, target, source[:, :3])
            for way, synthesize in ways.items():
                found[way].append(psnr(synthesize(image, target, source[:, :3]), expected))
    return [{"by": way, "least, dB": min(values), "median, dB": np.median(values)} for way, values in found.items()]


def rest_pasted(port: int, image: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The default signature's part of the photo, where it belongs."""
    body = as_rest(request_of(encode_picture(image, "PNG"), source, target, "serving_default"), "serving_default")
    answer = json.loads(post(port, body))["predictions"][0]
    part = tf.io.decode_png(base64.b64decode(answer["image_bytes"]["b64"])).numpy()
    left, top = (round(row[2]) for row in answer["canvas_to_image"])
    result = image.copy()
    result[top : top + part.shape[0], left : left + part.shape[1]] = part
    return result


def rest_whole(port: int, image: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The whole photo, a JPEG both ways."""
    answer = json.loads(post(port, as_rest(request_of(encode_picture(image, "JPEG"), source, target), _SIGNATURE)))
    prediction = answer["predictions"][0]
    return tf.io.decode_jpeg(base64.b64decode(prediction.get("image_bytes", prediction)["b64"])).numpy()


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    """In decibels; 100 for equal pictures."""
    return float(tf.minimum(tf.image.psnr(first, second, 255), 100))


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("photos", __doc__)
    parser.add_argument("--sizes", nargs="+", type=float, default=[2, 12, 24], help="million pixels (%(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="requests a size (%(default)s)")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="to compare; else the bundled photo in poses")
    parser.add_argument("--count", type=int, default=10, help="photos to compare (%(default)s)")
    options = parser.parse_args(arguments)
    sizes, repeats, count = options.sizes, options.repeats, options.count
    if options.quick:
        sizes, repeats, count = [0.2], 1, 1
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        rest_port = free.getsockname()[1]
    photos = some_photos(options.photos, count)
    with ServerProcess(options.folder, "--rest-port", str(rest_port)) as server:
        tables = {
            "repose_photo, JPEG both ways": times(server, rest_port, sizes, repeats),
            "PSNR to TensorFlow here": differences(server, rest_port, options.folder, photos),
        }
        publish("photos", options, tables, memory=server.memory(), tensorflow=tf.__version__)


if __name__ == "__main__":
    main()
