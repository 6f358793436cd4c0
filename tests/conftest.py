"""What all tests share: two logical CPUs to stand for two GPUs, data, random weights, and the command line."""

import io
import logging
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As the package sets it, which comes after TensorFlow here.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import h5py
import keras
import numpy as np
import pytest
import scipy.io
import tensorflow as tf
from PIL import Image
from small_networks import LITE

# Fixtures that several folders share.
pytest_plugins = ["small_clips", "small_avatars", "small_servers"]

# Before TensorFlow touches its devices, or never.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

SHARED = Path(__file__).parents[1].parent / "shared"
# What is made once by one process: what `exported` and `lite_files` export, and the page's build.
TOGETHER = {
    "exporting": (
        "tests/export/", "tests/on_device/", "tests/serving/deployment/", "tests/inference/test_remote.py",
        "tests/inference/test_lite_", "tests/test_public_face.py", "tests/docs/test_examples.py",
        "tests/docs/test_phones.py", "tests/docs/test_scripts.py",
    ),
    "page": ("tests/serving/on_device/",),
}  # fmt: skip
# What does not depend on TensorFlow's version: CI runs it on one stack alone, half of it on each; the first that fits.
ONE_STACK = {
    "newer_stack": (
        *(f"tests/{room}/" for room in ("colab", "docs", "serving/on_device")),
        *(f"tests/benchmarks/test_{name}.py" for name in ("commands", "lite_runtime")), "tests/test_api.py",
    ),
    "older_stack": (
        *(f"tests/{room}/" for room in ("assets", "benchmarks", "cli", "data", "evaluation", "imaging")),
        *(f"tests/{room}/" for room in ("export/onnx", "installation", "pose", "tools")),
        *(
            f"tests/test_{name}.py"
            for name in ("__main__", "docstrings", "files", "golf", "own_skeleton", "rooms", "skeleton")
        ),
    ),
}  # fmt: skip
BOTH_STACKS = (
    "tests/data/test_pairs.py", "tests/data/test_records.py", "tests/pose/test_estimation.py",
    "tests/pose/test_landmarker_model.py",
)  # fmt: skip
# Files of few but long tests, which would otherwise be last and keep one process waiting for the other.
FIRST = ("tests/training/", "tests/docs/test_examples.py", "tests/colab/", "tests/cli/", "tests/evaluation/")
# Name, channels in, channels out of VGG19's first convolutions.
VGG19 = [
    (f"block{block}_conv{i + 1}", before if i == 0 else channels, channels)
    for block, before, channels, count in ((1, 3, 64, 2), (2, 64, 128, 2), (3, 128, 256, 4), (4, 256, 512, 4))
    for i in range(count)
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """`--dist loadfile`, with some files together."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            together = (name for name, files in TOGETHER.items() if nodeid.startswith(files))
            return next(together, None) or super()._split_scope(nodeid)

    return Scheduling(config, log)


def pytest_collection_modifyitems(items):
    for item in items:
        stack = next((stack for stack, files in ONE_STACK.items() if item.nodeid.startswith(files)), None)
        if stack and not item.nodeid.startswith(BOTH_STACKS):
            item.add_marker(stack)
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup():
    """Initial weights are the same whichever tests ran before, in each process."""
    keras.utils.set_random_seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call():
    """As for fixtures."""
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def shared():
    """The folder of sample data and golden files."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the sample data in {SHARED}")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def blank_plots():
    """Datasets' pages without plots, which take longer than a small dataset; `test_summary_page` draws them."""
    from tf_unseen_pose.data import summary_page

    picture = io.BytesIO()
    Image.new("RGB", (4, 3)).save(picture, "PNG")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary_page, "plot", lambda *_: dict.fromkeys(("light", "dark"), picture.getvalue()))
        yield


@pytest.fixture
def has_model():
    """The pose estimator's networks, without fetching them."""
    from tf_unseen_pose.pose.landmarker_model import VARIABLE, wheel_has_networks

    if not (wheel_has_networks() or os.environ.get(VARIABLE)):
        pytest.skip(f"this MediaPipe wheel holds no pose model, and {VARIABLE} names none")


