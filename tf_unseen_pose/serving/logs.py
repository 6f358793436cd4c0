"""The log: one line of JSON per event on standard error, without pictures, joints or tokens."""

import json
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO


class Log:
    """Writes events to `stream`, by default standard error."""

    def __init__(self, stream: TextIO | None = None):
        self._stream = stream

    def event(self, kind: str, **facts: Any) -> None:
        """Writes a line with the time (UTC), the event, and all facts that are not None."""
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": kind}
        line |= {name: value for name, value in facts.items() if value is not None}
        # Looked up now, since tests replace standard error.
        print(json.dumps(line), file=self._stream or sys.stderr, flush=True)

    def failure(self, error: BaseException, **facts: Any) -> None:
        """Logs an internal error with its traceback, which clients do not get."""
        trace = "".join(traceback.format_exception(error))
        self.event("error", error=f"{type(error).__name__}: {error}", traceback=trace, **facts)
