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
    first, second = config.train.stages
    assert (first.loss, first.steps, first.learning_rate) == ("vgg", 100_000, 1e-4)
    assert (second.loss, second.steps, second.learning_rate, second.discriminator_first) == ("vgg_gan", 10_000, 1e-4, 5)
    assert config.train.batch_size == 4 and config.train.steps == 110_000
    assert config.loss.gan == 0.1 and config.loss.mask == config.loss.ssim == 0
    assert config.model.segmentation.up == (128, 128, 128, 128, 32)


def test_a_file_starts_from_a_preset_and_overrides_come_last(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("preset: tiny\nmodel: {height: 128}\ntrain: {batch_size: 6}\n")
    config = load_config(
        str(path), ["train.stages.0.steps=9", "train.stages.0.loss=vgg", "data.flip=false", "data.scale=[0.8, 1.2]"]
    )
    tiny = load_config("tiny")
    assert config.model.height == 128 and config.model.width == tiny.model.width == 64
    assert config.train.steps == 9 and config.train.batch_size == 6
    (stage,) = config.train.stages
    assert stage.loss == "vgg" and stage.learning_rate == tiny.train.stages[0].learning_rate
    assert config.data.flip is False and config.data.scale == (0.8, 1.2)


def test_is_frozen():
    with pytest.raises(Exception, match="frozen"):
        load_config("tiny").train.seed = 3


@pytest.mark.parametrize(
    "settings, words",
    [
        (["train.stages.0.steps=0"], "train.stages.0.steps"),
        (["train.stages.0.steps=many"], "train.stages.0.steps"),
        (["train.stages.1.steps=5"], "train.stages"),
        (["train.stages=[]"], "train.stages"),
        (["train.accumulate=3"], "divide batch_size=8"),
        (["train.step=5"], "train.step"),
        (["model.height=100"], "multiples of 8"),
        (["model.skeleton=octopus"], "octopus"),
        (["model.foreground.up=[8, 8]"], "one entry a level"),
        (["loss.gan=.nan"], "loss.gan"),
        (["steps"], "section.key=value"),
        (["train.seed=[1"], "train.seed=[1"),
    ],
)
def test_bad_settings_are_named_in_one_sentence(settings, words):
    with pytest.raises(UserError) as caught:
        load_config("tiny", settings)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_what_xla_cannot_compile_is_refused():
    settings = ["train.xla=true", "train.precision=bfloat16"]
    load_config("paper", settings)
    with pytest.raises(UserError, match="lite is not valid: train.xla cannot compile"):
        load_config("lite", settings)


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


def test_a_copying_generator_that_does_not_fit_is_refused():
    with pytest.raises(UserError, match="multiples of 64 for the levels of background"):
        load_config("lite", ["model.height=96", "model.foreground.widths=[8,8,8,8,8]"])
    with pytest.raises(UserError, match="copying"):
        load_config("lite", ["model.background_fill=noise"])
    with pytest.raises(UserError, match="copying"):
        load_config("tiny", ["model.network=copying"])
