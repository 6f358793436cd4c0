"""`python -m tf_unseen_pose.on_device`: a demonstration for phones, single-board computers and cameras, by LiteRT.

Nothing here imports TensorFlow; a test keeps it so. How to install it without TensorFlow, docs/devices.md says.
"""
