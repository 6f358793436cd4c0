"""Malformed requests by the thousand: status codes by kind of fault, and the server's memory before and after.

Every fault must be answered at once with a status that names it, in one sentence; well-formed requests in between must
be answered as before.
"""

import collections
import random
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import islice

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_management_pb2, predict_pb2

from benchmarks.serving.messages import SIGNATURE, drawn_inputs, newest_model, picture_of, predict_request
from benchmarks.serving.process import PREDICT, ServerProcess
from benchmarks.serving.publishing import option_parser, publish
from tf_unseen_pose.data.clips import encode_picture
from tf_unseen_pose.serving.loaded import DEFAULT_SIGNATURE

_CLIENTS = 8
# Seconds within which a client goes that does not wait for its answer.
_LONGEST_STAY = 0.05
# Statuses that say: it is your request.
_EXPECTED = {"INVALID_ARGUMENT", "NOT_FOUND"}
# A client that asks and then stops taking: its process sleeps until it is killed.
_SLEEPER = """import grpc, os, signal, sys
port, method, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
message, channel = sys.stdin.buffer.read(), grpc.insecure_channel(f"127.0.0.1:{port}")
grpc.channel_ready_future(channel).result(timeout=60)
calls = [channel.unary_unary(method).future(message) for _ in range(count)]
print("asked", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)"""
_SLEEPERS, _HALF_OPEN = 8, 200
_RELOAD = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"
# The server's limits, with room: of a message's bytes, and of a picture's pixels.
_MESSAGE_BYTES, _SIDE = 32 * 2**20, 4400


def faults(inputs: dict[str, np.ndarray], photos: str | None, seed: int) -> dict[str, Callable[[], bytes]]:
    """By kind: a function that makes another message with that fault.

    Args:
        inputs: of a fine request, one row.
        photos: a signature that takes `image_bytes` and the same joints; None when there is none.
    """
    chance = random.Random(seed)

    def changed(**arrays) -> bytes:
        return predict_request(inputs | arrays).SerializeToString()

    def spoilt_joints(value: float) -> bytes:
        joints = inputs["target_joints"].copy()
        joints[0, chance.randrange(joints.shape[1]), chance.randrange(3)] = value
        return changed(target_joints=joints)

    def without(name: str) -> bytes:
        return predict_request({key: array for key, array in inputs.items() if key != name}).SerializeToString()

    def edited(edit: Callable[[predict_pb2.PredictRequest], None]) -> bytes:
        request = predict_request(inputs)
        edit(request)
        return request.SerializeToString()

    def claim(side: int) -> Callable[[predict_pb2.PredictRequest], None]:
        def edit(request):
            request.inputs["image"].tensor_shape.dim[0].size = side

        return edit

    made = {
        "wrong type": lambda: changed(image=inputs["image"].astype(np.float32)),
        "wrong shape": lambda: changed(image=inputs["image"][:, : chance.randrange(1, inputs["image"].shape[1])]),
        "missing input": lambda: without(chance.choice(list(inputs))),
        "superfluous input": lambda: changed(**{f"more{chance.randrange(10**9)}": inputs["image"]}),
        "NaN joints": lambda: spoilt_joints(np.nan),
        "infinite joints": lambda: spoilt_joints(np.inf),
        "unknown signature": lambda: predict_request(inputs, f"none{chance.randrange(10**9)}").SerializeToString(),
        "unknown model": lambda: edited(lambda r: setattr(r.model_spec, "name", f"none{chance.randrange(10**9)}")),
        "unknown version": lambda: edited(
            lambda r: setattr(r.model_spec.version, "value", chance.randrange(99, 2**60))
        ),
        "unknown output": lambda: edited(lambda r: r.output_filter.append(f"none{chance.randrange(10**9)}")),
        "huge shape": lambda: edited(claim(chance.randrange(2**20, 2**60))),
        "negative shape": lambda: edited(claim(-chance.randrange(1, 2**40))),
        "random bytes": lambda: chance.randbytes(chance.randrange(2000)),
        "message above the limit": lambda: bytes(_MESSAGE_BYTES + chance.randrange(1, 2**10)),
        "cut message": lambda: changed()[: -chance.randrange(1, 40)],
    }
    return made | (_photo_faults(inputs, photos, chance) if photos else {})


