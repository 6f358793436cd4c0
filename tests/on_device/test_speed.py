import json
import subprocess
import sys
from pathlib import Path

from tf_unseen_pose.export.tflite.timing import Clock
from tf_unseen_pose.on_device import speed


def test_a_process_of_its_own_measures_a_file(lite_files):
    file = lite_files[1] / "int8.tflite"
    command = [
        sys.executable,
        "-m",
        "tf_unseen_pose.on_device.speed",
        str(file),
        "--threads",
        "1",
        "--seconds",
        "0",
    ]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert set(found) == {"encode_source", "render", "synthesize", "peak_mib"}
    assert all(value > 0 for value in found.values())


def test_calls_end_with_their_time_or_when_there_were_enough():
    calls = []
    for seconds, count in ((0, 1 + 5), (60, 1 + 100)):
        calls.clear()
        # The first call is not timed.
        assert speed._milliseconds(lambda wait: calls.append(wait), {"wait": 0}, seconds) >= 0
        assert len(calls) == count


def test_a_file_that_does_not_run_is_refused(refuses):
    refuses(lambda: Clock(0).measure(b"torn"), "does not run")


def test_other_systems_than_linux_measure_times_alone(lite_files, monkeypatch):
    monkeypatch.setattr(speed, "_ACCOUNT", Path("/proc/none"))
    assert set(speed.measure(lite_files[1] / "float16.tflite", 1, 0)) == {"encode_source", "render", "synthesize"}
    # As the process says it there.
    times = iter(({"render": 3.0}, {"render": 2.0}))
    monkeypatch.setattr(Clock, "_in_process", lambda *_: next(times))
    assert Clock(0).measure(b"") == {"render_1_thread_ms": 3.0, "render_2_thread_ms": 2.0}
