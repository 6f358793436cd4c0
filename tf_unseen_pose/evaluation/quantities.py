"""What a report shows, under which name, and which way is better: one list for the JSON, the tables and the plots."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """One measured quantity.

    Attributes:
        key: its name in the JSON.
        label: its name on the page, with the unit.
        higher_is_better: whether more of it is better.
        digits: decimals that are shown.
    """

    key: str
    label: str
    higher_is_better: bool
    digits: int = 3

    def better(self, one: float, other: float) -> bool:
        return one > other if self.higher_is_better else one < other


def _by_region(key: str, label: str, higher_is_better: bool, digits: int) -> tuple[Quantity, ...]:
    return (
        Quantity(key, label, higher_is_better, digits),
        Quantity(f"{key}_inside", f"{label}, inside the person", higher_is_better, digits),
        Quantity(f"{key}_outside", f"{label}, outside", higher_is_better, digits),
    )


POSE = (
    Quantity("pckh", "PCKh@0.5 of the pose found in the result", True),
    Quantity("joint_error", "Joint error where found, pixels", False, 2),
    Quantity("found", "Results in which a person is found", True),
)
BACKGROUND = Quantity("background", "Background's difference to the source", False, 4)
PAIRS = (
    *_by_region("ssim", "SSIM", True, 3),
    *_by_region("psnr", "PSNR, dB", True, 2),
    *_by_region("vgg", "VGG error", False, 3),
    *POSE,
    BACKGROUND,
)
SEQUENCES = _by_region("flicker", "Flicker", False, 4)
ACROSS = (*POSE, BACKGROUND)
# What single actions and plots are shown for.
HEADLINES = ("vgg_inside", "ssim_inside", "pckh", "background")
BY_KEY = {quantity.key: quantity for quantity in (*PAIRS, *SEQUENCES)}
