"""Re-posing people in photos: the modular method of Balakrishnan et al. (CVPR 2018) in TensorFlow."""

import os

# TensorFlow's faster convolutions, which it takes by itself on the newest processors only: on one with AVX2 alone a
# training step took half the time. To be set before TensorFlow is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.1.0"
__all__ = ["Reposer", "UserError"]


def __getattr__(name):
    # TensorFlow takes seconds to import; `unseen-pose --help` and a misspelt file name need not wait for it.
    if name == "Reposer":
        from tf_unseen_pose.inference.local import Reposer

        return Reposer
    if name == "UserError":
        from tf_unseen_pose.errors import UserError

        return UserError
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
