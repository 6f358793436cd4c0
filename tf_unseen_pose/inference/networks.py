"""The interface of networks that TensorFlow or LiteRT runs for a re-poser.

Convention: images of a canvas are uint8 [h, w, 3]; joints are in pixels of the canvas, a source's [J, 3], targets'
[B, J, 3 or 4]. A state is the encoded source in the runtime's own form.
"""

from typing import Any, Protocol

import numpy as np

from tf_unseen_pose.skeleton import Skeleton


class Networks(Protocol):
    """The networks of one model.

    Attributes:
        skeleton: the model's skeleton.
        height, width: of its canvas.
        crop_factor: see `imaging.crop.whole_crop`.
        steepness: see `imaging.compositing.Compositor`.
    """

    skeleton: Skeleton
    height: int
    width: int
    crop_factor: float
    steepness: float

    def encode(self, canvas: np.ndarray, source_joints: np.ndarray) -> Any:
        """The state of a canvas, uint8 [h, w, 3], whose person has the joints [J, 3]."""
        ...

    def encode_photo(self, pixels: np.ndarray, source_joints: np.ndarray, canvas_to_pixels: np.ndarray) -> Any:
        """The state of a crop.

        Args:
            pixels: the covered part of the photo, uint8 [H, W, 3].
            source_joints: [J, 3] on the canvas.
            canvas_to_pixels: [2, 3], the canvas's place there.
        """
        ...

    def maps(self, state: Any) -> tuple[np.ndarray, np.ndarray]:
        """A state's matte [h, w, 2] and hole [h, w, 4]."""
        ...

    def decide(self, state: Any, target_joints: np.ndarray) -> np.ndarray:
        """Decisions for B poses: float32 [B, h, w, 9], see `model.compositing.Decisions`."""
        ...

    def render(self, state: Any, target_joints: np.ndarray) -> np.ndarray:
        """The source in B poses, on the canvas: uint8 [B, h, w, 3]."""
        ...

    def explain(self, image: np.ndarray, source_joints: np.ndarray, target_joints: np.ndarray) -> dict[str, np.ndarray]:
        """Every intermediate of one re-posing, by name.

        Args:
            image: the canvas, float32 [h, w, 3] in [-1, 1].
            source_joints: [J, 3].
            target_joints: [J, 3 or 4].

        Returns:
            Arrays without B, image [h, w, 3] last.

        Raises:
            UserError: the runtime returns only results.
        """
        ...
