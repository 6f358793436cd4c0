"""Memory of a process, in megabytes (2^20 bytes); on Linux."""

import re
from pathlib import Path


def peak_memory() -> float:
    """The most that this process has had in use.

    Not `getrusage`'s: it counts what the process that started this one had in use, too.
    """
    return _status("VmHWM")


def memory() -> float:
    """What this process has in use."""
    return _status("VmRSS")


def _status(name: str) -> float:
    return int(re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
