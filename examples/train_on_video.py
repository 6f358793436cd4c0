"""Trains the bundled model further on a video of one person, then renders that person in another pose.

    python examples/animate_photo.py && python examples/train_on_video.py
    python examples/train_on_video.py me.mp4 -o me

Writes a folder: `data` (look at its summary.html), `run` (the trained model), `photo.png` (the first frame) and
`reposed.png` (that frame in a pose of the bundled motion). It takes 15 minutes; Ctrl-C ends the training early and
keeps what it has learned. Without arguments it takes the video that animate_photo.py writes.
"""

import argparse
from pathlib import Path

from tf_unseen_pose import BODY, Reposer, Run, find_poses, load_config, retarget, save_image, train
from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.imaging.video import read_video
from tf_unseen_pose.inference.bundled import FOLDER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path, default=Path("moving.mp4"), help="one person, a still camera")
    parser.add_argument("-o", "--output", type=Path, default=Path("trained"))
    parser.add_argument("--config", default="configs/clip-256.yaml", help="what to train, and for how long")
    options = parser.parse_args()

    data, run = options.output / "data", options.output / "run"
    # Finds the person and their mask in ten frames of every second.
    summary = prepare([options.video], data, Options("video", validation=0))
    print(f"Prepared {summary.frames} frames; look at {summary.page}.")
    train(data, run, load_config(options.config), init=Run.open("lite").path)

    _, frame = next(read_video(options.video))
    photo, result = options.output / "photo.png", options.output / "reposed.png"
    save_image(photo, frame)
    source = find_poses(photo).joints[0]
    poses = retarget(find_poses(FOLDER / "motion.json").joints, source, BODY)
    save_image(result, Reposer.load(run).synthesize(photo, poses[0], source), synthetic=True)
    print(f"Wrote {result}.")


if __name__ == "__main__":
    main()
