"""Poses: reading, detection, smoothing and retargeting."""
