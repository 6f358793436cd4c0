"""A skeleton that no file of the package knows, registered and taken all the way: data, ten steps, export, server."""

import numpy as np
import pytest
from small_clips import moving_clip, picture
from small_networks import TINY
from small_servers import started_server

from tf_unseen_pose import (
    BODY,
    ClipDataset,
    Limb,
    Poses,
    RemoteReposer,
    Reposer,
    Skeleton,
    export_run,
    load_config,
    load_image,
    read_poses,
    register_skeleton,
    retarget,
    save_image,
    train,
    write_poses,
)
from tf_unseen_pose.data.clips import Clip
from tf_unseen_pose.known_skeletons import SKELETONS

TAIL = ("tail_base", "tail_middle", "tail_tip")
TAILED = Skeleton(
    "tailed",
    (*BODY.joints, *TAIL),
    (*BODY.limbs, Limb("upper_tail", TAIL[:2], width=7.0), Limb("lower_tail", TAIL[1:], 5.0, "upper_tail", TAIL[:1])),
    BODY.root,
    held=(("tail_base", "left_hip"),),
)


def with_tail(frame):
    """A frame whose person has hands, feet, a face, and a tail that swings to the viewer's right."""
    hip = frame.joints[TAILED.joints.index("left_hip")]
    fine = frame.joints[[0, 0, 0, 4, 7, 10, 13, 10, 13]] + np.float32([3, 7, 0])
    fine[-2:] += [5, 2, 0]
    tail = hip + np.float32([[5, 0, 0], [25, 10, 0], [45 + frame.number, 0, 0]])
    return type(frame)(frame.jpeg, np.concatenate([frame.joints, fine, tail]), frame.number, mask_png=frame.mask_png)


@pytest.fixture
def version(only_known_here, make_dataset, tmp_path):
    """The dataset, and the exported model that was trained on it."""
    register_skeleton(TAILED)
    clips = [moving_clip(name) for name in ("cat", "fox")]
    dataset = make_dataset(
        [Clip(c.name, c.action, c.fps, lambda c=c: map(with_tail, c.frames()), skeleton=TAILED) for c in clips]
    )
    steps = ["train.stages=[{loss: l1, steps: 10}]", "train.batch_size=1", "train.workers=0"]
    config = load_config("tiny", [*TINY, *steps, "model.skeleton=tailed"])
    run = train(dataset.path, tmp_path / "run", config, progress=False)
    assert run.steps_done == 10
    return dataset, export_run(run, tmp_path / "tailed", check=False)


def test_a_registered_skeleton_is_trained_exported_and_served(version, loop, run, tmp_path):
    dataset, path = version
    frame = ClipDataset.open(dataset.path).read_frame(0, 0)
    photo, source = picture(1, 240, 200), frame.joints
    driving = dataset.read_frame(1, 2).joints[None] * np.float32([0.5, 0.5, 1])
    target = retarget(driving, source, TAILED)[0]
    # The tail follows its hip, at the size of the source's.
    hip, tip = TAILED.joint_index("left_hip", "tail_tip")
    np.testing.assert_allclose(target[tip, :2] - target[hip, :2], [47, 0], atol=3)

    # Who knows the exported model alone knows its skeleton.
    del SKELETONS["tailed"]
    expected = Reposer.load(path, sharp_hole=False).synthesize(photo, target, source)
    assert SKELETONS["tailed"] == TAILED

    server = started_server(loop, path=path.parent)
    with RemoteReposer(server.address, "tailed") as remote:
        assert remote.skeleton == TAILED
        served = remote.synthesize(photo, target, source)
    server.end()
    assert np.abs(served.astype(int) - expected).max() <= 1 and np.abs(served.astype(int) - photo).max() > 3

    # The command line, without a line of Python.
    del SKELETONS["tailed"]
    save_image(tmp_path / "photo.png", photo)
    for name, joints in (("source", source), ("target", target)):
        write_poses(tmp_path / f"{name}.json", Poses(joints[None], 200, 240))
    poses = ("--source-pose", tmp_path / "source.json", "--target", tmp_path / "target.json")
    code, _, err = run("synthesize", tmp_path / "photo.png", "--model", path, *poses, "-o", tmp_path / "out.png")
    assert code == 0, err
    given = [read_poses(tmp_path / f"{name}.json", TAILED).joints[0] for name in ("source", "target")]
    expected = Reposer.load(path).synthesize(photo, given[1], given[0])
    np.testing.assert_array_equal(load_image(tmp_path / "out.png"), expected)
