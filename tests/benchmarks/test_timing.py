import numpy as np
import pytest

from benchmarks import timing
from benchmarks.timing import Timing, interleaved


def test_calls_take_turns_and_the_first_round_does_not_count(monkeypatch):
    order, clock = [], iter(range(1000))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: float(next(clock)))
    found = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, repeats=2)
    assert order == ["a", "b"] * 3
    assert found["a"].seconds == found["b"].seconds == (1.0, 1.0)


def test_a_short_call_is_repeated_and_its_last_run_counts(monkeypatch):
    durations, now = iter([9.0, 0.3, 0.25, 5.0, 0.4, 0.375]), [0.0]

    def call():
        now[0] += next(durations)

    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])
    assert interleaved({"a": call}, repeats=3, warmups=1, least=0.5)["a"].seconds == pytest.approx((0.25, 5.0, 0.375))


def test_median_and_spread():
    found = Timing((4.0, 1.0, 2.0, 3.0, 10.0))
    assert found.median == 3
    assert found.spread == pytest.approx(np.subtract(4, 2) / 3)
