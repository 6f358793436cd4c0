import numpy as np
import pytest

from tf_unseen_pose.evaluation.evaluation_pairs import EvaluationPair
from tf_unseen_pose.evaluation.metric_columns import BY_KEY
from tf_unseen_pose.evaluation.metric_table import MetricTable

SSIM, PSNR, VGG = BY_KEY["ssim"], BY_KEY["psnr"], BY_KEY["vgg"]


@pytest.fixture
def table():
    nan = float("nan")
    measured = [
        {"model": {"ssim": 0.5, "vgg": 2.0}, "copy": {"ssim": 0.6, "vgg": 1.0}, "target": {}},
        {"model": {"ssim": 0.7, "vgg": 1.0}, "copy": {"ssim": 0.6, "vgg": 3.0}, "target": {}},
        {"model": {"ssim": nan, "vgg": 4.0}, "copy": {"ssim": 0.1, "vgg": 5.0}, "target": {}},
    ]
    pairs = [EvaluationPair(0, 0, 0, 1), EvaluationPair(4, 0, 4, 1), EvaluationPair(4, 2, 4, 1)]
    return MetricTable.collect(
        pairs, [0, 4, 4], ["walk", "kick", "kick"], [0.1, 0.2, 0.3], ["model", "copy", "target"], [SSIM, PSNR, VGG],
        measured,
    )  # fmt: skip


def test_what_never_was_measured_is_left_out(table):
    assert [metric.key for metric in table.metrics] == ["ssim", "vgg"] == list(table.values)
    np.testing.assert_array_equal(table.column("vgg", "copy"), [1, 3, 5])
    assert np.isnan(table.column("ssim", "target")).all()
    assert table.action_names == ["kick", "walk"]


def test_estimates_of_all_and_of_one_action(table):
    found = table.estimates(seed=0)
    assert found["ssim"]["model"].mean == pytest.approx(0.6) and found["ssim"]["model"].count == 2
    assert found["vgg"]["copy"].mean == 3 and found["vgg"]["copy"].low == 1
    assert set(found["ssim"]) == {"model", "copy"}
    kick = table.estimates(seed=0, action="kick")
    assert kick["vgg"]["model"].mean == 2.5 and kick["vgg"]["model"].low is None


def test_pair_by_pair_the_direction_counts(table):
    better, of, difference = table.comparison("ssim", "copy", seed=0)
    assert (better, of) == (1, 2) and difference.mean == pytest.approx(0)
    better, of, difference = table.comparison("vgg", "copy", seed=0)
    assert (better, of) == (2, 3) and difference.mean == pytest.approx(-2 / 3)
    assert table.comparison("ssim", "target", seed=0) is None
