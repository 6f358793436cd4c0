"""The versions of one model: their states, which ones to serve, and the choice for a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from tf_unseen_pose.serving.loaded import LoadedModel
from tf_unseen_pose.serving.request_errors import listed, not_found, quoted


class State(IntEnum):
    """As GetModelStatus numbers them."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(eq=False)
class Version:
    """A numbered folder.

    Attributes:
        loaded: the model, from AVAILABLE until the last request of an UNLOADING version is answered.
        error: why it could not be loaded; else empty.
        content: the folder's state when loading began; a failed version is retried when that changes.
    """

    number: int
    path: Path
    state: State = State.START
    loaded: LoadedModel | None = None
    error: str = ""
    content: object = None
    _running: int = 0

    @contextmanager
    def in_use(self) -> Iterator[LoadedModel]:
        """Keeps the model of an available version while a request uses it."""
        assert self.loaded
        self._running += 1
        try:
            yield self.loaded
        finally:
            self._running -= 1
            self._end_if_idle()

    def begin(self, content: object) -> None:
        """Marks the beginning of loading, with the folder's state."""
        self.state, self.error, self.content = State.LOADING, "", content

    def succeed(self, loaded: LoadedModel) -> None:
        """Marks the version as loaded and available."""
        self.state, self.loaded = State.AVAILABLE, loaded

    def fail(self, error: str) -> None:
        """Marks the version as failed, with the reason."""
        self.state, self.error = State.END, error

    def unload(self) -> None:
        """Accepts no new requests; the last running one ends the version."""
        self.state = State.UNLOADING
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self.state == State.UNLOADING and not self._running:
            self.state, self.loaded = State.END, None


@dataclass(frozen=True)
class Policy:
    """The versions of a folder to serve.

    Attributes:
        newest: number of newest versions; None for all.
        only: if not empty, only these.
    """

    newest: int | None = 1
    only: frozenset[int] = frozenset()

    def chosen(self, numbers: list[int]) -> list[int]:
        """The chosen versions, newest first."""
        numbers = sorted(numbers, reverse=True)
        return [number for number in numbers if number in self.only] if self.only else numbers[: self.newest]


@dataclass(eq=False)
class Model:
    """A folder of versions under a name."""

    name: str
    path: Path
    policy: Policy = Policy()
    labels: dict[str, int] = field(default_factory=dict)
    versions: dict[int, Version] = field(default_factory=dict)

    @property
    def available(self) -> dict[int, Version]:
        """The versions that answer, by number."""
        return {number: version for number, version in self.versions.items() if version.state == State.AVAILABLE}

    def labelled(self, label: str) -> int:
        """The version of a label. Raises: RequestError: NOT_FOUND."""
        if label not in self.labels:
            raise not_found(f"Model '{self.name}' has no label {quoted(label)}; it has {listed(self.labels)}.")
        return self.labels[label]

    def find(self, number: int | None = None) -> Version:
        """An available version; by default the newest.

        Raises:
            RequestError: NOT_FOUND.
        """
        available = self.available
        if number is None:
            if not available:
                raise not_found(f"No version of model '{self.name}' is available; ask GetModelStatus why.")
            number = max(available)
        if number not in available:
            raise not_found(
                f"Version {number} of model '{self.name}' is not available; available are {listed(available)}."
            )
        return available[number]

    def update(self, on_disk: dict[int, Path]) -> None:
        """Adds new folders; removes ended versions without a folder."""
        for number, path in on_disk.items():
            self.versions.setdefault(number, Version(number, path))
        gone = [n for n, v in self.versions.items() if n not in on_disk and v.state in (State.START, State.END)]
        for number in gone:
            del self.versions[number]

    def wanted(self, on_disk: dict[int, Path]) -> list[Version]:
        """The versions to serve, newest first; an older one replaces a failed one."""
        good = [number for number in on_disk if not self.versions[number].error]
        return [self.versions[number] for number in self.policy.chosen(good)]

    def unload_others(self, wanted: list[Version]) -> None:
        """Unloads other versions once a wanted one is available."""
        if any(version.state == State.AVAILABLE for version in wanted):
            self.unload([version for version in self.available.values() if version not in wanted])

    def unload(self, versions: list[Version]) -> None:
        """Ends versions, each after its last request."""
        for version in versions:
            version.unload()
