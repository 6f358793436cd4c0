import pytest

from tf_unseen_pose.config import PRESETS, load_config, read_config
from tf_unseen_pose.errors import UserError


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_and_survive_a_file(preset, tmp_path):
    config = load_config(preset)
    (tmp_path / "config.json").write_text(config.to_json())
    assert read_config(tmp_path / "config.json") == config


def test_paper_is_as_published():
    config = load_config("paper")
    assert (config.model.height, config.model.width, config.model.background_fill) == (256, 256, "noise")
    assert (config.train.steps, config.train.batch_size, config.train.learning_rate) == (100_000, 4, 1e-4)
    assert config.loss.gan == 0.1 and config.loss.mask == 0 and config.train.discriminator_first == 5
    assert config.model.segmentation.up == (128, 128, 128, 128, 32)


def test_a_file_starts_from_a_preset_and_overrides_come_last(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("preset: tiny\nmodel: {height: 128}\ntrain: {steps: 7}\n")
    config = load_config(str(path), ["train.steps=9", "loss.kind=vgg", "data.flip=false", "data.scale=[0.8, 1.2]"])
    tiny = load_config("tiny")
    assert config.model.height == 128 and config.model.width == tiny.model.width == 64
    assert config.train.steps == 9 and config.train.batch_size == tiny.train.batch_size
    assert config.loss.kind == "vgg" and config.data.flip is False and config.data.scale == (0.8, 1.2)


def test_is_frozen():
    with pytest.raises(Exception, match="frozen"):
        load_config("tiny").train.steps = 3


@pytest.mark.parametrize(
    "settings, words",
    [
        (["train.steps=0"], "train.steps"),
        (["train.steps=many"], "train.steps"),
        (["train.step=5"], "train.step"),
        (["model.height=100"], "multiples of 8"),
        (["model.skeleton=octopus"], "octopus"),
        (["model.foreground.up=[8, 8]"], "one entry a level"),
        (["loss.gan=.nan"], "loss.gan"),
        (["steps"], "section.key=value"),
        (["train.steps=[1"], "train.steps=[1"),
    ],
)
def test_bad_settings_are_named_in_one_sentence(settings, words):
    with pytest.raises(UserError) as caught:
        load_config("tiny", settings)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_bad_files_are_named(tmp_path):
    with pytest.raises(UserError, match="no preset or file 'huge'"):
        load_config("huge")
    for content in ("- a\n- b\n", "{", "preset: huge\n"):
        path = tmp_path / "bad.yaml"
        path.write_text(content)
        with pytest.raises(UserError, match="bad.yaml"):
            load_config(str(path))
    with pytest.raises(UserError, match="config.json"):
        read_config(tmp_path / "config.json")
