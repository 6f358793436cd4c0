"""The models that are served: loads versions that appear in their folders and drains those that are to go."""

import asyncio
import contextlib
import gc
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tf_unseen_pose.serving.loaded import LoadedModel
from tf_unseen_pose.serving.logs import Log
from tf_unseen_pose.serving.request_errors import listed, not_found, quoted
from tf_unseen_pose.serving.versions import Model, Policy, State, Version
from tf_unseen_pose.serving.warmup import warm_up


@dataclass(frozen=True)
class ModelSettings:
    """One entry of a list of models."""

    name: str
    path: Path
    policy: Policy = Policy()
    labels: dict[str, int] = field(default_factory=dict)


class Models:
    """All models by name.

    `loader` is an executor of one thread: versions are loaded one after the other while requests go on being answered.
    """

    def __init__(self, settings: ModelSettings, loader: Executor, log: Log):
        self._models = {settings.name: Model(settings.name, settings.path, settings.policy)}
        self._loader, self._log = loader, log
        # Polling and reconfiguring take turns.
        self._turn = asyncio.Lock()

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def find(self, name: str) -> Model:
        """Raises: RequestError: NOT_FOUND."""
        if name not in self._models:
            raise not_found(f"There is no model {quoted(name)}; served are {listed(self._models)}.")
        return self._models[name]

    @property
    def ready(self) -> bool:
        """Whether every model has a version that answers."""
        return bool(self._models) and all(model.available for model in self)

    async def refresh(self) -> None:
        """Brings the versions in line with the folders and policies."""
        async with self._turn:
            for model in list(self):
                await self._refresh(model)

    async def reconfigure(self, settings: list[ModelSettings]) -> list[str]:
        """Serves these models instead, as they were told; returns when their versions are loaded, or have failed.

        Labels are set where the versions that they stand for are available; else a model keeps those that it had.

        Returns:
            A sentence for everything that could not be done.
        """
        async with self._turn:
            faults, before, after = [], self._models, {}
            for entry in settings:
                model = before.get(entry.name)
                if model is None or model.path != entry.path:
                    model = Model(entry.name, entry.path)
                model.policy = entry.policy
                await self._refresh(model)
                faults += _label(model, entry.labels)
                if not model.available:
                    faults.append(f"No version of model '{model.name}' could be loaded.")
                after[entry.name] = model
            self._models = after
            for name, model in before.items():
                if after.get(name) is not model:
                    model.unload(list(model.available.values()))
            return faults

    async def _refresh(self, model: Model) -> None:
        on_disk = await self._in_loader(numbered_folders, model.path)
        model.update(on_disk)
        for version in model.versions.values():
            if version.error and await self._in_loader(_content, version.path) != version.content:
                version.state, version.error = State.START, ""
        # After a failure an older version may be wanted.
        while waiting := [version for version in model.wanted(on_disk) if version.state in (State.START, State.END)]:
            await self._load(model, waiting[0])
        model.unload_others(model.wanted(on_disk))

    async def _load(self, model: Model, version: Version) -> None:
        version.begin(await self._in_loader(_content, version.path))
        try:
            version.succeed(await self._in_loader(_load, version.path))
        # TensorFlow raises whatever it meets in a broken model; one version's fault must not end the server.
        except Exception as error:
            version.fail(f"Version {version.number} could not be loaded: {_first_line(error)}")
            self._log.event("load_failed", model=model.name, version=version.number, error=version.error)
        else:
            self._log.event("loaded", model=model.name, version=version.number)

    async def _in_loader(self, function: Callable, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._loader, function, *arguments)


def _label(model: Model, labels: dict[str, int]) -> list[str]:
    """Sets a model's labels; or says why not."""
    if missing := {label: number for label, number in labels.items() if number not in model.available}:
        return [
            f"Label {quoted(label)} cannot stand for version {number} of model '{model.name}', which is not available."
            for label, number in missing.items()
        ]
    model.labels = dict(labels)
    return []


def _load(path: Path) -> LoadedModel:
    model = LoadedModel.load(path)
    warm_up(model, path)
    # What an earlier version leaves is in cycles and large.
    gc.collect()
    return model


def numbered_folders(path: Path) -> dict[int, Path]:
    """Version folders by number; those of other names are being written. Empty when the folder itself is gone."""
    if not path.is_dir():
        return {}
    folders = [entry for entry in path.iterdir() if re.fullmatch("[0-9]{1,18}", entry.name) and entry.is_dir()]
    return {int(entry.name): entry for entry in folders}


def _content(path: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of a folder's files, to tell whether it has changed."""
    found = []
    for file in sorted(path.rglob("*")):
        # Files may go while they are being looked at.
        with contextlib.suppress(FileNotFoundError):
            facts = file.stat()
            found.append((str(file), facts.st_size, facts.st_mtime_ns))
    return found


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