def _photo_faults(
    inputs: dict[str, np.ndarray], signature: str, chance: random.Random
) -> dict[str, Callable[[], bytes]]:
    """Faults of the file that a signature takes as `image_bytes`."""
    joints = {name: array for name, array in inputs.items() if name != "image"}
    jpeg = encode_picture(inputs["image"][0], "JPEG")

    def with_photo(content: bytes) -> bytes:
        return predict_request(joints | {"image_bytes": np.array([content], object)}, signature).SerializeToString()

    # Each is allowed, all together are not.
    flat = tf.io.encode_png(tf.zeros([_SIDE, _SIDE, 3], tf.uint8)).numpy()
    eight = {name: np.repeat(array, 8, axis=0) for name, array in joints.items()}
    bombs = predict_request(eight | {"image_bytes": np.array([flat] * 8, object)}, signature).SerializeToString()
    return {
        "truncated JPEG": lambda: with_photo(jpeg[: chance.randrange(len(jpeg) // 2)]),
        "no picture": lambda: with_photo(chance.randbytes(chance.randrange(2000))),
        "30000 x 30000 PNG": lambda: with_photo(png_header(30000, 30000)),
        "eight flat PNGs of 19 million pixels": lambda: bombs,
    }


def png_header(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that claims a size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def reload_request(chance: random.Random) -> bytes:
    """A list of one model, of a folder that there is."""
    request = model_management_pb2.ReloadConfigRequest()
    request.config.model_config_list.config.add(name=f"other{chance.randrange(10**9)}", base_path="/tmp")
    return request.SerializeToString()


def answers_of(
    channel: grpc.Channel, make: Callable[[], bytes], count: int, method: str = PREDICT
) -> collections.Counter:
    """How often which status came; "no sentence" is counted where the status does not come with exactly one."""
    call = channel.unary_unary(method)
    codes = collections.Counter()

    def ask(message: bytes) -> str:
        try:
            call(message, timeout=60)
        except grpc.RpcError as error:
            sentence = error.details() or ""
            plain = sentence and "\n" not in sentence and "Traceback" not in sentence
            return error.code().name if plain else f"{error.code().name}, no sentence"
        return "OK"

    messages = (make() for _ in range(count))
    with ThreadPoolExecutor(_CLIENTS) as pool:
        # In parts, because `map` would make all messages beforehand.
        while part := list(islice(messages, 4 * _CLIENTS)):
            codes.update(pool.map(ask, part))
    return codes


def vanish(server: ServerProcess, message: bytes, count: int, seed: int) -> collections.Counter:
    """Clients that close their connection a moment after they have asked."""
    chance, codes = random.Random(seed), collections.Counter()
    for _ in range(count):
        with server.channel() as channel:
            grpc.channel_ready_future(channel).result(timeout=60)
            call = channel.unary_unary(PREDICT).future(message, timeout=60)
            time.sleep(chance.random() * _LONGEST_STAY)
        codes[call.code().name] += 1
    return codes


@contextmanager
def sleeping_clients(server: ServerProcess, message: bytes, count: int) -> Iterator[None]:
    """Clients that have asked `count` times together, and take no answer."""
    each = -(-count // _SLEEPERS)
    command = [sys.executable, "-c", _SLEEPER, str(server.port), PREDICT, str(each)]
    clients = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(_SLEEPERS)]
    try:
        for client in clients:
            client.stdin.write(message)
            client.stdin.close()
        for client in clients:
            client.stdout.readline()
        yield
    finally:
        for client in clients:
            client.kill()
            client.wait()
            client.stdout.close()


@contextmanager
def half_open_connections(server: ServerProcess) -> Iterator[None]:
    """Connections that end in the middle of HTTP/2's first line, and stay."""
    with ExitStack() as open_ones:
        for _ in range(_HALF_OPEN):
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            connection.sendall(b"PRI * HTTP/2.0")
        yield


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("faults", __doc__)
    parser.add_argument("--count", type=int, default=10_000, help="malformed requests (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    options = parser.parse_args(arguments)
    model = newest_model(options.folder)
    inputs = drawn_inputs(model, 1)
    taken = {"image_bytes", "source_joints", "target_joints"}
    fitting = [name for name, signature in model.signatures.items() if set(signature.inputs) == taken]
    photos = min(fitting, key=lambda name: (name != DEFAULT_SIGNATURE, name), default=None)
    kinds = faults(inputs, photos, options.seed)
    count = 3 if options.quick else -(-options.count // len(kinds))
    fine = predict_request(inputs).SerializeToString()
    rows, changed, chance = [], 0, random.Random(options.seed)
    with ServerProcess(options.folder) as server, server.channel() as channel:
        call = channel.unary_unary(PREDICT)
        first, _ = picture_of(call(fine, timeout=60))
        # Once round, so that whatever is made once is made.
        for make in kinds.values():
            answers_of(channel, make, _CLIENTS)
        before = server.memory()
        for kind, make in kinds.items():
            rows.append(_row(kind, answers_of(channel, make, count), _EXPECTED, server))
            changed += not np.array_equal(picture_of(call(fine, timeout=60))[0], first)
        reloads = answers_of(channel, lambda: reload_request(chance), count, _RELOAD)
        rows.append(_row("reload without right", reloads, {"PERMISSION_DENIED"}, server))
        gone = vanish(server, fine, count, options.seed)
        for kind, beside in (
            ("fine, beside clients that take no answer", sleeping_clients(server, fine, min(count, 48))),
            ("fine, beside half-open connections", half_open_connections(server)),
        ):
            with beside:
                rows.append(_row(kind, answers_of(channel, lambda: fine, min(count, 48)), {"OK"}, server))
        # Some are answered before they go.
        rows.append(_row("client vanishes", gone, {"CANCELLED", "OK"}, server))
        changed += not np.array_equal(picture_of(call(fine, timeout=60))[0], first)
        after = server.memory()
    publish(
        "faults",
        options,
        {"answers": rows},
        requests=sum(row["requests"] for row in rows),
        other_answers=sum(row["requests"] - row["as they should be"] for row in rows),
        fine_answers_that_changed=changed,
        memory_before=before,
        memory_after=after,
        signature=SIGNATURE,
        signature_for_photos=photos,
        tensorflow=tf.__version__,
    )


def _row(kind: str, codes: collections.Counter, expected: set[str], server: ServerProcess) -> dict:
    return {
        "fault": kind,
        "requests": codes.total(),
        "codes": ", ".join(f"{code} {count}" for code, count in codes.most_common()),
        "as they should be": sum(codes[code] for code in expected),
        "memory, MB": server.memory(),
    }


if __name__ == "__main__":
    main()
