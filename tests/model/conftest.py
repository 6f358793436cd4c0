"""What tests of the copying generator share."""

import pytest

from tf_unseen_pose.config import load_config
from tf_unseen_pose.model import build_generator

REFINED = ("model.nudge=12", "model.refinement=8")


@pytest.fixture(scope="module", params=[REFINED, ("model.reduction=1",)], ids=["refined", "plain, reduced once"])
def small(small_lite, decided, request):
    # A steep hole would leave no background of so small a picture.
    settings = [*small_lite, "model.width=96", "model.hole_steepness=1", *request.param]
    generator = build_generator(load_config("lite", settings).model)
    decided(generator)
    return generator
