import json

import numpy as np
import pytest

from tf_unseen_pose.evaluation.summary import summary


@pytest.fixture(scope="module")
def numbers(evaluation):
    return summary(evaluation)


def test_it_is_json_and_complete(numbers, evaluation):
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert list(numbers["models"]) == ["judged"] and numbers["split"] == "validation" and numbers["seed"] == 5
    within = numbers["within"]
    assert (within["count"], within["clips"]) == (7, 3) and set(within["actions"]) == {"kick", "wave"}
    assert set(within["all"]["ssim"]) == {"judged", "copy", "warp"}
    assert set(within["against"]["copy"]) == set(within["all"]) and "target" not in within["all"]["ssim"]
    assert set(numbers["seconds_per_picture"]) == {"judged", "copy", "warp"}


def test_means_are_those_of_the_cases(numbers):
    within = numbers["within"]
    values = [case["values"]["warp"]["psnr"] for case in within["cases"]]
    estimate = within["all"]["psnr"]["warp"]
    assert estimate["mean"] == pytest.approx(np.mean(values), rel=1e-5) and estimate["count"] == 7
    assert estimate["low"] < estimate["mean"] < estimate["high"]
    judged = [case["values"]["judged"]["psnr"] for case in within["cases"]]
    against = within["against"]["warp"]["psnr"]
    assert against["better"] == sum(a > b for a, b in zip(judged, values, strict=True)) and against["of"] == 7
    assert against["mean"] == pytest.approx(np.mean(judged) - np.mean(values), rel=1e-4)
    waves = [case["values"]["warp"]["psnr"] for case in within["cases"] if case["target"][0] == "three"]
    assert within["actions"]["wave"]["psnr"]["warp"]["mean"] == pytest.approx(np.mean(waves), rel=1e-5)
    assert within["actions"]["wave"]["psnr"]["warp"]["low"] is None


def test_cases_are_named(numbers):
    first = numbers["within"]["cases"][0]
    assert first["source"][0] == first["target"][0] == "two & <b>" and first["source"][1] != first["target"][1]
    assert first["values"]["target"]["ssim"] is None
    run = numbers["sequences"]["cases"][0]
    assert run["targets"] == ["two & <b>", 0, 1, 2, 3, 4, 5] and run["source"] == ["two & <b>", 0]
    assert all(case["source"][0] != case["target"][0] for case in numbers["across"]["cases"])
