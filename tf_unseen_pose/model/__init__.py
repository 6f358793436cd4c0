"""The networks; `build_generator` builds the one that a configuration names."""

from tf_unseen_pose.model.copying_generator import CopyingGenerator, CopyState
from tf_unseen_pose.model.generator import Generator, SourceState
from tf_unseen_pose.model.pose_model import PoseModel
from tf_unseen_pose.model.unet_baseline import BaselineUNet
from tf_unseen_pose.model_config import ModelConfig

__all__ = ["BaselineUNet", "CopyState", "CopyingGenerator", "Generator", "PoseModel", "SourceState", "build_generator"]


def build_generator(config: ModelConfig) -> PoseModel:
    """The modular generator, the copying one or the plain U-Net, with fresh weights.

    Example:
        >>> import numpy as np
        >>> from tf_unseen_pose import build_generator, load_config
        >>> generator = build_generator(load_config("tiny").model)
        >>> joints = np.random.default_rng(0).uniform(8, 56, (1, 14, 3)).astype(np.float32)
        >>> image = np.zeros((1, 64, 64, 3), np.float32)
        >>> generator({"image": image, "source_joints": joints, "target_joints": joints}).shape
        TensorShape([1, 64, 64, 3])
    """
    networks = {"modular": Generator, "copying": CopyingGenerator, "unet": BaselineUNet}
    return networks[config.network](config, name="generator")
