"""Load on the embedded server: latency, throughput, batching, memory, versions that change, a server that is killed.

Open loop: requests are sent when their time has come, whether or not earlier ones are answered, and latency counts
from that time: a server that stalls cannot hide it by keeping its clients from asking. Arrivals are random (Poisson).
"""

import argparse
import random
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np

from benchmarks.serving.messages import SIGNATURE, drawn_inputs, newest_model, picture_of, predict_request, row
from benchmarks.serving.process import PREDICT, MemoryCurve, ServerProcess
from benchmarks.serving.publishing import option_parser, publish
from benchmarks.timing import Timing, interleaved
from tf_unseen_pose.serving.loaded import LoadedModel
from tf_unseen_pose.serving.served_models import numbered_folders

_DIFFERENT = 16
# Seconds after which a new version that does not answer is given up.
_LONGEST_LOADING = 120
# Sums of floats in another order, as a batch of another size may compute them, round to a neighbour.
_TOLERANCE = 1


@dataclass
class Scene:
    """Different requests, as bytes, and the pictures that the model makes of them when it is called directly."""

    inputs: dict[str, np.ndarray]
    messages: list[bytes]
    expected: np.ndarray

    @classmethod
    def drawn(cls, model: LoadedModel) -> "Scene":
        inputs = drawn_inputs(model, _DIFFERENT)
        rows = [row(inputs, number) for number in range(_DIFFERENT)]
        expected = [model.signatures[SIGNATURE].run(one, ("image",))["image"] for one in rows]
        return cls(inputs, [predict_request(one).SerializeToString() for one in rows], np.concatenate(expected))


@dataclass
class Answers:
    """What came of requests; may be filled from several threads."""

    latencies: list[float] = field(default_factory=list)
    versions: set[int] = field(default_factory=set)
    wrong: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, scene: Scene, number: int, call, begin: float, ended=time.monotonic) -> None:
        """Waits for the answer to request `number`; `ended` is asked afterwards when it came."""
        try:
            image, version = picture_of(call())
        except grpc.RpcError as error:
            with self._lock:
                self.lost[error.code().name] = self.lost.get(error.code().name, 0) + 1
            return
        seconds = ended() - begin
        distance = np.abs(image[0].astype(int) - scene.expected[number]).max()
        with self._lock:
            self.latencies.append(seconds)
            self.versions.add(version)
            self.wrong += int(distance > _TOLERANCE)

    def row(self, seconds: float) -> dict:
        """Columns of a table; latencies in milliseconds."""
        percentiles = np.percentile(self.latencies, (50, 95, 99)) if self.latencies else [float("nan")] * 3
        named = {f"p{p}, ms": 1e3 * float(value) for p, value in zip((50, 95, 99), percentiles, strict=True)}
        lost = ", ".join(f"{code} {count}" for code, count in sorted(self.lost.items()))
        rate = len(self.latencies) / seconds
        return {
            "answers": len(self.latencies),
            "answers/s": rate,
            **named,
            "wrong": self.wrong,
            "refused or lost": lost,
        }


def open_loop(channel: grpc.Channel, scene: Scene, rate: float, seconds: float, seed: int = 0) -> Answers:
    """Sends `rate` requests a second on average for some seconds; returns when all are answered."""
    call, answers, chance = channel.unary_unary(PREDICT), Answers(), random.Random(seed)
    calls, due, end = [], time.monotonic(), time.monotonic() + seconds
    while (due := due + chance.expovariate(rate)) < end:
        time.sleep(max(0.0, due - time.monotonic()))
        number = chance.randrange(_DIFFERENT)
        future = call.future(scene.messages[number], timeout=120)
        ended = []
        future.add_done_callback(lambda _, ended=ended: ended.append(time.monotonic()))
        calls.append((number, due, future, ended))
    for number, due, future, ended in calls:
        # The callback may run a moment after the answer can be had.
        answers.take(scene, number, future.result, due, lambda ended=ended: ended[0] if ended else time.monotonic())
    return answers


def closed_loop(channel: grpc.Channel, scene: Scene, clients: int, until, answers: Answers | None = None) -> Answers:
    """Clients that ask again as soon as they are answered, until a function says so; fills and returns `answers`."""
    call, answers = channel.unary_unary(PREDICT), answers or Answers()

    def ask(client: int) -> None:
        number = client
        while not until():
            number = (number + 1) % _DIFFERENT
            message = scene.messages[number]
            answers.take(scene, number, lambda message=message: call(message, timeout=120), time.monotonic())

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(ask, range(clients)))
    return answers


