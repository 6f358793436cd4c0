import io

import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.evaluation import plots

LABELS = {"judged": "a model", "copy": "copying", "warp": "warping"}


@pytest.mark.parametrize("plot", [plots.distribution, plots.by_movement])
def test_a_plot_shows_every_method_in_its_colour(plot, evaluation):
    png = plot(evaluation.within, "ssim_inside", LABELS)
    assert png == plot(evaluation.within, "ssim_inside", LABELS)
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int)
    assert picture.shape == (432, 691, 3)

    def pixels(colour):
        rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        return (np.abs(picture - rgb).max(axis=-1) < 20).sum()

    blue, red, green, pink = (pixels(colour) for colour in plots._COLOURS[:4])
    assert min(blue, red, green) > 30 and pink == 0
    alone = plot(evaluation.within, "ssim_inside", {"warp": "warping"})
    assert alone != png


def test_nothing_measured_is_an_empty_plot(evaluation):
    assert plots.distribution(evaluation.within, "ssim_inside", {"target": "photographs"}).startswith(b"\x89PNG")
