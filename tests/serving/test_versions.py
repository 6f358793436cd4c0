from pathlib import Path

import pytest

from tf_unseen_pose.serving.request_errors import RequestError
from tf_unseen_pose.serving.versions import Model, Policy, State, Version


@pytest.fixture
def model():
    return Model("m", Path("m"))


def on_disk(*numbers):
    return {number: Path("m") / str(number) for number in numbers}


def make_available(model, *numbers):
    model.update(on_disk(*numbers))
    for number in numbers:
        model.versions[number].begin(None)
        model.versions[number].succeed(f"loaded {number}")


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        (Policy(), [10]),
        (Policy(newest=2), [10, 9]),
        (Policy(newest=None), [10, 9, 2]),
        (Policy(only=frozenset({2, 9, 77})), [9, 2]),
    ],
)
def test_policies_choose_by_number_the_newest_first(policy, chosen):
    assert policy.chosen([9, 10, 2]) == chosen


def test_a_version_is_kept_until_its_last_request_is_answered():
    version = Version(1, Path("m/1"))
    version.begin("content")
    version.succeed("loaded")
    with version.in_use() as first:
        with pytest.raises(ZeroDivisionError), version.in_use():
            version.unload()
            raise ZeroDivisionError
        assert version.state == State.UNLOADING and version.loaded == first == "loaded"
    assert version.state == State.END and version.loaded is None
    # Without requests at once.
    version.succeed("loaded")
    version.unload()
    assert version.state == State.END


def test_the_newest_available_version_answers(model):
    with pytest.raises(RequestError, match="No version of model 'm' is available"):
        model.find()
    make_available(model, 2, 10)
    assert model.find().number == 10 and model.find(2).number == 2
    with pytest.raises(RequestError, match="Version 3 of model 'm' is not available; available are 10, 2"):
        model.find(3)
    model.labels = {"stable": 2}
    assert model.labelled("stable") == 2
    with pytest.raises(RequestError, match="no label 'odd'; it has stable"):
        model.labelled("odd")


def test_a_version_that_failed_leaves_its_place_to_an_older_one(model):
    make_available(model, 1)
    model.update(on_disk(1, 2, 3))
    assert [version.number for version in model.wanted(on_disk(1, 2, 3))] == [3]
    model.versions[3].fail("broken")
    assert [version.number for version in model.wanted(on_disk(1, 2, 3))] == [2]


def test_nothing_is_unloaded_before_its_successor_answers(model):
    make_available(model, 1)
    model.update(on_disk(1, 2))
    model.unload_others(model.wanted(on_disk(1, 2)))
    assert list(model.available) == [1]
    model.versions[2].succeed("loaded")
    model.unload_others(model.wanted(on_disk(1, 2)))
    assert list(model.available) == [2]


def test_folders_that_have_gone_are_forgotten_unless_they_still_serve(model):
    make_available(model, 1, 2)
    model.versions[1].unload()
    model.update(on_disk(2))
    assert list(model.versions) == [2]
    model.update({})
    assert list(model.available) == [2]
