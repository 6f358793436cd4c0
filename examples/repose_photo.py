"""Renders the person of a photo in another pose.

    python examples/repose_photo.py
    python examples/repose_photo.py me.jpg somebody.jpg -o me-in-their-pose.png

Writes one picture of the photo's size. Without arguments it takes the bundled photo and a pose of the bundled motion.
"""

import argparse
from pathlib import Path

from tf_unseen_pose import BODY, Reposer, find_poses, load_image, retarget, save_image
from tf_unseen_pose.inference.bundled import FOLDER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, default=FOLDER / "person.jpg", help="one person, head to foot")
    parser.add_argument("target", nargs="?", type=Path, default=FOLDER / "motion.json", help="photo or pose file")
    parser.add_argument("-o", "--output", type=Path, default=Path("reposed.png"))
    options = parser.parse_args()

    photo = load_image(options.photo)
    # float32 [J, 3 or 4]: x, y, visibility, depth, in pixels of each picture.
    source = find_poses(options.photo).joints[0]
    poses = find_poses(options.target).joints
    target = poses[len(poses) // 2]
    # The target pose with the limb lengths of the person in the photo, on their ground.
    fitted = retarget(target[None], source, BODY)[0]

    result = Reposer.load("lite").synthesize(photo, fitted, source)
    save_image(options.output, result, synthetic=True)
    print(f"Wrote {options.output}.")


if __name__ == "__main__":
    main()
