"""`python -m tf_unseen_pose.on_device`: a demonstration with LiteRT for small computers and cameras.

Nothing here imports TensorFlow, which a test checks. docs/devices.md explains the installation.
"""
