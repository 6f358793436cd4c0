"""Damaged photos, videos and pose files by the thousand: what the loaders make of each, how fast, in how much memory.

Every file must be read, or refused in one sentence (`UserError`), within a few seconds.

    python -m benchmarks.damaged_files --files 2000
"""

import argparse
import io
import json
import logging
import random
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import av
import numpy as np
import psutil
from PIL import Image
from pillow_heif import register_heif_opener

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.photos import is_image, lasting_exif, load_image
from tf_unseen_pose.imaging.video import probe, steady_frames
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.pose.pose_files import Poses, read_poses, write_poses

# Seconds that no file may take.
LONGEST = 5.0
_FRAMES = 12


def whole_files() -> dict[str, bytes]:
    """A small file of each kind by its name, whole."""
    register_heif_opener()
    y, x = np.mgrid[:96, :64]
    picture = np.uint8(np.stack([4 * x, 2 * y, x + y], axis=-1))
    photo, files = Image.fromarray(picture), {}
    exif = Image.Exif()
    exif[0x0112] = 6
    seen_through = photo.copy()
    seen_through.putalpha(Image.fromarray(picture[..., 0]))
    for name, kind, image, options in (
        ("photo.jpg", "JPEG", photo, {"exif": exif, "quality": 90}),
        ("progressive.jpg", "JPEG", photo, {"progressive": True}),
        ("photo.png", "PNG", seen_through, {}),
        ("photo.webp", "WEBP", seen_through, {}),
        ("photo.heic", "HEIF", photo, {}),
        ("photo.avif", "AVIF", photo, {}),
        ("photo.gif", "GIF", photo, {}),
        ("photo.tif", "TIFF", photo, {}),
        ("photo.bmp", "BMP", photo, {}),
    ):
        file = io.BytesIO()
        image.save(file, kind, **options)
        files[name] = file.getvalue()
    files |= {f"video.{kind}": _video(kind, codec, picture) for kind, codec in (
        ("mp4", "libx264"), ("mov", "libx264"), ("mkv", "libx264"), ("webm", "libvpx-vp9"), ("avi", "mpeg4"),
    )}  # fmt: skip
    return files | _pose_files()


def _video(kind: str, codec: str, picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", {"mkv": "matroska"}.get(kind, kind)) as container:
        stream = container.add_stream(codec, 25)
        stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
        for shift in range(_FRAMES):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, 3 * shift, axis=1))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _pose_files() -> dict[str, bytes]:
    joints = np.random.default_rng(0).uniform(5, 60, (3, 23, 4)).astype(np.float32)
    joints[..., 2] = 1
    with tempfile.TemporaryDirectory() as folder:
        write_poses(Path(folder) / "own.json", Poses(joints, 64, 96, 25.0))
        own = (Path(folder) / "own.json").read_bytes()
    flat = [round(float(v), 2) for v in joints[0, :17, :3].ravel()]
    openpose = {"people": [{"pose_keypoints_2d": [round(float(v), 2) for v in np.resize(joints, 75)]}]}
    landmarks = [{"x": 0.4, "y": 0.1 + i / 50, "z": 0.0, "visibility": 0.9} for i in range(33)]
    others = {
        "coco.json": [{"image_id": 1, "category_id": 1, "keypoints": flat, "score": 0.9}],
        "openpose.json": openpose | {"canvas_width": 64, "canvas_height": 96},
        "mediapipe.json": landmarks,
    }
    return {"own.json": own} | {name: json.dumps(content).encode() for name, content in others.items()}


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Another file with one or two kinds of damage."""
    found = bytearray(content)
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(len(found) + 1)
        length = chance.choice((1, 4, 64, len(found) // 4 + 1))
        match chance.randrange(6):
            case 0:
                del found[at:]
            case 1:
                del found[at : at + length]
            case 2:
                found[at : at + length] = chance.randbytes(length)
            case 3:
                found[at:at] = found[max(0, at - length) : at]
            case 4 if found:
                found[at % len(found)] ^= 1 << chance.randrange(8)
            case _:
                # Numbers in headers, larger or smaller than anybody expects.
                found[at : at + 4] = chance.choice(
                    (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0")
                )
    return bytes(found)


def read(path: Path) -> None:
    """Reads a file as `pose` and `synthesize` do.

    Raises:
        UserError: it is refused.
    """
    if path.suffix == ".json":
        read_poses(path, BODY, (64, 96))
    elif is_image(path):
        load_image(path)
        lasting_exif(path)
    else:
        probe(path)
        # Damage may promise hours.
        for _ in islice(steady_frames(path), 10 * _FRAMES):
            pass


def judged(path: Path, reader: Callable[[Path], None] = read) -> tuple[str, float]:
    """What came of a file, "read", "refused" or the name of an error, and the seconds that it took."""
    start = time.perf_counter()
    try:
        reader(path)
        outcome = "read"
    except UserError as error:
        outcome = "refused" if str(error).count("\n") == 0 else "refused at length"
    except Exception as error:
        traceback.print_exc()
        outcome = type(error).__name__
    return outcome, time.perf_counter() - start


def main(arguments: list[str] | None = None) -> int:
    """Prints a row for each kind of file; returns 1 if one of them was neither read nor refused, or took too long."""
    parser = argparse.ArgumentParser("python -m benchmarks.damaged_files", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=2000, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    chance, wholes, process = random.Random(options.seed), whole_files(), psutil.Process()
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in wholes}
    longest, memory = 0.0, []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.files):
            name = list(wholes)[number % len(wholes)]
            path = Path(folder) / name
            path.write_bytes(damaged(wholes[name], chance))
            outcome, seconds = judged(path)
            outcomes[name][outcome] += 1
            longest = max(longest, seconds)
            if number % max(1, options.files // 10) == 0:
                memory.append(process.memory_info().rss / 1e6)
    for name, counts in outcomes.items():
        print(f"{name:16} " + ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()))
    print(
        f"The slowest took {longest:.2f} s. Memory in MB, in tenths of the run: {' '.join(f'{m:.0f}' for m in memory)}"
    )
    bad = sum(
        count for counts in outcomes.values() for outcome, count in counts.items() if outcome not in ("read", "refused")
    )
    print(f"{bad} of {options.files} files were neither read nor refused in a sentence.")
    return int(bad > 0 or longest > LONGEST)


if __name__ == "__main__":
    # Not a warning for each.
    logging.getLogger("tf_unseen_pose").setLevel(logging.ERROR)
    raise SystemExit(main())
