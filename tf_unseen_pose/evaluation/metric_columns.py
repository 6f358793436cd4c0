"""The metrics of a report, with names and directions, for the JSON, tables and plots."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MetricColumn:
    """A metric as a column of tables.

    Attributes:
        key: its name in the JSON.
        label: its name on the page, with the unit.
        higher_is_better: whether more of it is better.
        digits: decimals that are shown.
        comparable: whether its means compare methods, which needs the same samples.
    """

    key: str
    label: str
    higher_is_better: bool
    digits: int = 3
    comparable: bool = True

    def better(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Whether the first values [N] are better than the others: bool [N]."""
        return one > other if self.higher_is_better else one < other


def _by_region(key: str, label: str, unit: str, higher_is_better: bool, digits: int) -> tuple[MetricColumn, ...]:
    return tuple(
        MetricColumn(f"{key}{suffix}", f"{label}{where}{unit}", higher_is_better, digits)
        for suffix, where in (("", ""), ("_inside", " inside the person"), ("_outside", " outside"))
    )


POSE = (
    MetricColumn("pckh", "PCKh@0.5", True),
    MetricColumn("joint_error", "Joint error where a person is found, pixels", False, 2, comparable=False),
    MetricColumn("found", "A person is found", True),
)
# For copying models, if the dataset has limb maps; see `limb_choice`.
CHOICE = (
    MetricColumn("choice", "The right limb is chosen", True),
    MetricColumn("fine_choice", "The right limb, with hands and feet", True),
)
BACKGROUND = MetricColumn("background", "Background's change", False, 4)
# On whole photos, which `photo_metrics` defines.
PHOTOS = (
    MetricColumn("sharpness", "Sharpness", True),
    MetricColumn("photo_pckh", "PCKh@0.5 in the photo", True),
    MetricColumn("hands_pckh", "PCKh@0.5 of hands", True),
    MetricColumn("toes_pckh", "PCKh@0.5 of toes", True),
    MetricColumn("failed", "Poses that failed", False),
    MetricColumn("face_found", "The face is found", True),
    MetricColumn("same_face", "The face is the person's", True),
    MetricColumn("own_psnr", "PSNR inside, own pose, dB", True, 2),
    MetricColumn("own_change", "Change elsewhere, own pose, of 255", False),
    MetricColumn("hole_error", "Error in the hole", False, 4),
)
# Metrics in which copying the source is right by construction.
GIVEN_TO_COPIES = ("background", "own_psnr", "own_change")
PAIRS = (
    *_by_region("ssim", "SSIM", "", True, 3),
    *_by_region("psnr", "PSNR", ", dB", True, 2),
    *_by_region("vgg", "VGG error", "", False, 3),
    *POSE,
    *CHOICE,
    BACKGROUND,
    *PHOTOS,
)
SEQUENCES = _by_region("flicker", "Flicker", "", False, 4)
ACROSS = (*POSE, BACKGROUND)
# Metrics shown for single actions and in plots.
HEADLINES = ("vgg_inside", "ssim_inside", "sharpness", "pckh", "background")
BY_KEY = {metric.key: metric for metric in (*PAIRS, *SEQUENCES)}
