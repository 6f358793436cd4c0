"""`Reposer` for a device: the same face, run by LiteRT from one .tflite file.

    reposer = TFLiteReposer.load("lite")
    for frame in reposer.animate(image, poses, source_joints): ...

Convention: as `photo_reposer`.
"""

from pathlib import Path

import numpy as np

from tf_unseen_pose.assets.shipped import tflite_file
from tf_unseen_pose.imaging.image_files import from_uint8, to_uint8
from tf_unseen_pose.inference.photo_reposer import PhotoReposer
from tf_unseen_pose.on_device.cutting import cut_out
from tf_unseen_pose.on_device.lite_file import LiteFile

# What runs where nothing else is asked for: the same picture as float32. On x86 int8 was no faster.
DEFAULT_VARIANT = "float16"

State = dict[str, np.ndarray]


class TFLiteReposer(PhotoReposer):
    """See the module's essay; methods that are not here are `PhotoReposer`'s.

    Args:
        file: the open model.

    Attributes:
        about: what the file says about itself; see `lite_file`.

    Example:
        >>> from tf_unseen_pose import TFLiteReposer, bundled
        >>> reposer, (photo, joints, motion) = TFLiteReposer.load("lite"), bundled()
        >>> result = reposer.synthesize(photo, motion.joints[20], joints)
        >>> result.shape == photo.shape, bool((result == photo).all())
        (True, False)
    """

    def __init__(self, file: LiteFile):
        self.about = file.about
        about = self.about
        super().__init__(file.skeleton, about["height"], about["width"], about["crop_factor"], about["alpha_steepness"])
        self._encode, self._decide, self._render = file["encode_source"], file["decide"], file["render"]

    @classmethod
    def load(cls, path: str | Path, threads: int = 2, variant: str = DEFAULT_VARIANT) -> "TFLiteReposer":
        """Loads a model.

        Args:
            path: a .tflite file, a folder of them made by `export --tflite`, or the name of a model that comes with
                the project: "lite".
            threads: that LiteRT may use.
            variant: of a folder or a name which file: "float32", "float16", "dynamic" or "int8".

        Raises:
            UserError: no such file, or none of this project's.
        """
        return cls(LiteFile.open(tflite_file(path, variant), threads))

    def encode(self, image: np.ndarray, joints: np.ndarray) -> State:
        """All that depends on the source alone, for `render`: arrays by name.

        Args:
            image: uint8 [h, w, 3] of the canvas's size (`about["height"]`, `about["width"]`).
            joints: [J, 3] in pixels of the canvas.

        Raises:
            UserError: an image of another size or type, or joints that are no pose.
        """
        return self._state(np.float32(image), self._checked_canvas(image, joints))

    def _encode_photo(self, pixels: np.ndarray, source_joints: np.ndarray, canvas_to_pixels: np.ndarray) -> State:
        return self._state(cut_out(pixels, canvas_to_pixels, *self._size), source_joints)

    def _state(self, canvas: np.ndarray, joints: np.ndarray) -> State:
        """Of float32 [h, w, 3] in 0..255 and joints [J, 3] on it."""
        return self._encode(image=from_uint8(canvas[None]), source_joints=joints[None])

    def _maps(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        return state["matte"][0], state["hole"][0]

    def _decide_batch(self, state: State, target_joints: np.ndarray) -> np.ndarray:
        return np.concatenate([self._decide(**state, target_joints=pose)["decisions"] for pose in _deep(target_joints)])

    def _render_batch(self, state: State, target_joints: np.ndarray) -> np.ndarray:
        return np.stack(
            [to_uint8(self._render(**state, target_joints=pose)["image"][0]) for pose in _deep(target_joints)]
        )


def _deep(joints: np.ndarray) -> np.ndarray:
    """Poses [B, J, 3 or 4] as [B, 1, J, 4]; z 0 for all says what no z says."""
    unknown = np.zeros((*joints.shape[:2], 4 - joints.shape[2]), np.float32)
    return np.concatenate([joints, unknown], axis=2)[:, None]
