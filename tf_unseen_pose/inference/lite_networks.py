"""Networks in LiteRT, from one .tflite file: they start in 50 ms and need no TensorFlow.

Convention: as `networks`.
"""

import os
from pathlib import Path

import numpy as np

from tf_unseen_pose.assets.shipped import tflite_file
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.image_files import from_uint8, to_uint8
from tf_unseen_pose.inference.cutting import cut_out
from tf_unseen_pose.inference.lite_file import LiteFile
from tf_unseen_pose.inference.networks import Networks

# The default: the same picture as float32; int8 was not faster on x86.
DEFAULT_VARIANT = "float16"

State = dict[str, np.ndarray]


class LiteNetworks(Networks):
    """The signatures of an open file.

    Args:
        file: the file.

    Attributes:
        about: the file's description; see `lite_file`.
    """

    def __init__(self, file: LiteFile):
        self.about = about = file.about
        self.skeleton, self.height, self.width = file.skeleton, about["height"], about["width"]
        self.crop_factor, self.steepness = about["crop_factor"], about["alpha_steepness"]
        self._encode, self._decide, self._render = file["encode_source"], file["decide"], file["render"]

    @classmethod
    def load(cls, path: str | Path, threads: int | None = None, variant: str = DEFAULT_VARIANT) -> "LiteNetworks":
        """Loads a .tflite file, or a variant from a folder of them or of a bundled model.

        Args:
            path: the file, the folder, or the name.
            threads: number of threads for LiteRT; by default all cores, at most four.
            variant: the file to take from a folder or bundled model: "float32", "float16", "dynamic" or "int8".

        Raises:
            UserError: the file is missing or not of this project.
        """
        return cls(LiteFile.open(tflite_file(path, variant), threads or min(4, os.cpu_count() or 1)))

    def encode(self, canvas: np.ndarray, source_joints: np.ndarray) -> State:
        """As `Networks.encode`: arrays by name."""
        return self._state(np.float32(canvas), source_joints)

    def encode_photo(self, pixels: np.ndarray, source_joints: np.ndarray, canvas_to_pixels: np.ndarray) -> State:
        """As `Networks.encode_photo`."""
        return self._state(cut_out(pixels, canvas_to_pixels, self.height, self.width), source_joints)

    def _state(self, canvas: np.ndarray, joints: np.ndarray) -> State:
        """The state of float32 [h, w, 3] in 0..255 and joints [J, 3] on it."""
        return self._encode(image=from_uint8(canvas[None]), source_joints=joints[None])

    def maps(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        """As `Networks.maps`."""
        return state["matte"][0], state["hole"][0]

    def decide(self, state: State, target_joints: np.ndarray) -> np.ndarray:
        """As `Networks.decide`."""
        return np.concatenate([self._decide(**state, target_joints=pose)["decisions"] for pose in _deep(target_joints)])

    def render(self, state: State, target_joints: np.ndarray) -> np.ndarray:
        """As `Networks.render`."""
        return np.stack(
            [to_uint8(self._render(**state, target_joints=pose)["image"][0]) for pose in _deep(target_joints)]
        )

    def explain(self, image: np.ndarray, source_joints: np.ndarray, target_joints: np.ndarray) -> dict[str, np.ndarray]:
        """Not supported.

        Raises:
            UserError: always.
        """
        raise UserError("A .tflite file gives results without stages; choose the runtime tensorflow to see the stages.")


def _deep(joints: np.ndarray) -> np.ndarray:
    """Poses [B, J, 3 or 4] as [B, 1, J, 4], with z 0 if it is unknown."""
    unknown = np.zeros((*joints.shape[:2], 4 - joints.shape[2]), np.float32)
    return np.concatenate([joints, unknown], axis=2)[:, None]
