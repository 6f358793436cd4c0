"""The configuration of the generator's networks; `config` has the rest."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tf_unseen_pose.known_skeletons import SKELETONS, named_skeleton
from tf_unseen_pose.skeleton import Skeleton

Channels = Annotated[int, Field(ge=1, le=4096)]


class Section(BaseModel):
    """A section of a configuration: frozen; unknown keys are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class UNetConfig(Section):
    """Channel counts of one U-Net. Level 0 has the image's resolution; heatmaps join at level 1."""

    stem: Channels = Field(description="First convolution, 7 x 7, at level 0.")
    down: tuple[Channels, ...] = Field(
        min_length=1, description="Stride-2 convolutions: entry i leads into level i + 1."
    )
    refine: tuple[Channels, ...] = Field(description="Convolutions after these, at the same levels.")
    up: tuple[Channels, ...] = Field(description="Decoder convolutions, from the coarsest level to level 0.")

    @model_validator(mode="after")
    def _levels_agree(self) -> Self:
        if not len(self.down) == len(self.refine) == len(self.up):
            raise ValueError("down, refine and up must have one entry a level each")
        return self


class CompactUNetConfig(Section):
    """Channel counts of one U-Net of the copying generator."""

    widths: tuple[Channels, ...] = Field(
        min_length=2, description="Channels per level, from the input's resolution downwards."
    )
    finer: int = Field(
        0, ge=0, le=4096, description="Channels of an extra decoder level at twice the input's resolution; 0: none."
    )


class ModelConfig(Section):
    """The generator."""

    network: Literal["modular", "copying", "unet"] = Field(
        "modular", description="The paper's generator, the copying one of preset lite, or the plain U-Net baseline."
    )
    skeleton: str = Field(
        "person",
        description="person, body (with hands, feet and face), golf (with a club), or a registered skeleton.",
    )
    height: int = Field(256, ge=32, le=2048, description="Canvas height in pixels.")
    width: int = Field(256, ge=32, le=2048, description="Canvas width in pixels.")
    segmentation: UNetConfig | CompactUNetConfig = Field(description="Assigns every source pixel to a limb.")
    background: UNetConfig | CompactUNetConfig = Field(description="Paints the scene behind the person.")
    foreground: UNetConfig | CompactUNetConfig = Field(description="Makes the person in the target pose, and alpha.")
    baseline: UNetConfig = Field(description="The plain U-Net (network unet).")
    reduction: Literal[1, 2] = Field(2, description="Canvas pixels per map pixel (copying).")
    nudge: float = Field(
        0.0,
        ge=0,
        le=64,
        description="Maximum learned offset of the place copied from, in canvas pixels (copying).",
    )
    refinement: int = Field(
        0,
        ge=0,
        le=256,
        description="Channels of the network that corrects alpha and colour by what is copied; 0: none (copying).",
    )
    heatmap_sigma: float = Field(
        1.75, gt=0, le=100, description="Standard deviation of a joint's heatmap, in map pixels."
    )
    background_fill: Literal["noise", "zero"] = Field("noise", description="Initial content of the background's hole.")
    hole_steepness: float = Field(
        1.0, ge=1, le=100, description="The hole is complete where the person mask exceeds 1 / this (copying)."
    )
    alpha_steepness: float = Field(
        1.0, ge=1, le=100, description="Factor of alpha's logit at inference; training uses 1 (copying)."
    )
    blend_radius: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="Standard deviation of places blended at inference, in canvas pixels; 0: all count (copying).",
    )
    hole_growth: int = Field(0, ge=0, le=32, description="Pixels by which the hole grows before it is filled.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        named_skeleton(self.skeleton, "model.skeleton")
        # The plain U-Net uses `baseline` alone.
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
        """The skeleton named `skeleton`."""
        return SKELETONS[self.skeleton]
