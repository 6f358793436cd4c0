"""Settings that leave little of a preset's networks: a short training spends most of its time on building them."""

# Of preset `tiny`: one level down and up again instead of three.
TINY = [
    *(f"model.{name}={{stem: 8, down: [12], refine: [12], up: [8]}}"
      for name in ("segmentation", "background", "foreground", "baseline")),
    "discriminator.widths=[8]",
]  # fmt: skip
# Smaller still, for VGG's features.
CANVAS_32 = ["model.height=32", "model.width=32"]
# Of preset `lite`: 64 x 64, 14 joints, few channels, neither refined nor nudged.
LITE = [
    "model.skeleton=person", "model.nudge=0", "model.refinement=0",
    "model.height=64", "model.width=64", "model.segmentation.widths=[8,12,16]", "model.background.widths=[8,12,16]",
    "model.foreground.widths=[16,24]", "model.foreground.finer=8",
]  # fmt: skip
