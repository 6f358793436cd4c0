import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.assets import shipped
from tf_unseen_pose.config import load_config
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.image_files import to_uint8
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.pose.pose_files import read_poses
from tf_unseen_pose.training.run import Run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "parts" / "weights").write_bytes(b"\x01\x02\x03")
    shipped.write_sums(tmp_path)
    return tmp_path


def test_sums_are_those_of_the_common_tool(folder):
    check = subprocess.run(["sha256sum", "-c", shipped.SUMS], cwd=folder, capture_output=True, text=True)
    assert check.returncode == 0 and check.stdout.splitlines() == ["config.json: OK", "parts/weights: OK"]
    assert shipped.model_folder(folder) == folder


@pytest.mark.parametrize("spoil", ["change", "truncate", "remove"])
def test_a_file_that_is_not_what_it_was_is_named(folder, spoil):
    path = folder / "parts" / "weights"
    if spoil == "remove":
        path.unlink()
    else:
        path.write_bytes(b"\x01\x02\x04" if spoil == "change" else b"\x01\x02")
    with pytest.raises(UserError, match="parts/weights is .*(missing|damaged).*git checkout"):
        shipped.model_folder(folder)


def test_a_name_means_the_newest_version_unless_there_is_such_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path / "installed", tmp_path / "saved_models"))
    monkeypatch.chdir(tmp_path)
    for version in ("2", "10", "notes"):
        (tmp_path / "saved_models" / "lite" / version).mkdir(parents=True)
    assert shipped.model_folder("lite") == tmp_path / "saved_models" / "lite" / "10"
    assert shipped.versions_folder(shipped.Path("lite")) == tmp_path / "saved_models" / "lite"
    for find in (shipped.model_folder, shipped.versions_folder):
        assert find(shipped.Path("other")) == shipped.Path("other")
    (tmp_path / "lite").mkdir()
    for find in (shipped.model_folder, shipped.versions_folder):
        assert find(shipped.Path("lite")) == shipped.Path("lite")


def test_configurations_are_found_from_any_folder_and_give_way_to_ones_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped.config_file("configs/clip-96.yaml") == ROOT / "configs" / "clip-96.yaml"
    assert load_config("configs/clip-96.yaml").model.height == 96
    assert shipped.config_file("clip-96.yaml") == shipped.Path("clip-96.yaml")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "clip-96.yaml").write_text("preset: tiny")
    assert load_config("configs/clip-96.yaml").model.height == 64


def test_what_is_installed_is_the_whole_package_and_the_model():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent for path in (ROOT / "tf_unseen_pose").rglob("*.py")}
    code = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert set(setuptools["packages"]) == code | {"tf_unseen_pose.saved_models", "tf_unseen_pose.configs"}
    assert setuptools["package-dir"] == {
        "tf_unseen_pose.saved_models": "saved_models",
        "tf_unseen_pose.configs": "configs",
    }


def test_lite_is_what_its_recipe_makes_and_small_enough_to_come_along():
    model = shipped.model_folder("lite")
    assert model.parent == ROOT / "saved_models" / "lite"
    recipe, config = load_config(str(ROOT / "configs" / "lite.yaml")), Run.open("lite").config
    # Where the features lay when it was trained is nobody else's.
    loss = config.loss.model_copy(update={"features_weights": None})
    assert (config.model, config.data, loss) == (recipe.model, recipe.data, recipe.loss)
    assert sum(path.stat().st_size for path in model.rglob("*") if path.is_file()) < 15 * 2**20
    held_out = (ROOT / "saved_models" / "lite" / "held-out.txt").read_text().split("\n")
    assert len(set(held_out)) == 108 + 6 + 2 + 1


def test_lite_moves_the_demos_person_and_its_saved_model_does_the_same():
    reposer = Reposer.load("lite", "tensorflow")
    image = load_image(ROOT / "tf_unseen_pose" / "assets" / "demo_data" / "person.jpg")
    source = read_poses(ROOT / "tf_unseen_pose" / "assets" / "demo_data" / "person.json", BODY).joints[0]
    target = read_poses(ROOT / "tf_unseen_pose" / "assets" / "demo_data" / "motion.json", BODY).joints[20]
    canvas = reposer.canvas(image, source, target)
    stages = reposer.explain(canvas)
    # The person is where the pose has its joints, and no longer where they were.
    alpha = stages["alpha"][..., 0]
    there, away = (joints[:, :2].round().astype(int) for joints in (canvas.target_joints, canvas.source_joints))
    away = away[np.hypot(*(away[:, None] - there[None]).transpose(2, 0, 1)).min(axis=1) > 20]
    assert len(away) > 3
    assert alpha[there[:, 1], there[:, 0]].mean() > 0.7 > 0.3 > alpha[away[:, 1], away[:, 0]].mean()
    picture = np.round((canvas.image + 1) * 127.5).astype(np.uint8)[None]
    signature = tf.saved_model.load(str(shipped.model_folder("lite"))).signatures["synthesize"]
    joints = {"source_joints": canvas.source_joints[None, :, :3], "target_joints": canvas.target_joints[None, :, :3]}
    served = signature(image=tf.constant(picture), **{name: tf.constant(value) for name, value in joints.items()})
    expected = to_uint8(reposer.networks.generator({"image": picture.astype(np.float32) / 127.5 - 1, **joints}))
    assert np.abs(served["image"].numpy().astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("variant", "most"), [("float16", 6e6), ("int8", 3.5e6)])
def test_the_files_for_devices_are_small_and_portable(variant, most):
    from tf_unseen_pose.assets.shipped import tflite_file
    from tf_unseen_pose.export.tflite.inspection import require_portable
    from tf_unseen_pose.inference.lite_networks import LiteNetworks

    file = tflite_file("lite", variant)
    assert file.stat().st_size <= most
    require_portable(file.read_bytes(), variant)
    about = LiteNetworks.load("lite", variant=variant).about
    assert (about["variant"], about["height"]) == (variant, 256) and about["licence"].startswith("MIT")
