"""Random changes to a training pair: one draw, the same for both frames and their joints.

The geometric part is an affine transform of the canvas, composed with the crop so that pixels are interpolated once.
Brightness is changed on the training device; see `pairs`.

Convention: rotation in degrees, clockwise in the picture (y grows downwards); shifts in canvas pixels.
"""

from dataclasses import dataclass

import numpy as np

from tf_unseen_pose.config import DataConfig
from tf_unseen_pose.skeleton import Skeleton


@dataclass(frozen=True)
class Augmentation:
    """One draw; the defaults change nothing.

    Attributes:
        scale: above 1 enlarges the person.
        rotation: degrees about the canvas's centre.
        shift: canvas pixels along x and y.
        flip: whether left and right are exchanged, in the picture and in the joints' names.
        brightness: factor of all colours.
    """

    scale: float = 1.0
    rotation: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    flip: bool = False
    brightness: float = 1.0

    @classmethod
    def draw(cls, generator: np.random.Generator, config: DataConfig) -> "Augmentation":
        """Draws uniformly from the ranges of `config`; consumes six numbers of the generator in any case."""
        scale, rotation, shift_x, shift_y, flip, brightness = generator.random(6)

        def within(low: float, high: float, part: float) -> float:
            return low + (high - low) * part

        return cls(
            scale=within(*config.scale, scale),
            rotation=within(-config.rotation, config.rotation, rotation),
            shift=(within(-config.shift, config.shift, shift_x), within(-config.shift, config.shift, shift_y)),
            flip=config.flip and flip < 0.5,
            brightness=within(*config.brightness, brightness),
        )

    def canvas_transform(self, height: int, width: int) -> np.ndarray:
        """float64 [2, 3], from the canvas before to the canvas after: flip, then scale and rotate, then shift."""
        angle = np.radians(self.rotation)
        cos, sin = self.scale * np.cos(angle), self.scale * np.sin(angle)
        linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1 if self.flip else 1, 1])
        centre = np.array([width - 1, height - 1]) / 2
        return np.concatenate([linear, (centre + self.shift - linear @ centre)[:, None]], axis=1)

    def relabelled(self, joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
        """Joints [..., J, 3] of the transformed canvas with left and right exchanged by a flip."""
        return joints[..., skeleton.mirrored, :] if self.flip else joints
