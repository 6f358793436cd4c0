"""Writes the pose landmarker's model out of the older stack's MediaPipe wheel, to test the newer one without a network.

PYTHONPATH=. python .ci/landmarker.py FILE.task
"""

import sys
from pathlib import Path

from tf_unseen_pose.pose.landmarker_model import bundle_of_wheel

Path(sys.argv[1]).write_bytes(bundle_of_wheel())
