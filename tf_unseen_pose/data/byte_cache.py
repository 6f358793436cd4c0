"""A cache for functions that return arrays, limited in bytes (least recently used)."""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

import cachetools
import numpy as np


def byte_cache(limit: int) -> Callable[[Callable], Any]:
    """A decorator; functions that it decorates share their bytes, and may be called by many threads.

    Args:
        limit: bytes of the cached arrays. A larger array is computed on every call.
    """
    cache: cachetools.LRUCache = cachetools.LRUCache(limit, getsizeof=_byte_count)
    return cachetools.cached(cache, lock=Lock())


def _byte_count(made: np.ndarray | Iterable[np.ndarray | None]) -> int:
    if isinstance(made, np.ndarray):
        return made.nbytes
    return sum(array.nbytes for array in made if array is not None)
