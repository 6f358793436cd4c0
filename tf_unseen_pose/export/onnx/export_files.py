"""`export --onnx`: from a run to its files."""

from pathlib import Path
from typing import NamedTuple

from tf_unseen_pose.assets.shipped import write_sums
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.description import description
from tf_unseen_pose.export.onnx.comparison import checked_inputs, require_same
from tf_unseen_pose.export.onnx.conversion import convert, functions, require_packages, tensors, with_description
from tf_unseen_pose.files import replacing
from tf_unseen_pose.locks import at_work
from tf_unseen_pose.training.run import Run


class Written(NamedTuple):
    """A file of an export.

    Attributes:
        path: of the file.
        difference: the largest difference from TensorFlow, see `comparison.require_same`.
    """

    path: Path
    difference: float


def export_onnx(run: Run, folder: Path, licence: str = "not stated") -> list[Written]:
    """Writes a run's averaged weights as ONNX files to `folder`/onnx.

    All are compared with TensorFlow before the first is written; files are written atomically.

    Args:
        licence: of the weights, stored in each file.

    Raises:
        UserError: a package is not installed; the run has no weights; the folder is a file, or a run; ONNX lacks an
            operation; a file differs from the run; another process uses the folder.
    """
    require_packages()
    if folder.is_file() or (folder / "config.json").exists():
        raise UserError(f"{folder} is not a folder of versions; choose a new folder for the export.")
    with at_work(folder):
        made = _contents(run, licence)
        target = folder / "onnx"
        target.mkdir(parents=True, exist_ok=True)
        for name, (content, _) in made.items():
            with replacing(target / f"{name}.onnx") as temporary:
                temporary.write_bytes(content)
        write_sums(target)
    return [Written(target / f"{name}.onnx", difference) for name, (_, difference) in made.items()]


def _contents(run: Run, licence: str) -> dict[str, tuple[bytes, float]]:
    """Content and largest difference by stage."""
    generator = run.load_generator()
    given = checked_inputs(run.config)
    photo = {"canvas": given["image"], "source_joints": given["source_joints"]}
    known = functions(generator)
    state = {name: part.numpy() for name, part in known["encode_source"](*photo.values()).items()}
    found = {}
    for name, function in known.items():
        model = convert(name, function)
        signatures = {name: (tensors(model.graph.input), tensors(model.graph.output))}
        told = description(run, "float32", licence, generator.steepness, signatures)
        content = with_description(model, told)
        order = [spec.name for spec in function.input_signature]
        every = photo if name == "encode_source" else state | {"target_joints": given["target_joints"]}
        found[name] = content, require_same(name, content, function, {key: every[key] for key in order})
    return found
