"""Another skeleton from the first command to the last: a golfer's club is prepared, trained on and re-posed."""

import json

import pytest
from small_networks import TINY

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.known_skeletons import GOLF, PERSON
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.pose.pose_files import Poses, write_poses
from tf_unseen_pose.training.run import Run

SMALL = [f"--set={setting}" for setting in TINY]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A golfer's photo, two pose files and an untrained run."""
    path = tmp_path_factory.mktemp("golf")
    source, target = (list(synthetic_clip(2, 6, 100, 140, skeleton=GOLF))[i] for i in (0, 4))
    save_image(path / "photo.png", source.image)
    for name, frame in (("source", source), ("target", target)):
        write_poses(path / f"{name}.json", Poses(frame.joints[None], 140, 100))
    config = load_config("tiny", [*TINY, "model.skeleton=golf"])
    Run.create(path / "untrained", config).save_weights(build_generator(config.model))
    return path


def test_a_golfer_is_prepared_evaluated_and_re_posed(folder, run):
    drawn = ("--clips", 2, "--frames", 4, "--size", 64, "--validation", 0.5)
    code, out, err = run("prepare", "--format", "synthetic", "--skeleton", "golf", *drawn, "-o", folder / "data")
    assert code == 0 and "2 clips" in out, err
    assert ClipDataset.open(folder / "data").skeleton == GOLF
    train = ("train", "--data", folder / "data", "--run", folder / "run", "--config", "tiny", *SMALL)
    code, _, err = run(*train)
    assert code == 2 and "'golf'" in err and "model.skeleton" in err
    # The page on held objects, whose commands tests run, has one trained.
    report = folder / "report"
    code, _, err = run("evaluate", "--model", folder / "untrained", "--data", folder / "data", "-o", report)
    assert code == 0 and "cannot be found in pictures" in (report / "report.html").read_text(encoding="utf-8"), err
    model = ("--model", folder / "untrained", "--source-pose", folder / "source.json")
    pose = ("--target", folder / "target.json", "-o", folder / "out.png", "--explain")
    for retarget in ((), ("--retarget",)):
        code, _, err = run("synthesize", folder / "photo.png", *model, *pose, *retarget)
        assert code == 0, err
        assert load_image(folder / "out.png").shape == (100, 140, 3)
    code, _, err = run(
        "animate", folder / "photo.png", *model, "--driving", folder / "target.json", "-o", folder / "out.gif"
    )
    assert code == 0 and (folder / "out.gif").is_file(), err


def test_golfers_poses_are_given_since_none_is_found(folder, run):
    photo, model = folder / "photo.png", ("--model", folder / "untrained", "-o", folder / "no.png")
    code, _, err = run("synthesize", photo, *model, "--target", folder / "target.json")
    assert code == 2 and "'golf' cannot be found in pictures" in err
    content = json.loads((folder / "target.json").read_text())
    content["poses"][0]["joints"] = content["poses"][0]["joints"][: PERSON.joint_count]
    (folder / "person.json").write_text(json.dumps(content))
    given = ("--source-pose", folder / "source.json", "--target", folder / "person.json")
    code, _, err = run("synthesize", photo, *model, *given)
    assert code == 2 and "14 joints" in err and "club_head" in err and err.count("\n") == 1
    assert not (folder / "no.png").exists()


@pytest.mark.parametrize(
    "options, words",
    [
        (("video.mp4", "--format", "video"), "leave out --skeleton"),
        (("--format", "synthetic", "--action", "dance"), "'dance'"),
    ],
)
def test_combinations_that_make_no_sense(run, tmp_path, options, words):
    code, _, err = run("prepare", *options, "--skeleton", "golf", "-o", tmp_path / "no")
    assert code == 2 and words in err and err.count("\n") == 1 and not (tmp_path / "no").exists()
