import pytest

from tf_unseen_pose.imaging.time_span import WHOLE, TimeSpan, parse_span


@pytest.mark.parametrize(
    "start, end, seconds",
    [
        ("90", "1:30.5", (90, 90.5)),
        ("0:01:00", "1:00:00", (60, 3600)),
        (None, "75", (0, 75)),
        (" 2.", None, (2, WHOLE.end)),
    ],
)
def test_times_as_people_write_them(start, end, seconds):
    assert parse_span(start, end) == TimeSpan(*seconds)
    assert parse_span(None, None).is_whole and not parse_span(start, end).is_whole


@pytest.mark.parametrize(
    "start, end, words",
    [
        ("soon", None, "--start soon is not a time"), (None, "1:75", "--end 1:75"), ("1:75:00", None, "1:75:00"),
        ("-3", None, "-3"), ("", None, "not a time"), ("nan", None, "nan"), ("1:2:3:4", None, "1:2:3:4"),
        ("5", "0:04", "a start at 5 s and an end at 4 s"), ("5", "5", "later"), (None, "0", "later"),
    ],
)  # fmt: skip
def test_other_times_are_refused(start, end, words, refuses):
    refuses(lambda: parse_span(start, end), words)
