"""Messages in which something is counted, or called by a name, for one and for several."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_unseen_pose.data import prepare, records
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.inference.animation import note_of_unseen
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.pose.pose_files import as_joints
from tf_unseen_pose.words import counted


def seen(*frames):
    """Poses in which all or none of the joints are visible."""
    return np.float32(frames)[:, None, None].repeat(14, axis=1).repeat(3, axis=2)


def refused(joint_count, name):
    with pytest.raises(UserError) as error:
        as_joints(np.ones((joint_count, 3)), PERSON, name)
    return str(error.value).partition(",")[0]


def left_out(*lengths):
    index = SimpleNamespace(clips=[SimpleNamespace(frames=range(length)) for length in lengths])
    return records._describe({f"clip {i}": {"no box": 1} for i in range(len(lengths))}, index)


@pytest.mark.parametrize(
    "said, expected",
    [
        (lambda: counted(1, "clip was", "clips were"), "1 clip was"),
        (lambda: counted(0, "frame"), "0 frames"),
        (lambda: note_of_unseen(seen(1, 1)), ""),
        (lambda: note_of_unseen(seen(1, 0)), "In 1 frame nobody is seen; the pose before is held there."),
        (
            lambda: note_of_unseen(seen(0, 0, 1)),
            "In 2 frames nobody is seen; the first pose that is seen is held there.",
        ),
        (
            lambda: note_of_unseen(seen(0, 1, 0)),
            "In 2 frames nobody is seen; the pose before is held there, at the beginning the first pose that is seen.",
        ),
        (lambda: refused(1, "the target pose"), "The target pose has 1 joint"),
        (lambda: refused(3, "pose 2 of a.json"), "Pose 2 of a.json has 3 joints"),
        (lambda: left_out(1), "1 of 1 frame left out: 1 of 'clip 0' with no box."),
        (lambda: left_out(*[1] * 6)[-31:], "no box, and more of 1 other clip."[-31:]),
        (lambda: str(prepare.nothing_usable({"a": "it is short"}))[:24], "No clip of 1 can be used"),
    ],
)
def test_one_and_several(said, expected):
    assert said() == expected