@pytest.fixture
def run(monkeypatch, capsys):
    """Calls the command line in this process: (exit code, standard output, standard error)."""

    from tf_unseen_pose.cli import app

    log = logging.getLogger("tf_unseen_pose")
    for setting in ("handlers", "level", "propagate"):
        monkeypatch.setattr(log, setting, getattr(log, setting))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["unseen-pose", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            app.main()
        return (caught.value.code or 0, *capsys.readouterr())

    return call


def standing_joints(height=64, width=64, batch=1, seed=0):
    """A person as wide as half the canvas, jittered: float32 [batch, 14, 3]. Nothing about it is symmetric."""
    points = np.array(
        [
            (0.50, 0.12), (0.51, 0.22), (0.40, 0.25), (0.33, 0.38), (0.30, 0.50), (0.61, 0.26), (0.70, 0.36),
            (0.74, 0.47), (0.44, 0.52), (0.42, 0.70), (0.41, 0.88), (0.57, 0.53), (0.60, 0.71), (0.63, 0.90),
        ]
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    joints = points * [width, height] + rng.normal(0, 0.02 * min(height, width), (batch, 14, 2))
    return np.concatenate([joints, np.ones((batch, 14, 1))], axis=-1).astype(np.float32)


def pair_batch(height=64, width=64, batch=2, seed=0):
    """A training batch of random pictures, as `data.pairs` makes them."""
    rng = np.random.default_rng(seed)

    def picture(channels=3):
        return rng.uniform(-1, 1, (batch, height, width, channels)).astype(np.float32)

    return {
        "image": picture(),
        "target_image": picture(),
        "noise": picture(),
        "source_joints": standing_joints(height, width, batch, seed),
        "target_joints": standing_joints(height, width, batch, seed + 1),
        "source_mask": np.abs(picture(1)),
        "target_mask": np.abs(picture(1)),
        "mask_known": np.array([1.0] * (batch - 1) + [0.0], np.float32),
    }


@pytest.fixture
def joints():
    return standing_joints


@pytest.fixture
def batch():
    return pair_batch


@pytest.fixture(scope="session")
def small_lite():
    """Settings that make preset `lite` small and quick."""
    return LITE


def decide_at_random(generator, seed=0):
    """Gives a copying generator, whose heads begin at zero, something to say."""
    rng = np.random.default_rng(seed)
    for network in generator.networks:
        for kernel in network.get_layer("heads").kernels.values():
            kernel.assign(rng.normal(0, 0.1, kernel.shape))


@pytest.fixture(scope="session")
def decided():
    return decide_at_random


@pytest.fixture(scope="session")
def vgg19_layers():
    return VGG19


@pytest.fixture(scope="session")
def vgg19_file(tmp_path_factory):
    """Random weights of VGG19 in the layout of Keras Applications' file."""
    path = tmp_path_factory.mktemp("vgg") / "vgg19_notop.h5"
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for name, ins, outs in VGG19:
            group = file.create_group(f"{name}/{name}")
            group["kernel:0"] = rng.normal(0, np.sqrt(2 / (9 * ins)), (3, 3, ins, outs)).astype(np.float32)
            group["bias:0"] = rng.normal(0, 0.1, outs).astype(np.float32)
    return path


@pytest.fixture(scope="session")
def vgg19_settings(vgg19_file, tmp_path_factory):
    """That file as a loss's features, with deviations, which take longer to measure than a short training."""
    path = tmp_path_factory.mktemp("vgg") / "statistics.mat"
    scipy.io.savemat(path, {str(i): np.full((2, channels), 0.5) for i, (_, _, channels) in enumerate(VGG19)})
    return [f"loss.features_weights={vgg19_file}", f"loss.features_statistics={path}"]


@pytest.fixture(scope="session")
def dataset_path(tmp_path_factory):
    """Two synthetic clips of eight frames."""
    from tf_unseen_pose.data.plan import Options
    from tf_unseen_pose.data.prepare import prepare

    path = tmp_path_factory.mktemp("data") / "clips"
    prepare([], path, Options("synthetic", clips=2, frames=8, size=64, seed=3), progress=False)
    return path


@pytest.fixture(scope="session")
def exported(tmp_path_factory, small_lite, decided):
    """A run, its first exported version, and the generator that the version's weights file holds."""
    # Here, since TensorFlow's devices must be set before the package touches them.
    from tf_unseen_pose.config import load_config
    from tf_unseen_pose.export.saved_model import export_run
    from tf_unseen_pose.model import build_generator
    from tf_unseen_pose.training.run import Run

    folder = tmp_path_factory.mktemp("export")
    config = load_config("lite", small_lite)
    generator = build_generator(config.model)
    decided(generator)
    run = Run.create(folder / "run", config)
    run.save_weights(generator)
    version = export_run(run, folder / "lite")
    return run, version, Run.open(version).load_generator()


@pytest.fixture(scope="session")
def lite_files(exported, tmp_path_factory):
    """The run of `exported`'s version, and its TFLite files' folder, beside which other tests write nothing."""
    from tf_unseen_pose.export.tflite import export_tflite
    from tf_unseen_pose.export.tflite.export_files import Options
    from tf_unseen_pose.training.run import Run

    _, version, _ = exported
    run = Run.open(version)
    return run, export_tflite(run, tmp_path_factory.mktemp("lite"), Options(pairs=4, licence="of a test", seconds=0))


@pytest.fixture(scope="session")
def as_file():
    """Picture uint8 [H, W, 3] -> the bytes of a file."""

    def encode(picture, kind="PNG", **options):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, kind, **options)
        return file.getvalue()

    return encode


@pytest.fixture(scope="session")
def from_file():
    return lambda content: np.asarray(Image.open(io.BytesIO(content)))


@pytest.fixture
def only_known_here():
    """What a test registers is forgotten after it."""
    from tf_unseen_pose.known_skeletons import SKELETONS

    before = dict(SKELETONS)
    yield
    SKELETONS.clear()
    SKELETONS.update(before)


@pytest.fixture
def refuses():
    """Asserts that a call raises a UserError of one sentence that holds the given words."""

    from tf_unseen_pose.errors import UserError

    def check(call, *words):
        with pytest.raises(UserError) as caught:
            call()
        sentence = str(caught.value)
        assert sentence.endswith(".") and ". " not in sentence and "\n" not in sentence, sentence
        for word in words:
            assert str(word) in sentence, sentence

    return check
