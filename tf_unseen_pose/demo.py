"""The demonstration: train preset `tiny` on a synthetic clip, re-pose its figure, leave a picture."""

from pathlib import Path

import numpy as np

from tf_unseen_pose.config import load_config
from tf_unseen_pose.contact_sheet import contact_sheet, draw_pose
from tf_unseen_pose.data.plan import Options, synthetic_clip_seed
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.images import save_image
from tf_unseen_pose.reposer import Reposer
from tf_unseen_pose.training.fit import train

_SEED, _FRAMES, _SIDE = 6, 64, 128
_SEEN, _UNSEEN = "dance", "jacks"
_SHOWN = (8, 18, 28, 38, 48, 58)


def demo(output: Path, minutes: float) -> Path:
    """Runs the demonstration in a folder; returns the contact sheet's path.

    The model is trained on a figure that dances and is asked for its jumping jacks, poses that it never saw. What
    they really look like is drawn beside them. Called again, it trains on.

    Args:
        output: folder for the dataset, the run and the picture.
        minutes: how long to train at most.
    """
    prepare([], output / "dataset", Options("synthetic", clips=1, frames=_FRAMES, size=_SIDE, seed=_SEED, action=_SEEN))
    config = load_config("tiny", [f"train.max_minutes={minutes}", "train.stages.0.steps=100000"])
    run = train(output / "dataset", output / "run", config)
    sheet = output / "demo.png"
    save_image(sheet, _unseen_poses(Reposer.load(run.path)))
    return sheet


def _unseen_poses(reposer: Reposer) -> np.ndarray:
    seed = synthetic_clip_seed(_SEED, 0)
    source = next(synthetic_clip(seed, _FRAMES, _SIDE, _SIDE, _SEEN))
    unseen = list(synthetic_clip(seed, _FRAMES, _SIDE, _SIDE, _UNSEEN))
    panels = []
    for number in _SHOWN:
        target = unseen[number]
        pose = draw_pose(np.zeros_like(source.image), target.joints, reposer.skeleton)
        result = reposer.synthesize(source.image, target.joints, source.joints)
        panels += [("source", source.image), ("target pose", pose), ("result", result), ("truth", target.image)]
    return contact_sheet(panels, columns=8, side=192)
