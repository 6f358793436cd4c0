"""The networks. `build_generator` makes the one that a configuration asks for."""

from tf_unseen_pose.config import ModelConfig
from tf_unseen_pose.model.copying_generator import CopyingGenerator, CopyState
from tf_unseen_pose.model.generator import Generator, SourceState
from tf_unseen_pose.model.pose_model import PoseModel
from tf_unseen_pose.model.unet_baseline import BaselineUNet

__all__ = ["BaselineUNet", "CopyState", "CopyingGenerator", "Generator", "PoseModel", "SourceState", "build_generator"]


def build_generator(config: ModelConfig) -> PoseModel:
    """The modular generator, the copying one or the plain U-Net, with fresh weights."""
    networks = {"modular": Generator, "copying": CopyingGenerator, "unet": BaselineUNet}
    return networks[config.network](config, name="generator")
