"""TensorFlow Serving's lists of models, in files and in HandleReloadConfigRequest."""

from collections.abc import Iterable
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.serving.request_errors import RequestError, invalid, quoted
from tf_unseen_pose.serving.served_models import ModelSettings
from tf_unseen_pose.serving.versions import Policy

_MOST_MODELS = 64


def read_model_list(path: Path) -> list[ModelSettings]:
    """The models of a file in the text format of `tensorflow_model_server --model_config_file`.

    Raises:
        UserError: the file is missing or invalid, or an entry cannot be served.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}; name a model configuration of TensorFlow Serving.")
    try:
        config = text_format.Parse(path.read_text(encoding="utf-8"), model_server_config_pb2.ModelServerConfig())
        return settings_of(config)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} is not a model configuration of TensorFlow Serving: {str(error).rstrip('.')}."
        ) from None
    except RequestError as error:
        raise UserError(f"{path} cannot be served. {error.sentence}") from None


def settings_of(
    config: model_server_config_pb2.ModelServerConfig, homes: Iterable[Path] | None = None
) -> list[ModelSettings]:
    """The models of a configuration.

    Args:
        homes: the folders that models may come from; None for all.

    Raises:
        RequestError: INVALID_ARGUMENT.
    """
    if config.WhichOneof("config") != "model_config_list":
        raise invalid("The new configuration holds no model_config_list; other kinds are not supported.")
    entries = config.model_config_list.config
    if not 1 <= len(entries) <= _MOST_MODELS or len({entry.name for entry in entries}) < len(entries):
        raise invalid(f"The list must hold one to {_MOST_MODELS} models with different names.")
    return [_settings(entry, homes) for entry in entries]


def _settings(entry: model_server_config_pb2.ModelConfig, homes: Iterable[Path] | None) -> ModelSettings:
    path = Path(entry.base_path)
    if not entry.name or len(entry.name) > 100:
        raise invalid("An entry of the list has no name, or one of more than 100 characters.")
    if entry.model_platform not in ("", "tensorflow"):
        raise invalid(f"Platform {quoted(entry.model_platform)} is not supported; use 'tensorflow'.")
    if not path.is_absolute() or not _is_below(path.resolve(), homes):
        below = f" below {' or '.join(map(str, homes))}" if homes else ""
        raise invalid(f"base_path of model {quoted(entry.name)} must be an absolute path{below}.")
    if not path.is_dir():
        raise invalid(f"base_path of model {quoted(entry.name)} is not a folder of this server.")
    return ModelSettings(entry.name, path.resolve(), _policy(entry), dict(entry.version_labels))


def _is_below(path: Path, homes: Iterable[Path] | None) -> bool:
    return homes is None or any(path.is_relative_to(home) for home in homes)


def _policy(entry: model_server_config_pb2.ModelConfig) -> Policy:
    policy = entry.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return Policy(newest=None)
    if choice == "specific":
        if not policy.specific.versions:
            raise invalid(f"The policy of model {quoted(entry.name)} is 'specific' and names no version.")
        return Policy(only=frozenset(policy.specific.versions))
    return Policy(newest=policy.latest.num_versions or 1)
