"""The run directory: what training leaves and every other command takes.

RUN/
  config.json               the resolved configuration
  generator.weights.h5      the generator, loadable on either stack
  feature_deviations.npz    units of the perceptual loss, if it is used
  checkpoints/              everything that resuming needs: networks, optimizers, step
  logs/                     for TensorBoard
"""

from pathlib import Path

from tf_unseen_pose.config import Config, read_config
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing
from tf_unseen_pose.model import PoseModel, build_generator
from tf_unseen_pose.model.weights import load_weights, save_weights

# What may change when a run is resumed: how long it goes on and how often it speaks.
_MAY_CHANGE = {"steps", "max_minutes", "checkpoint_every", "log_every", "sample_every"}


class Run:
    """Paths within a run directory, and its configuration."""

    def __init__(self, path: Path, config: Config):
        self.path = path
        self.config = config
        self.weights = path / "generator.weights.h5"
        self.checkpoints = path / "checkpoints"
        self.logs = path / "logs"
        self.deviations = path / "feature_deviations.npz"

    @classmethod
    def open(cls, path: Path) -> "Run":
        """An existing run.

        Raises:
            UserError: no such folder, or no run.
        """
        if not path.is_dir():
            raise UserError(f"There is no model folder {path}; name a run made by 'train' or 'import-posewarp'.")
        return cls(path, read_config(path / "config.json"))

    @classmethod
    def create(cls, path: Path, config: Config) -> "Run":
        """A new run, or an existing one to be resumed with the same configuration.

        Raises:
            UserError: the run exists with other settings, or the folder holds something else.
        """
        run = cls(path, config)
        if (path / "config.json").exists():
            # A call that failed before its first checkpoint binds nobody.
            if run.weights.exists() or run.checkpoints.exists():
                _check_resumable(path, read_config(path / "config.json"), config)
        elif path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise UserError(f"{path} exists and is not a run; choose another folder for the run.")
        path.mkdir(parents=True, exist_ok=True)
        with replacing(path / "config.json") as temporary:
            temporary.write_text(config.to_json())
        return run

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


def _check_resumable(path, stored: Config, asked: Config):
    for section, settings in stored.model_dump().items():
        for key, value in settings.items():
            other = asked.model_dump()[section][key]
            if other != value and not (section == "train" and key in _MAY_CHANGE):
                raise UserError(
                    f"The run {path} was begun with {section}.{key}={value}, not {other}; "
                    "choose another folder for the run or keep the setting."
                )
