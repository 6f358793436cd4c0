import subprocess
import sys

import numpy as np
import pytest

from tf_unseen_pose import Reposer
from tf_unseen_pose.data.synthetic import synthetic_clip


@pytest.fixture(scope="module")
def reposers(exported, lite_files):
    return Reposer.load(exported[1]), Reposer.load(lite_files[1], variant="float32")


@pytest.fixture(scope="module")
def frames():
    return list(synthetic_clip(3, 8, 180, 240))


def levels(one, other):
    return np.abs(one.astype(int) - other)


def same(one, other):
    """A last digit decides between neighbours among the 32 places within a pixel: 8 levels at most, and seldom."""
    difference = levels(one, other)
    return difference.max() <= 8 and (difference**2).mean() < 1e-3


def test_photos_come_out_as_from_tensorflow(reposers, frames):
    source, target = frames[0], frames[4]
    depth = np.linspace(-30, 30, 14, dtype=np.float32)[:, None]
    for pose in (target.joints, np.concatenate([target.joints, depth], axis=1)):
        expected, made = (each.synthesize(source.image, pose, source.joints) for each in reposers)
        assert made.dtype == np.uint8 and same(made, expected)
    assert levels(made, source.image).max() > 30


def test_encode_once_render_many(reposers, frames):
    canvas = reposers[0].canvas(frames[0].image, frames[0].joints, frames[4].joints)
    image = np.round((canvas.image + 1) * 127.5).astype(np.uint8)
    states = [each.encode(image, canvas.source_joints) for each in reposers]
    for moved in (0, 5):
        pose = canvas.target_joints + np.float32([moved, 0, 0])
        expected, made = (each.render(state, pose) for each, state in zip(reposers, states, strict=True))
        assert levels(made, expected).max() <= 1


def test_animations_hold_frames_and_come_in_any_batch(reposers, frames):
    poses = np.stack([frame.joints for frame in frames[:5]])
    poses[2, :, 2] = 0
    expected, made = (list(each.animate(frames[0].image, poses, frames[0].joints)) for each in reposers)
    single = list(reposers[1].animate(frames[0].image, poses, frames[0].joints, batch_size=1))
    assert len(made) == 5 and all(same(a, b) for a, b in zip(made, expected, strict=True))
    np.testing.assert_array_equal(made, single)
    np.testing.assert_array_equal(made[2], made[1])


def test_live_shows_what_animate_does(reposers, frames):
    poses = np.stack([frame.joints for frame in frames[:4]])
    posed = reposers[1].live(frames[0].image, poses, frames[0].joints)
    animated = list(reposers[1].animate(frames[0].image, poses, frames[0].joints))
    np.testing.assert_array_equal([posed(pose) for pose in poses], animated)


def test_refusals(reposers, frames, lite_files, tmp_path, refuses):
    lite, image, joints = reposers[1], frames[0].image, frames[0].joints
    refuses(lambda: lite.synthesize(image, joints[:-1], joints), "13 joints")
    refuses(lambda: lite.encode(image, joints), "canvas is uint8")
    refuses(lambda: Reposer.load(tmp_path, "litert"), "export --tflite")
    refuses(lambda: Reposer.load(lite_files[1], variant="int4"), "int4", "float16")
    refuses(lambda: lite.explain(lite.canvas(image, joints, joints)), "choose the runtime tensorflow")


WITHOUT_TENSORFLOW = """
import sys

# What a device has not; None makes an import fail.
for name in ("tensorflow", "keras", "mediapipe", "av", "scipy", "pydantic", "tqdm", "matplotlib", "typer"):
    sys.modules[name] = None
import numpy as np
from tf_unseen_pose.inference.bundled import bundled
from tf_unseen_pose import Reposer, UserError
import tf_unseen_pose.on_device.__main__

image, source, motion = bundled()
reposer = Reposer.load(sys.argv[1])
made = reposer.synthesize(image, motion.joints[20], source)
assert made.shape == image.shape and (made != image).any()
try:
    reposer.synthesize(image, motion.joints[20])
except UserError as error:
    assert "mediapipe" in str(error)
print(sorted(name for name, module in sys.modules.items() if module and name.split(".")[0] in ("tensorflow", "keras")))
"""


def test_a_device_without_tensorflow_reposes_a_photo(lite_files):
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, str(lite_files[1])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
