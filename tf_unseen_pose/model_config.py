"""What a configuration says of the generator's networks; `config` has the rest."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tf_unseen_pose.known_skeletons import SKELETONS, named_skeleton
from tf_unseen_pose.skeleton import Skeleton

Channels = Annotated[int, Field(ge=1, le=4096)]


class Section(BaseModel):
    """A part of a configuration: frozen, and without keys that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class UNetConfig(Section):
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


class CompactUNetConfig(Section):
    """Channel counts of one U-Net of the copying generator.

    `widths` has one entry a level, from the input's resolution downwards; `finer` is one more level of the decoder, at
    twice the input's resolution.
    """

    widths: tuple[Channels, ...] = Field(min_length=2, description="channels of every level, the input's first")
    finer: int = Field(0, ge=0, le=4096, description="channels of one more level, at twice the input's resolution")


class ModelConfig(Section):
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
    nudge: float = Field(
        0.0,
        ge=0,
        le=64,
        description="copying: canvas pixels beside the limbs' own place from which a pixel may be copied",
    )
    refinement: int = Field(
        0, ge=0, le=256, description="copying: channels of the network that decides alpha by what is copied; 0 is none"
    )
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
