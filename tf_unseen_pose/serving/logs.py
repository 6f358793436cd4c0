"""The log: one line of JSON for every event, on standard error. It never holds pictures, joints or tokens."""

import json
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO


class Log:
    """Writes events; `stream` is where to, standard error by default."""

    def __init__(self, stream: TextIO | None = None):
        self._stream = stream

    def event(self, kind: str, **facts: Any) -> None:
        """One line: the time (UTC), what happened, and the facts that are not None. JSON escapes line breaks."""
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": kind}
        line |= {name: value for name, value in facts.items() if value is not None}
        # Standard error as it is now: tests replace it.
        print(json.dumps(line), file=self._stream or sys.stderr, flush=True)

    def failure(self, error: BaseException, **facts: Any) -> None:
        """An error of the server's own, with its traceback, which clients do not get."""
        trace = "".join(traceback.format_exception(error))
        self.event("error", error=f"{type(error).__name__}: {error}", traceback=trace, **facts)
