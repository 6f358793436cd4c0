"""Drawn clips of people in motion, with exact joints and masks; start with `clip`."""

from tf_unseen_pose.data.synthetic.clip import ACTIONS, SyntheticFrame, actions_of, synthetic_clip

__all__ = ["ACTIONS", "SyntheticFrame", "actions_of", "synthetic_clip"]
