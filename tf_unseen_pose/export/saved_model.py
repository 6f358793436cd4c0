"""A run as a SavedModel in numbered version folders, for TensorFlow Serving.

DIR/1/
  saved_model.pb, variables/    the graph and its weights, in half precision
  config.json                   the configuration; with the next file the folder is also a run
  generator.weights.h5          the same weights
  assets.extra/                 about.json, skeleton.json, parity.json, and warmup requests
  SHA256SUMS                    of all of these
"""

import json
import tempfile
from pathlib import Path

from tf_unseen_pose.assets.shipped import write_sums
from tf_unseen_pose.compat import layer_precision
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.about import write_about
from tf_unseen_pose.export.graphs import save_graphs
from tf_unseen_pose.export.parity import parity
from tf_unseen_pose.export.signatures import MAX_SIDE, Signatures
from tf_unseen_pose.export.warmup_requests import write_warmup
from tf_unseen_pose.files import errors_name
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.locks import at_work
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.model.weights import load_weights, save_weights
from tf_unseen_pose.training.run import Run


def export_run(
    run: Run, folder: Path, report: Path | None = None, check: bool = True, max_side: int = MAX_SIDE
) -> Path:
    """Writes a run's averaged weights as the next version in a folder; returns the version's folder.

    The version appears atomically. It computes with the half-precision weights of its weights file. Its signatures are
    those of `signatures.Signatures`.

    Args:
        folder: its name is the model's name on a server.
        report: the run's report.json by `evaluate`, whose metrics are included.
        check: compare the SavedModel with the Python model and write the result beside it.
        max_side: longer side to which photos are shrunk.

    Raises:
        UserError: the run has no weights; the folder is a file, or a run; another process uses it; the report is
            invalid; the SavedModel differs from the run.

    Example:
        >>> from pathlib import Path
        >>> from tf_unseen_pose import Reposer, Run, build_generator, export_run, load_config
        >>> config = load_config("tiny", ["model.network=unet"])
        >>> run = Run.create(Path("runs/new"), config)
        >>> run.save_weights(build_generator(config.model))
        >>> version = export_run(run, Path("models/new"), check=False)
        >>> version.as_posix(), Reposer.load(version).skeleton.name
        ('models/new/1', 'person')
    """
    if folder.is_file() or (folder / "config.json").exists():
        raise UserError(f"{folder} is not a folder of versions; choose a new folder for the export.")
    with at_work(folder):
        return _export_version(run, folder, report, check, max_side)


def _export_version(run: Run, folder: Path, report: Path | None, check: bool, max_side: int) -> Path:
    generator = run.load_generator()
    folder.mkdir(parents=True, exist_ok=True)
    version = folder / str(1 + max((int(entry.name) for entry in folder.iterdir() if entry.name.isdigit()), default=0))
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as temporary:
        made = Path(temporary) / version.name
        with errors_name(str(version), str(made)):
            made.mkdir()
            exported = Run(made, run.config)
            save_weights(generator, exported.weights, half=True)
            (made / "config.json").write_text(run.config.to_json())
            _write_saved_model(exported, folder.resolve().name, max_side)
            write_about(run, report, made)
            if check:
                measured = parity(made, Reposer.of(exported.load_generator(), run.config, sharp_hole=False))
                (made / "assets.extra" / "parity.json").write_text(json.dumps(measured, indent=2) + "\n")
            write_sums(made)
            made.rename(version)
    return version


def _write_saved_model(run: Run, name: str, max_side: int) -> None:
    # Half-precision weights also halve the SavedModel.
    with layer_precision("half_stored"):
        generator = build_generator(run.config.model)
    load_weights(generator, run.weights)
    signatures = Signatures(generator, run.config, max_side).all
    save_graphs(generator, signatures, run.path)
    write_warmup(signatures, run.config.model.body.joint_count, name, run.path)
