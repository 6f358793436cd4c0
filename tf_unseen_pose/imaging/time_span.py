"""A part of a video, from a start to an end."""

import math
import re
from dataclasses import dataclass

from tf_unseen_pose.errors import UserError

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)")


@dataclass(frozen=True)
class TimeSpan:
    """Seconds from a video's first picture on; by default all of it.

    Attributes:
        start: time of the first picture.
        end: time from which on pictures are left out.

    Raises:
        UserError: the end is not after the start.
    """

    start: float = 0.0
    end: float = math.inf

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise UserError(
                f"Nothing lies between a start at {self.start:g} s and an end at {self.end:g} s; name a later end."
            )

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self == WHOLE


WHOLE = TimeSpan()


def parse_span(start: str | None, end: str | None) -> TimeSpan:
    """Parses a span from two times; None is the video's own beginning or end.

    Raises:
        UserError: an invalid time; as `TimeSpan`.

    Example:
        >>> from tf_unseen_pose.imaging.time_span import parse_span
        >>> parse_span("12.5", "1:02")
        TimeSpan(start=12.5, end=62.0)
    """
    return TimeSpan(
        WHOLE.start if start is None else _seconds(start, "--start"),
        WHOLE.end if end is None else _seconds(end, "--end"),
    )


def _seconds(text: str, name: str) -> float:
    found = _TIME.fullmatch(text.strip())
    hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0, 0.0, 0.0)
    is_clock = ":" in text
    if not found or (is_clock and seconds >= 60) or (text.count(":") == 2 and minutes >= 60):
        raise UserError(f"{name} {text} is not a time; give seconds, mm:ss or hh:mm:ss, such as 12.5 or 1:02.")
    return 3600 * hours + 60 * minutes + seconds
