"""Keeping what a function has made, as much of it as fits into so many bytes: the arrays used last."""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

import cachetools
import numpy as np


def byte_cache(limit: int) -> Callable[[Callable], Any]:
    """A decorator; functions that it decorates share their bytes, and may be called by many threads.

    Args:
        limit: bytes of the arrays that are kept. One larger array is made anew for every call.
    """
    cache: cachetools.LRUCache = cachetools.LRUCache(limit, getsizeof=_byte_count)
    return cachetools.cached(cache, lock=Lock())


def _byte_count(made: np.ndarray | Iterable[np.ndarray | None]) -> int:
    if isinstance(made, np.ndarray):
        return made.nbytes
    return sum(array.nbytes for array in made if array is not None)
