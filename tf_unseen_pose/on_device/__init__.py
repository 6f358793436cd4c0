"""Re-posing on phones, single-board computers and wherever TensorFlow is too much: by LiteRT, NumPy and OpenCV.

    from tf_unseen_pose import TFLiteReposer

    reposer = TFLiteReposer.load("lite")
    photo = reposer.synthesize(image, target_joints, source_joints)

`python -m tf_unseen_pose.on_device` is a demonstration. Nothing here imports TensorFlow; a test keeps it so. How to
install it without TensorFlow, docs/devices.md says.
"""

from tf_unseen_pose.on_device.reposer import TFLiteReposer

__all__ = ["TFLiteReposer"]
