"""The served models: loads versions that appear in their folders and drains old ones."""

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
    """All models by name; none before `reconfigure`.

    `loader` is an executor of one thread, which loads versions one after the other while requests are answered.
    """

    def __init__(self, loader: Executor, log: Log):
        self._models: dict[str, Model] = {}
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
        """Updates the versions from folders and policies."""
        async with self._turn:
            for model in list(self):
                await self._refresh(model)

    async def reconfigure(self, settings: list[ModelSettings]) -> list[str]:
        """Serves these models instead; returns when their versions are loaded or have failed.

        The change happens only if all of it can be served.

        Returns:
            A sentence per failure.
        """
        async with self._turn:
            faults, before, after = [], self._models, {}
            for entry in settings:
                model = after[entry.name] = _renewed(before.get(entry.name), entry)
                wanted = await self._load_wanted(model)
                faults += _label(model, entry.labels, [v.number for v in wanted if v.state == State.AVAILABLE])
            kept, dropped = (before, after) if faults else (after, before)
            in_use = {id(version) for model in kept.values() for version in model.versions.values()}
            for model in dropped.values():
                model.unload([version for version in model.available.values() if id(version) not in in_use])
            self._models = kept
            if not faults:
                for model in self:
                    await self._refresh(model)
            return faults

    async def _refresh(self, model: Model) -> None:
        model.unload_others(await self._load_wanted(model))

    async def _load_wanted(self, model: Model) -> list[Version]:
        """Loads the versions of a model's policy; returns the available ones."""
        on_disk = await self._in_loader(numbered_folders, model.path)
        model.update(on_disk)
        for version in model.versions.values():
            if version.error and await self._in_loader(_content, version.path) != version.content:
                version.state, version.error = State.START, ""
        # After a failure an older version may be needed.
        while waiting := [version for version in model.wanted(on_disk) if version.state in (State.START, State.END)]:
            await self._load(model, waiting[0])
        return model.wanted(on_disk)

    async def _load(self, model: Model, version: Version) -> None:
        version.begin(await self._in_loader(_content, version.path))
        # Warmup requests may take a minute; until then only this shows that something happens.
        self._log.event("loading", model=model.name, version=version.number)
        try:
            version.succeed(await self._in_loader(_load, version.path))
        # TensorFlow raises various errors for broken models, which must not end the server.
        except Exception as error:
            version.fail(f"Version {version.number} could not be loaded: {_first_line(error)}")
            self._log.event("load_failed", model=model.name, version=version.number, error=version.error)
        else:
            self._log.event("loaded", model=model.name, version=version.number)

    async def _in_loader(self, function: Callable, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._loader, function, *arguments)


def _renewed(model: Model | None, entry: ModelSettings) -> Model:
    """A model for an entry, sharing loaded versions with the served one.

    Other versions are new objects, so that loading them is invisible until the list is accepted.
    """
    common = model.versions.items() if model and model.path == entry.path else ()
    versions = {
        number: version
        if version.loaded
        else Version(number, version.path, version.state, None, version.error, version.content)
        for number, version in common
    }
    return Model(entry.name, entry.path, entry.policy, versions=versions)


def _label(model: Model, labels: dict[str, int], served: list[int]) -> list[str]:
    """Sets a model's labels for versions that will be served, or returns the reason against."""
    if not served:
        errors = [version.error for _, version in sorted(model.versions.items(), reverse=True) if version.error]
        return [f"No version in {model.path} can be served. {''.join(errors[:1])}".rstrip(". ") + "."]
    if missing := {label: number for label, number in labels.items() if number not in served}:
        return [
            f"Label {quoted(label)} cannot stand for version {number} of model '{model.name}', which is not available."
            for label, number in missing.items()
        ]
    model.labels = dict(labels)
    return []


def _load(path: Path) -> LoadedModel:
    model = LoadedModel.load(path)
    warm_up(model, path)
    # Old versions leave large reference cycles.
    gc.collect()
    return model


def numbered_folders(path: Path) -> dict[int, Path]:
    """Version folders by number, ignoring other names, which are being written; empty without the folder."""
    if not path.is_dir():
        return {}
    folders = [entry for entry in path.iterdir() if re.fullmatch("[0-9]{1,18}", entry.name) and entry.is_dir()]
    return {int(entry.name): entry for entry in folders}


def _content(path: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of a folder's files, to detect changes."""
    found = []
    for file in sorted(path.rglob("*")):
        # Files may disappear meanwhile.
        with contextlib.suppress(FileNotFoundError):
            facts = file.stat()
            found.append((str(file), facts.st_size, facts.st_mtime_ns))
    return found


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
