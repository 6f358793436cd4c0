import json

import pytest

from benchmarks import forward, input_pipeline, training_profile, training_step

QUICK = ["--quick", "--preset", "tiny", "--repeats", "1"]


@pytest.fixture
def run(tmp_path, capsys):
    def call(command, *arguments):
        command.main([*QUICK, *arguments, "-o", str(tmp_path / "result.json")])
        content = json.loads((tmp_path / "result.json").read_text())
        assert content["quick"] and all(rate > 0 for rate in content["ceiling"].values())
        # Title, then the table: header, rule, a line a row.
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
        assert len(lines) == 2 + len(content["rows"])
        return content

    return call


def test_forward(run):
    rows = run(forward, "--runtime", "graph", "--batch", "1")["rows"]
    assert [(row["network"], row["part"]) for row in rows] == [
        ("reference", "whole"), ("released", "whole"), ("tiny", "whole"), ("tiny", "encode"), ("tiny", "render"),
    ]  # fmt: skip
    reference, _, whole, encode, render = rows
    assert reference["time / reference"] == 1
    assert whole["time / reference"] == pytest.approx(whole["ms"] / reference["ms"])
    assert whole["GMAC"] == pytest.approx(encode["GMAC"] + render["GMAC"])
    assert whole["GFLOP/s"] == pytest.approx(2e3 * whole["GMAC"] / whole["ms"])


def test_training_step(run):
    (row,) = run(training_step, "--loss", "l1", "--batch-size", "2")["rows"]
    assert row["examples/s"] == pytest.approx(2e3 / row["ms a step"])


def test_training_profile(run):
    rows = run(training_profile, "--batch-size", "2", "--rows", "4")["rows"]
    rate, step, operations, *kinds = rows
    assert [row["batch 2"] for row in (rate, step)] == pytest.approx([1e3 / step["batch 2"], 1e3 / rate["batch 2"]])
    assert 0 < sum(row["batch 2"] for row in kinds) < operations["batch 2"]
    assert any("Conv2D" in row[""] for row in kinds)


def test_input_pipeline(run):
    reference, released, tiny = run(input_pipeline, "--batch-size", "2")["rows"]
    assert [row["stream"] for row in (reference, released, tiny)] == ["reference", "released", "tiny"]
    assert tiny["rate / reference"] == pytest.approx(tiny["samples/s"] / reference["samples/s"])
    assert tiny["rate / released"] == pytest.approx(tiny["samples/s"] / released["samples/s"])
