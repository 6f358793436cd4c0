"""Exports a model for phones, and runs the file as a phone does: with LiteRT, without TensorFlow.

    python examples/export_to_phone.py
    python examples/export_to_phone.py trained/run -o models/me

Writes `tflite/float16.tflite`, its report and a picture that the file made. Without arguments it takes the bundled
model. docs/phones.md has the calls in Kotlin and Swift.
"""

import argparse
from pathlib import Path

from tf_unseen_pose import Reposer, Run, bundled, save_image
from tf_unseen_pose.export.tflite.export_files import Options, export_tflite


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=Path("lite"), help="a run, or an exported version")
    parser.add_argument("-o", "--output", type=Path, default=Path("phone"))
    parser.add_argument("--licence", default="all rights reserved", help="of the weights; written into the file")
    options = parser.parse_args()

    # The report compares the file with float32 on four poses of the bundled photo; see `export --data` for more.
    chosen = Options(variants=("float16",), licence=options.licence, pairs=4, seconds=0.2)
    folder = export_tflite(Run.open(options.model), options.output, chosen)

    photo, source, motion = bundled()
    reposer = Reposer.load(folder / "float16.tflite", threads=2)
    save_image(options.output / "reposed.png", reposer.synthesize(photo, motion.joints[20], source), synthetic=True)
    print(f"Wrote {folder / 'float16.tflite'}, {(folder / 'report.md').name} and {options.output / 'reposed.png'}.")


if __name__ == "__main__":
    main()
