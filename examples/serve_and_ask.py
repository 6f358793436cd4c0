"""Starts the server in a process of its own, asks it for a picture, and stops it.

    python examples/serve_and_ask.py
    python examples/serve_and_ask.py models/mine -o served.png

Writes the bundled photo in another pose. Without arguments the server has the bundled model.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from tf_unseen_pose import RemoteReposer, Run, bundled, save_image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="?", type=Path, help="a folder of versions, as `export` writes it")
    parser.add_argument("-o", "--output", type=Path, default=Path("served.png"))
    options = parser.parse_args()
    models = options.models or Run.open("lite").path.parent

    command = [sys.executable, "-m", "tf_unseen_pose", "serve", str(models), "--name", "mine", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        # "Serving mine, version 1 at 127.0.0.1:41234.", once the model is ready: half a minute.
        ready = server.stdout.readline() or sys.exit("The server did not start; it said why.")
        address = ready.split()[-1].rstrip(".")
        print(f"The server answers at {address}.")
        try:
            photo, source, motion = bundled()
            with RemoteReposer(address, "mine") as reposer:
                save_image(options.output, reposer.synthesize(photo, motion.joints[20], source), synthetic=True)
        finally:
            server.terminate()
    print(f"Wrote {options.output}.")


if __name__ == "__main__":
    main()
