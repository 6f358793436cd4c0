"""How fast the program is, and how that compares with the network as its authors ship it; see README.md."""

# Before TensorFlow, whose oneDNN it turns on, as for users.
import tf_unseen_pose as tf_unseen_pose
