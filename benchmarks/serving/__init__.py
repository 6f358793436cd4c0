"""The embedded server under load and under attack; see ../README.md."""

# Before TensorFlow: it decides which convolutions are taken, and the bare model shall have those that the server has.
import tf_unseen_pose  # noqa: F401
