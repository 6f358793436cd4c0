"""The command line as users type it: what it leaves, what it says, how it ends."""

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
from authors_file import write_authors_file
from PIL import Image

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.imaging.video import probe, read_video
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.pose.pose_files import read_poses
from tf_unseen_pose.training.run import Run

ROOT = Path(__file__).parents[2]


def synthesize(folder, **changes):
    options = {
        "photo": folder / "photo.png",
        "--target": folder / "target.json",
        "--source-pose": folder / "source.json",
    }
    options.update({"--model": folder / "run", "-o": folder / "out.png"}, **changes)
    photo = options.pop("photo")
    return ["synthesize", photo, *(item for pair in options.items() for item in pair if item is not True)]


def test_a_package_that_cannot_be_loaded_is_one_line(folder, tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('libfoo.so.1: cannot open shared object file')")
    command = [sys.executable, "-m", "tf_unseen_pose", *map(str, synthesize(folder))]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and "libfoo.so.1" in done.stderr and "'unseen-pose doctor'" in done.stderr
    assert done.stderr.count("\n") == 1 and not done.stdout


def test_synthesize_writes_the_photo_and_the_explanation(folder, run):
    code, out, _ = run(*synthesize(folder), "--explain")
    assert code == 0 and "out.png" in out and "out-explain.png" in out
    assert load_image(folder / "out.png").shape == (150, 200, 3)
    sheet = load_image(folder / "out-explain.png")
    assert sheet.shape[0] > 800 and sheet.std() > 20
    for name in ("out.png", "out-explain.png"):
        assert b"compositeWithTrainedAlgorithmicMedia" in (folder / name).read_bytes(), name
    # A plate that shows the person where they stood puts them back.
    plain = load_image(folder / "out.png")
    assert run(*synthesize(folder, **{"--background": folder / "photo.png"}))[0] == 0
    assert np.abs(load_image(folder / "out.png").astype(int) - plain).max() > 10
    assert run(*synthesize(folder), "--crop")[0] == 0
    # Near the canvas's size in the photo's own pixels; of the photo itself more is shown.
    height, width = load_image(folder / "out.png").shape[:2]
    assert 64 < height < 180 and 64 < width < 240


def spoil(folder, name, change):
    content = json.loads((folder / "target.json").read_text())
    change(content["poses"][0]["joints"])
    (folder / name).write_text(json.dumps(content))
    return folder / name


def test_synthesize_refuses_in_one_sentence(folder, run, tmp_path):
    (folder / "text.jpg").write_text("not a picture")
    (folder / "video").write_bytes(b"\0\0\0\x18ftypisom")
    (tmp_path / "notes.json").write_text("{}")
    Run.create(tmp_path / "empty", load_config("tiny"))
    save_image(tmp_path / "hall.png", next(synthetic_clip(5, 1, 150, 200)).image)

    def invisible(joints):
        joints[:] = [[x, y, 0] for x, y, _ in joints]

    def far_away(joints):
        joints[:] = [[x + 900, y, seen] for x, y, seen in joints]

    def set_joint(i, values):
        return lambda joints: joints.__setitem__(i, values)

    cases = [
        ({"photo": folder / "none.jpg"}, "no file"),
        ({"photo": folder / "text.jpg"}, "not an image"),
        ({"--target": spoil(folder, "13.json", lambda joints: joints.pop())}, "13 joints"),
        ({"--target": spoil(folder, "nan.json", set_joint(3, [float("nan"), 5, 1]))}, "right_elbow"),
        ({"--target": spoil(folder, "blind.json", invisible)}, "visible"),
        ({"--target": spoil(folder, "out.json", far_away)}, "lies outside the"),
        ({"--target": folder / "text.jpg"}, "neither a photo nor a pose file"),
        ({"--target": folder / "video"}, "use 'animate' for videos"),
        ({"--target": tmp_path / "notes.json"}, "not a pose file"),
        ({"--source-pose": folder / "none.json"}, "no pose file"),
        ({"--model": tmp_path / "empty"}, "no weights"),
        ({"--model": folder / "none"}, "no model folder"),
        ({"--background": folder / "none.mp4"}, "no file"),
        ({"--background": tmp_path / "hall.png"}, "too little in common with the photo"),
        ({"--background": folder / "photo.png", "--server": "localhost:1"}, "leave out --background"),
        ({"-o": folder / "none" / "out.png"}, "no folder"),
        ({"-o": folder / "out.docx"}, "format"),
        ({"-o": folder / "photo.png"}, "--force"),
    ]
    for changes, words in cases:
        code, out, err = run(*synthesize(folder, **changes))
        assert code == 2 and words in err, (changes, err)
        assert err.count("\n") == 1 and "Traceback" not in err and not out


def test_a_real_process_ends_with_code_2_and_one_line(folder):
    command = [sys.executable, "-m", "tf_unseen_pose", *map(str, synthesize(folder, photo=folder / "none.jpg"))]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr == f"unseen-pose: There is no file {folder / 'none.jpg'}; name an existing photo.\n"


def test_pose_finds_draws_and_is_read_back(films, run, tmp_path, has_model):
    arguments = "-o", tmp_path / "kick.json", "--overlay", tmp_path / "drawn.mp4", "--start", "0.034"
    code, out, _ = run("pose", films / "kick.mp4", *arguments)
    assert code == 0 and "5 poses" in out
    joints = read_poses(tmp_path / "kick.json", BODY).joints
    assert joints.shape == (5, 23, 4) and np.ptp(joints[..., 3]) > 1
    drawn, plain = (list(read_video(path)) for path in (tmp_path / "drawn.mp4", films / "kick.mp4"))
    assert len(drawn) == 5 and probe(tmp_path / "drawn.mp4").fps == Fraction(30000, 1001)
    different = np.abs(drawn[2][1].astype(int) - plain[3][1]).max(axis=2)
    assert different.max() > 100 and np.median(different) < 3
    code, out, _ = run("pose", films / "photo.png", "-o", tmp_path / "photo.json", "--overlay", tmp_path / "photo.png")
    assert code == 0 and "1 pose." in out and load_image(tmp_path / "photo.png").shape == (200, 240, 3)
    # A skeleton over what was filmed is nothing that did not happen.
    assert not any(b"Synthetic" in (tmp_path / name).read_bytes() for name in ("drawn.mp4", "photo.png"))
    for arguments, words in (
        ((films / "none.mp4", "-o", tmp_path / "x.json"), "no file"),
        ((films / "folder" / "text.mp4", "-o", tmp_path / "x.json"), "text.mp4"),
        ((films / "folder" / "nobody.mp4", "-o", tmp_path / "x.json"), "No person"),
        ((tmp_path / "kick.json", "-o", tmp_path / "x.json"), "is a pose file"),
        ((films / "kick.mp4", "-o", tmp_path / "none" / "x.json"), "no folder"),
        ((films / "photo.png", "-o", tmp_path / "x.json", "--end", "1"), "is a photo"),
        ((films / "kick.mp4", "-o", tmp_path / "x.json", "--overlay", tmp_path / "x.png"), ".mp4 or .gif"),
    ):
        code, out, err = run("pose", *arguments)
        assert code == 2 and words in err.splitlines()[-1] and "Traceback" not in err and not out


def test_synthesize_takes_the_pose_of_another_photo(films, folder, run, tmp_path, has_model):
    arguments = ["synthesize", films / "photo.png", "--target", films / "other.png", "--model", folder / "run"]
    assert run(*arguments, "-o", tmp_path / "fitted.png")[0] == 0
    assert run(*arguments, "-o", tmp_path / "plain.png", "--no-retarget")[0] == 0
    fitted, plain = (load_image(tmp_path / name).astype(int) for name in ("fitted.png", "plain.png"))
    assert fitted.shape == plain.shape == (200, 240, 3) and np.abs(fitted - plain).max() > 10


def test_animate_follows_the_driving_video(films, folder, run, tmp_path, has_model):
    animate = ["animate", films / "photo.png", "--driving", films / "kick.mp4", "--model", folder / "run"]
    code, out, err = run(*animate, "-o", tmp_path / "out.mp4")
    assert code == 0 and "6 of 6 frames at 29.97" in out and "Rendering" in err
    info = probe(tmp_path / "out.mp4")
    assert (info.width, info.height, info.fps, info.frame_count) == (240, 200, Fraction(30000, 1001), 6)
    assert run("pose", films / "kick.mp4", "-o", tmp_path / "kick.json")[0] == 0
    driven = ["animate", films / "photo.png", "--driving", tmp_path / "kick.json", "--model", folder / "run"]
    assert run(*driven, "-o", tmp_path / "same.mp4")[0] == 0
    for (_, one), (_, other) in zip(read_video(tmp_path / "out.mp4"), read_video(tmp_path / "same.mp4"), strict=True):
        # The pose file keeps thousandths of a pixel.
        assert np.abs(one.astype(int) - other).mean() < 2
    assert run(*driven, "-o", tmp_path / "plain.mp4", "--no-retarget")[0] == 0
    fitted, plain = (next(read_video(tmp_path / name))[1].astype(int) for name in ("out.mp4", "plain.mp4"))
    assert np.abs(fitted - plain).max() > 30
    code, _, err = run(
        *driven, "-o", tmp_path / "both.gif", "--side-by-side", "--fps", 10, "--no-retarget", "--start", 0.1
    )
    assert code == 0, err
    info = probe(tmp_path / "both.gif")
    assert info.frame_count == 3  # a tenth of a second is left, at 29.97 frames a second
    # 320 x 240 beside 240 x 200, both 200 high.
    assert (info.width, info.height, info.fps) == (267 + 240, 200, 10)
    assert run(*driven, "-o", tmp_path / "small.gif", "--max-side", 120)[0] == 0
    for (_, one), (_, small) in zip(read_video(tmp_path / "out.mp4"), read_video(tmp_path / "small.gif"), strict=True):
        half = np.asarray(Image.fromarray(one).resize((120, 100), Image.Resampling.LANCZOS))
        assert small.shape == (100, 120, 3) and np.abs(half.astype(int) - small).mean() < 8


def test_animate_refuses_in_one_sentence(films, folder, run, tmp_path, has_model):
    for changes, words in (
        ({"--driving": films / "none.mp4"}, "no file"),
        ({"--driving": films / "folder" / "cut.mp4"}, "cut.mp4"),
        ({"--start": "0:09"}, "kick.mp4 ends after 0.2002 s"),
        ({"--start": "3", "--end": "2"}, "name a later end"),
        ({"--end": "2:60"}, "--end 2:60 is not a time"),
        ({"--driving": films / "folder" / "nobody.mp4"}, "No person"),
        ({"photo": films / "none.png"}, "no file"),
        ({"-o": tmp_path / "out.avi"}, ".mp4 or .gif"),
        ({"-o": tmp_path / "none" / "out.mp4"}, "no folder"),
        ({"--model": tmp_path}, "config.json"),
        ({"--pose-model": films / "photo.png"}, "pose model"),
    ):
        options = {"photo": films / "photo.png", "--driving": films / "kick.mp4", "--model": folder / "run"}
        options |= {"-o": tmp_path / "out.mp4"} | changes
        photo = options.pop("photo")
        code, out, err = run("animate", photo, *(item for pair in options.items() for item in pair))
        assert code == 2 and words in err.splitlines()[-1] and "Traceback" not in err and not out, (changes, err)
        assert not (tmp_path / "out.mp4").exists()


def test_import_posewarp_leaves_a_run_that_synthesize_takes(folder, run, tmp_path):
    rng = np.random.default_rng(0)
    paper = build_generator(load_config("paper", ["model.background_fill=zero"]).model)
    write_authors_file(
        paper, tmp_path / "authors.h5", lambda _, kernel, bias: (rng.normal(0, 0.05, kernel.shape), bias)
    )
    where = tmp_path / "paper"
    options = [f"--set={setting}" for setting in ("model.background_fill=zero", "model.height=64", "model.width=64")]
    code, _, err = run("import-posewarp", tmp_path / "authors.h5", "-o", where, *options)
    assert code == 0, err
    assert run(*synthesize(folder, **{"--model": where}), "--crop")[0] == 0
    crop = load_image(folder / "out.png")
    assert min(crop.shape[:2]) > 64 and np.ptp(crop) > 5
    code, _, err = run("import-posewarp", folder / "photo.png", "-o", tmp_path / "no")
    assert code == 2 and "not a readable HDF5" in err
    code, _, err = run("import-posewarp", tmp_path / "authors.h5", "-o", where)
    assert code == 2 and "exists" in err