def after(seconds: float):
    """A function that says whether so much time has passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def beside_the_model(channel: grpc.Channel, scene: Scene, model: LoadedModel, repeats: int) -> list[dict]:
    """One request after the other, through the server and by calling the SavedModel in this process, in turn."""
    call, signature = channel.unary_unary(PREDICT), model.signatures[SIGNATURE]
    calls = {}
    for rows in (1, 4, 8):
        inputs = {name: array[:rows] for name, array in scene.inputs.items()}
        message = predict_request(inputs).SerializeToString()
        calls["direct", rows] = lambda inputs=inputs: signature.run(inputs, ("image",))
        calls["served", rows] = lambda message=message: call(message, timeout=120)
    timings: dict[tuple[str, int], Timing] = interleaved(calls, repeats, warmups=2)
    return [
        {
            "rows": rows,
            "direct, ms": 1e3 * timings["direct", rows].median,
            "served, ms": 1e3 * timings["served", rows].median,
            "served / direct": timings["served", rows].median / timings["direct", rows].median,
            "spread": max(timings[way, rows].spread for way in ("direct", "served")),
            "direct rows/s": rows / timings["direct", rows].median,
        }
        for rows in (1, 4, 8)
    ]


def swapped(folder: Path, scene: Scene, options: tuple[str, ...], seconds: float) -> dict:
    """Two new versions appear, one after the other, while clients ask."""
    versions = numbered_folders(folder)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)

        def add(number: int) -> None:
            shutil.copytree(versions[max(versions)], place / f".partial-{number}")
            (place / f".partial-{number}").rename(place / str(number))

        add(1)
        with ServerProcess(place, *options) as server, server.channel() as channel, ThreadPoolExecutor(1) as pool:
            stop, answers, begin = threading.Event(), Answers(), time.monotonic()
            asking = pool.submit(closed_loop, channel, scene, 3, stop.is_set, answers)
            for number in (2, 3):
                time.sleep(seconds)
                add(number)
                late = after(_LONGEST_LOADING)
                while number not in answers.versions and not late():
                    time.sleep(0.1)
            stop.set()
            asking.result()
            return {"event": "two new versions", **answers.row(time.monotonic() - begin), "versions": _listed(answers)}


def killed(folder: Path, scene: Scene, options: tuple[str, ...], seconds: float) -> dict:
    """The server is killed and started again while clients ask, whose gRPC repeats what breaks off."""
    with (
        ServerProcess(folder, *options) as server,
        server.channel(retrying=True) as channel,
        ThreadPoolExecutor(1) as pool,
    ):
        stop, begin = threading.Event(), time.monotonic()
        asking = pool.submit(closed_loop, channel, scene, 3, stop.is_set)
        time.sleep(seconds)
        server.restart()
        time.sleep(seconds)
        stop.set()
        answers = asking.result()
        return {"event": "kill and restart", **answers.row(time.monotonic() - begin), "versions": _listed(answers)}


def _listed(answers: Answers) -> str:
    return ", ".join(map(str, sorted(answers.versions)))


def main(arguments: list[str] | None = None) -> None:
    parser = option_parser("load", __doc__)
    parser.add_argument("--rates", nargs="+", type=float, default=[2, 5, 10, 15, 20, 40], help="requests a second")
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 2, 4, 8], help="that ask in turn (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="of each rate and number of clients (%(default)s)")
    parser.add_argument("--minutes", type=float, default=20, help="for which memory is watched, 0: not (%(default)s)")
    parser.add_argument("--repeats", type=int, default=30, help="rounds beside the bare model (%(default)s)")
    parser.add_argument("--serve", nargs=argparse.REMAINDER, default=[], help="options for 'serve', at the end")
    options = parser.parse_args(arguments)
    seconds, minutes, repeats = options.seconds, options.minutes, options.repeats
    if options.quick:
        seconds, minutes, repeats = 1.0, 0.03, 1
    model = newest_model(options.folder)
    scene, served = Scene.drawn(model), tuple(options.serve)
    tables: dict[str, list[dict]] = {}
    with ServerProcess(options.folder, *served) as server, server.channel() as channel:
        tables["one after the other"] = beside_the_model(channel, scene, model, repeats)
        tables["open loop"] = [
            {"rate": rate, **open_loop(channel, scene, rate, seconds).row(seconds), "memory, MB": server.memory()}
            for rate in options.rates
        ]
        tables["clients that ask in turn"] = [
            {"clients": clients, **closed_loop(channel, scene, clients, after(seconds)).row(seconds)}
            for clients in options.clients
        ]
        if minutes:
            # Half of what it can do: busy, and never behind.
            rate = max(row["answers/s"] for row in tables["clients that ask in turn"]) / 2
            with MemoryCurve(server) as memory:
                answers = open_loop(channel, scene, rate, 60 * minutes)
            tables["memory"] = [{"rate": rate, **answers.row(60 * minutes), **_course(memory.megabytes)}]
    tables["events"] = [swapped(options.folder, scene, served, seconds), killed(options.folder, scene, served, seconds)]
    publish("load", options, tables, seconds=seconds, minutes=minutes, options_of_serve=" ".join(served))


def _course(megabytes: list[float]) -> dict:
    """Memory as columns: the median of each tenth of the time, and the most."""
    tenths = (np.median(part) for part in np.array_split(megabytes, 10) if len(part))
    return {"by tenths of the time, MB": " ".join(f"{tenth:.0f}" for tenth in tenths), "most, MB": max(megabytes)}


if __name__ == "__main__":
    main()
