import pytest
import tensorflow as tf
from small_networks import TINY

from benchmarks import training_gpu
from tf_unseen_pose.config import load_config


def test_without_a_gpu_it_says_so():
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(SystemExit, match="no GPU"):
        training_gpu.main([])


def test_a_row(monkeypatch, tmp_path):
    # Memory is counted for GPUs alone.
    monkeypatch.setattr(tf.config.experimental, "reset_memory_stats", lambda device: None)
    monkeypatch.setattr(tf.config.experimental, "get_memory_info", lambda device: {"peak": 3 * 2**20})
    small = tmp_path / "small.yaml"
    small.write_text(load_config("tiny", TINY).to_json())
    row = training_gpu.measure((str(small), "l1", "float32", False), 64, 2, 1)
    assert row["GPU memory, MB"] == 3 and row["XLA"] == "no"
    assert row["examples/s"] == pytest.approx(2e3 / row["ms a step"])
    # Two operations a multiply-accumulate.
    assert row["TFLOP/s"] == pytest.approx(2e-3 * row["GMAC/example"] * row["examples/s"])
