"""Renders a video of the person of a photo in the motion of another video.

    python examples/animate_photo.py
    python examples/animate_photo.py me.jpg dance.mp4 -o me-dancing.mp4

Writes an .mp4 or a .gif. Without arguments it takes the bundled photo and the bundled motion.
"""

import argparse
from pathlib import Path

from tf_unseen_pose import BODY, Reposer, find_poses, load_image, retarget
from tf_unseen_pose.inference.animation import write_animation
from tf_unseen_pose.inference.bundled import FOLDER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, default=FOLDER / "person.jpg", help="one person, head to foot")
    parser.add_argument("motion", nargs="?", type=Path, default=FOLDER / "motion.json", help="video or pose file")
    parser.add_argument("-o", "--output", type=Path, default=Path("moving.mp4"))
    options = parser.parse_args()

    photo = load_image(options.photo)
    source = find_poses(options.photo).joints[0]
    motion = find_poses(options.motion)
    poses = retarget(motion.joints, source, BODY)

    # The photo is encoded once; frames come as they are made.
    frames = Reposer.load("lite").animate(photo, poses, source)
    written, _ = write_animation(frames, len(poses), options.output, motion.fps or 25)
    print(f"Wrote {options.output}: {written} frames.")


if __name__ == "__main__":
    main()
