"""The run folder: the output of training and the input of the other commands.

RUN/
  config.json               the resolved configuration
  skeleton.json             its skeleton (in exported models: assets.extra/skeleton.json)
  data.json                 the training dataset's identity
  generator.weights.h5      the generator, for both stacks
  feature_deviations.npz    units of the perceptual loss, if it is used
  checkpoints/              the state for resuming: networks, optimizers, step
  logs/                     for TensorBoard
  samples.png               source, target and newest result of some pairs
"""

import json
from dataclasses import asdict
from pathlib import Path

from tf_unseen_pose.assets.shipped import model_folder
from tf_unseen_pose.config import Config, StageConfig, read_config
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing
from tf_unseen_pose.known_skeletons import register_skeleton
from tf_unseen_pose.locks import LOCK_NAME
from tf_unseen_pose.model import PoseModel, build_generator
from tf_unseen_pose.model.weights import load_weights, save_weights
from tf_unseen_pose.skeleton import Skeleton
from tf_unseen_pose.words import counted

# Settings that may change on resuming: duration, logging, and how steps are computed.
_MAY_CHANGE = {
    "stages", "max_minutes", "checkpoint_every", "log_every", "sample_every", "accumulate", "xla", "workers"
}  # fmt: skip


class Run:
    """Paths within a run folder, and its configuration.

    Example:
        >>> from tf_unseen_pose import Run
        >>> run = Run.open("lite")
        >>> run.config.model.network, run.weights.name
        ('copying', 'generator.weights.h5')
    """

    def __init__(self, path: Path, config: Config):
        self.path = path
        self.config = config
        self.weights = path / "generator.weights.h5"
        self.checkpoints = path / "checkpoints"
        self.logs = path / "logs"
        self.samples = path / "samples.png"
        self.deviations = path / "feature_deviations.npz"

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Opens an existing run, or a bundled model by its name, and registers its skeleton.

        Raises:
            UserError: no such folder, no run, a file that does not match its checksum, or another skeleton of the
                same name.
        """
        path = model_folder(path)
        if not path.is_dir():
            raise UserError(f"There is no model folder {path}; name a run made by 'train' or 'import-posewarp'.")
        _register_skeleton_of(path)
        return cls(path, read_config(path / "config.json"))

    @classmethod
    def create(cls, path: Path, config: Config, dataset: ClipDataset | None = None, writes: bool = True) -> "Run":
        """A new run, or an existing one to resume with the same configuration and data.

        Args:
            dataset: the training data.
            writes: false if another process writes.

        Raises:
            UserError: the run exists with other settings or data, or the folder holds something else.
        """
        run = cls(path, config)
        if (path / "config.json").exists():
            # A call that failed before its first checkpoint does not count.
            if run.weights.exists() or run.checkpoints.exists():
                _register_skeleton_of(path)
                before = read_config(path / "config.json")
                _check_resumable(path, before, config)
                _check_stages(path, before.train.stages, config.train.stages, run.steps_done)
                if dataset:
                    run._check_data(dataset)
        elif path.is_file() or (path.is_dir() and any(entry.name != LOCK_NAME for entry in path.iterdir())):
            raise UserError(f"{path} exists and is not a run; choose another folder for the run.")
        if writes:
            path.mkdir(parents=True, exist_ok=True)
            run._write("config.json", config.to_json())
            run._write("skeleton.json", json.dumps(asdict(config.model.body), indent=2) + "\n")
            if dataset:
                data = {"path": str(dataset.path), "fingerprint": dataset.fingerprint}
                run._write("data.json", json.dumps(data, indent=2) + "\n")
        return run

    def _write(self, name: str, text: str) -> None:
        with replacing(self.path / name) as temporary:
            temporary.write_text(text)

    @property
    def saved_checkpoints(self) -> dict[int, str]:
        """The checkpoints by step, ascending, as paths without suffixes.

        They are found by their files, not by TensorFlow's list, since users may delete a damaged one.
        """
        names = (str(file.with_suffix("")) for file in self.checkpoints.glob("*-*.index"))
        steps = {int(step): name for name in names if (step := name.rpartition("-")[2]).isdecimal()}
        return dict(sorted(steps.items()))

    @property
    def steps_done(self) -> int:
        """The step of the last checkpoint; 0 without one."""
        return max(self.saved_checkpoints, default=0)

    def _check_data(self, dataset: ClipDataset) -> None:
        begin_anew = f"choose another folder for the run and start from these weights with --init {self.path}"
        try:
            content = json.loads((self.path / "data.json").read_text())
            folder, fingerprint = content["path"], content["fingerprint"]
        except FileNotFoundError as error:
            raise UserError(f"{self.path} holds weights that were not trained there; {begin_anew}.") from error
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"{self.path / 'data.json'} is damaged; {begin_anew}.") from error
        if fingerprint != dataset.fingerprint:
            raise UserError(
                f"The run {self.path} was trained on other data (then in {folder}) than {dataset.path} holds now; name "
                f"that data, or {begin_anew}."
            )

    def save_weights(self, generator: PoseModel) -> None:
        """Writes the generator's weights."""
        save_weights(generator, self.weights)

    def load_generator(self) -> PoseModel:
        """The run's generator with its weights.

        Raises:
            UserError: the run has no weights, or they do not fit its configuration.
        """
        if not self.weights.is_file():
            raise UserError(f"The model folder {self.path} has no weights ({self.weights.name}); train it first.")
        generator = build_generator(self.config.model)
        load_weights(generator, self.weights)
        return generator


def _register_skeleton_of(path: Path) -> None:
    """Registers the skeleton of a run or an exported model; older runs have none."""
    for file in (path / "skeleton.json", path / "assets.extra" / "skeleton.json"):
        if file.is_file():
            try:
                skeleton = Skeleton.from_dict(json.loads(file.read_text()))
            except (OSError, ValueError, TypeError, LookupError) as error:
                raise UserError(f"{file} is damaged; copy the model again.") from error
            register_skeleton(skeleton)


def _check_resumable(path: Path, stored: Config, asked: Config) -> None:
    for section, settings in stored.model_dump().items():
        for key, value in settings.items():
            other = asked.model_dump()[section][key]
            if other != value and not (section == "train" and key in _MAY_CHANGE):
                raise UserError(
                    f"The run {path} was begun with {section}.{key}={value}, not {other}; "
                    "choose another folder for the run or keep the setting."
                )


def _check_stages(path: Path, stored: tuple[StageConfig, ...], asked: tuple[StageConfig, ...], done: int) -> None:
    """Checks that the stages of the steps already taken have not changed.

    The current one may be longer or shorter, and others may follow.
    """
    start = 0
    for index, stage in enumerate(stored):
        if start >= done:
            return
        end = start + stage.steps
        other = asked[index] if index < len(asked) else None
        same = other is not None and other.model_copy(update={"steps": stage.steps}) == stage
        if not same or (other and other.steps != stage.steps and (end < done or start + other.steps < done)):
            raise UserError(
                f"The run {path} has taken {counted(done, 'step')} by train.stages.{index}, '{stage}', which cannot be "
                "changed any more: choose another folder for the run, keep the stage, or add one after it."
            )
        start = end
