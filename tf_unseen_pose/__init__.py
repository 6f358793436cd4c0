"""Re-posing people in photos: the modular method of Balakrishnan et al. (CVPR 2018) in TensorFlow.

The public names. Each is imported on first use, so importing the package is fast and does not load TensorFlow:

- re-posing: `Reposer`, on a server `RemoteReposer`; `ReposerLike`, their common protocol
- pictures and poses: `bundled`, `load_image`, `load_background`, `save_image`, `Poses`, `read_poses`, `write_poses`,
  `find_poses`, `retarget`
- skeletons: `BODY`, `PERSON`, `GOLF`, `Skeleton`, `Limb`, `register_skeleton`
- training: `load_config`, `Config`, `build_generator`, `ClipDataset`, `train`, `Run`, `export_run`
- `UserError`, for errors that a user can fix
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_unseen_pose.config import Config as Config
    from tf_unseen_pose.config import load_config as load_config
    from tf_unseen_pose.data.records import ClipDataset as ClipDataset
    from tf_unseen_pose.errors import UserError as UserError
    from tf_unseen_pose.export.saved_model import export_run as export_run
    from tf_unseen_pose.imaging.image_files import save_image as save_image
    from tf_unseen_pose.imaging.photos import load_image as load_image
    from tf_unseen_pose.inference.background import load_background as load_background
    from tf_unseen_pose.inference.bundled import bundled as bundled
    from tf_unseen_pose.inference.protocol import ReposerLike as ReposerLike
    from tf_unseen_pose.inference.remote import RemoteReposer as RemoteReposer
    from tf_unseen_pose.inference.reposer import Reposer as Reposer
    from tf_unseen_pose.known_skeletons import BODY as BODY
    from tf_unseen_pose.known_skeletons import GOLF as GOLF
    from tf_unseen_pose.known_skeletons import PERSON as PERSON
    from tf_unseen_pose.known_skeletons import register_skeleton as register_skeleton
    from tf_unseen_pose.model import build_generator as build_generator
    from tf_unseen_pose.pose.pose_files import Poses as Poses
    from tf_unseen_pose.pose.pose_files import read_poses as read_poses
    from tf_unseen_pose.pose.pose_files import write_poses as write_poses
    from tf_unseen_pose.pose.retargeting import retarget as retarget
    from tf_unseen_pose.pose.sources import find_poses as find_poses
    from tf_unseen_pose.skeleton import Limb as Limb
    from tf_unseen_pose.skeleton import Skeleton as Skeleton
    from tf_unseen_pose.training.fit import train as train
    from tf_unseen_pose.training.run import Run as Run

# oneDNN's faster convolutions, which TensorFlow enables by itself only on the newest processors; with AVX2 alone a
# training step takes half the time. Set before TensorFlow is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.1.0"

# The module of every public name.
_MODULES = {
    "ClipDataset": "data.records",
    "Config": "config",
    "GOLF": "known_skeletons",
    "Limb": "skeleton",
    "BODY": "known_skeletons",
    "PERSON": "known_skeletons",
    "Poses": "pose.pose_files",
    "RemoteReposer": "inference.remote",
    "Reposer": "inference.reposer",
    "ReposerLike": "inference.protocol",
    "Run": "training.run",
    "Skeleton": "skeleton",
    "UserError": "errors",
    "build_generator": "model",
    "bundled": "inference.bundled",
    "export_run": "export.saved_model",
    "find_poses": "pose.sources",
    "load_background": "inference.background",
    "load_config": "config",
    "load_image": "imaging.photos",
    "read_poses": "pose.pose_files",
    "register_skeleton": "known_skeletons",
    "retarget": "pose.retargeting",
    "save_image": "imaging.image_files",
    "train": "training.fit",
    "write_poses": "pose.pose_files",
}
__all__ = [*_MODULES, "__version__"]

# Type checkers see only the names above.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
