"""Peak memory of a process."""

import re
from pathlib import Path


def peak_memory() -> float:
    """The most memory, in megabytes (2^20 bytes), that this process has had in use; on Linux.

    Not `getrusage`'s: it counts what the process that started this one had in use, too.
    """
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
