import json
from argparse import Namespace

import pytest

from benchmarks import forward, input_pipeline, input_workers, records_at_scale, training_profile, training_step
from tf_unseen_pose.config import load_config
from tf_unseen_pose.model import build_generator

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


def test_every_part_of_lite_runs_on_tflite(small_lite):
    generator = build_generator(load_config("lite", small_lite).model)
    variants = list(forward.variants_of("lite", generator, Namespace(batch=[1], runtime=["graph", "tflite"])))
    assert [variant.part for variant in variants if variant.runtime == "tflite"] == list(forward.PARTS)
    assert forward.differences(variants, outputs_equal=False)["lite, tflite and graph differ by"] < 1e-3


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


def test_input_workers(run):
    rows = run(input_workers, "--batch-size", "2")["rows"]
    assert [(row["configuration"], row["workers"]) for row in rows] == [
        ("tiny", 0), ("tiny", 1), ("configs/lite.yaml", 0), ("configs/lite.yaml", 1)
    ]  # fmt: skip
    assert all(row["examples/s"] > 0 for row in rows)
    assert not any(row["processor of the workers, ms an example"] for row in rows if row["workers"] == 0)


def test_records_at_scale(run):
    small, large = run(records_at_scale)["rows"]
    assert (small["frames"], large["frames"]) == (40, 80)
    assert small["opened, bytes a frame"] == pytest.approx(small["opened, MB"] * 2**20 / 40)
