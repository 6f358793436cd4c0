"""The presets: configurations to start from, as plain values; `config` validates them."""


def _unet(stem, widths, last):
    """A U-Net with `widths` channels per level, down and up, and `last` channels at the top."""
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
    "paper": _preset(
        64,
        [128] * 5,
        (32, 64),
        _unet(64, [128, 192, 256, 272, 288], 64),
        train={
            "stages": [
                {"loss": "vgg", "steps": 100_000, "learning_rate": 1e-4},
                {"loss": "vgg_gan", "steps": 10_000, "learning_rate": 1e-4, "discriminator_first": 5},
            ]
        },
    ),
    "lite": {
        "model": {
            "network": "copying",
            "skeleton": "body",
            "nudge": 12.0,
            "refinement": 24,
            "segmentation": {"widths": [32, 48, 64, 96, 128]},
            "background": {"widths": [32, 48, 64, 96, 112, 128]},
            "foreground": {"widths": [48, 96, 128, 128], "finer": 24},
            "baseline": _unet(32, [48, 64, 96, 96], 32),
            "background_fill": "zero",
            "hole_growth": 1,
            "hole_steepness": 4.0,
            "alpha_steepness": 20.0,
            "blend_radius": 30.0,
        },
        "loss": {"mask": 1.0, "background": 1.0, "ssim": 1.0, "blend": 1.0},
        "train": {"stages": [{"loss": "l1", "steps": 100_000, "learning_rate": 5e-4}]},
    },
    "tiny": _preset(
        16,
        [24, 32, 32],
        (16, 16),
        _unet(16, [24, 48, 48], 16),
        model={"height": 64, "width": 64, "hole_growth": 1},
        loss={"mask": 0.3, "background": 1.0},
        discriminator={"widths": [16, 32]},
        train={
            "stages": [{"loss": "l1", "steps": 1000, "learning_rate": 1e-3}],
            "batch_size": 8,
            "average": 0.99,
            "checkpoint_every": 250,
            "sample_every": 250,
        },
        data={"shift": 2.0},
    ),
}
