import json

import numpy as np

from tf_unseen_pose.export.parity import as_skeleton
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON


def test_the_report_beside_a_version_has_every_signature(exported, signatures):
    measured = json.loads((exported[1] / "assets.extra" / "parity.json").read_text())
    assert set(measured) == set(signatures)
    for name, values in measured.items():
        if name in ("synthesize", "render"):
            assert values["largest"] <= 1 and values["equal"] > 0.9999, name
        elif name in ("encode_source", "explain", "sequence_crop"):
            assert values["largest"] <= 1e-4, name
        else:
            assert values["psnr"] >= 50, name


def test_a_persons_joints_are_anothers_with_what_they_hold():
    joints = np.random.default_rng(0).uniform(0, 99, (2, 23, 3)).astype(np.float32)
    for skeleton, count in ((BODY, 23), (PERSON, 14)):
        np.testing.assert_array_equal(as_skeleton(skeleton, joints), joints[:, :count])
    golfer = as_skeleton(GOLF, joints)
    np.testing.assert_array_equal(golfer[:, :14], joints[:, :14])
    assert golfer.shape == (2, 16, 3) and (golfer[:, 14, :2] != golfer[:, 15, :2]).all()
    wrist = joints[:, PERSON.joint_index("right_wrist")[0], 2]
    np.testing.assert_array_equal(golfer[:, 15, 2], wrist)
