"""The loss of quality by fewer bits: variants against float32, and against photographs on held-out pairs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.evaluation import metrics
from tf_unseen_pose.evaluation.compared_models import Model
from tf_unseen_pose.evaluation.evaluate import Options, evaluate
from tf_unseen_pose.evaluation.example_pictures import Example
from tf_unseen_pose.export.tflite.sample_inputs import called_with
from tf_unseen_pose.imaging.image_files import to_uint8
from tf_unseen_pose.inference.lite_file import LiteFile
from tf_unseen_pose.training.run import Run

# The columns of `evaluation.metric_columns` in the table.
TASK = ("vgg", "vgg_inside", "pckh", "ssim_inside")


@dataclass(frozen=True)
class Task:
    """How held-out pairs are evaluated; attributes as of `evaluation.evaluate.Options`."""

    poses: bool = True
    pose_model: Path | None = None
    features_weights: Path | None = None


class LiteModel(Model):
    """A file as a method of evaluation.

    Raises:
        UserError: it is not a file of this project.
    """

    def __init__(self, content: bytes, run: Run):
        self.config: Config = run.config
        self.given = run.config.model.body
        self.path = run.path
        self.deviations = run.deviations if run.deviations.is_file() else None
        # Bits are compared on canvases.
        self.repose = None
        self._call = LiteFile(content, threads=1)["synthesize"]

    def __call__(self, example: Example) -> np.ndarray:
        """uint8 [H, W, 3]."""
        return to_uint8(self._call(**called_with(self.seen(example)))["image"][0])

    def choice(self, example: Example) -> None:
        """Nothing, since a file returns only the picture."""


def compare(contents: dict[str, bytes], examples: list[dict[str, np.ndarray]]) -> dict[str, dict[str, float]]:
    """Similarity of the variants' pictures to float32.

    Args:
        contents: the files by variant, including float32.
        examples: inputs of `synthesize`.

    Returns:
        By variant "psnr" (mean over pictures, dB, of 8-bit pictures, 100 for equal ones), "least_psnr" and "ssim".

    Raises:
        UserError: LiteRT cannot read a file.
    """
    reference_file = LiteFile(contents["float32"], threads=1)
    reference = [_picture(reference_file, inputs) for inputs in examples]
    found = {}
    for variant, content in contents.items():
        file = LiteFile(content, threads=1)
        pictures = reference if variant == "float32" else [_picture(file, inputs) for inputs in examples]
        everywhere = np.ones(reference[0].shape[:2], np.float32)
        ratios = [metrics.psnr(a, b, everywhere) for a, b in zip(reference, pictures, strict=True)]
        likeness = [metrics.ssim_map(a, b).mean() for a, b in zip(reference, pictures, strict=True)]
        found[variant] = {
            "psnr": float(np.mean(ratios)),
            "least_psnr": float(np.min(ratios)),
            "ssim": float(np.mean(likeness)),
        }
    return found


def measure_task(
    measured: dict[str, dict[str, float]], contents: dict[str, bytes], run: Run, dataset: ClipDataset, pairs: int,
    task: Task,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """The result of `compare`, and each variant's means of `TASK` over held-out pairs, as far as measurable.

    Raises:
        UserError: as `evaluation.evaluate`.
    """
    models: dict[str, Model] = {variant: LiteModel(content, run) for variant, content in contents.items()}
    options = Options("validation", pairs, 0, False, task.poses, task.pose_model, task.features_weights)
    table = evaluate(dataset, models, options).within
    return {
        variant: values
        | {key: float(np.nanmean(table.column(key, variant))) for key in TASK if key in table.values}
        | {"pairs": len(table.samples)}
        for variant, values in measured.items()
    }


def _picture(file: LiteFile, inputs: dict[str, np.ndarray]) -> np.ndarray:
    return to_uint8(file["synthesize"](**inputs)["image"][0])
