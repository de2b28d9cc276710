"""The layout of a column chart over time: its columns, its scale, and the labels below.

Only numbers: over_time.html draws them.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final, NamedTuple

from target_pinterest_capi.reporting.event_times import DAY, HOUR, WEEK
from target_pinterest_capi.reporting.report import TimeBucket

MAX_LABELS: Final = 7
# Times between two labels, in seconds.
STEPS: Final = (
    *(hours * HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * DAY for days in (1, 2)),
    *(weeks * WEEK for weeks in (1, 2, 4, 13, 52)),
)
LAST_LABEL: Final = 93  # per cent of the width: a label further right would stick out
FIRST_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)


class Column(NamedTuple):
    """One column: its bucket, and its place and size in per cent of the chart's."""

    x: float
    width: float
    height: float
    bucket: TimeBucket


class Label(NamedTuple):
    """One label below the chart, at `x` per cent of its width.

    Minor ones are hidden if there is little room.
    """

    x: float
    words: str
    is_minor: bool


class Chart(NamedTuple):
    """A column chart over time; `scale` has the values at its top, middle and bottom."""

    scale: tuple[int, int, int]
    columns: Sequence[Column]
    labels: Sequence[Label]


def lay_out(buckets: Sequence[TimeBucket], width_seconds: int) -> Chart:
    """Return the chart of the buckets that are not empty, in order, each `width_seconds` wide."""
    begin = buckets[0].start

    def slot_of(bucket: TimeBucket) -> float:
        return (bucket.start - begin).total_seconds() / width_seconds

    slots = round(slot_of(buckets[-1])) + 1
    top = scale_top(max(bucket.events for bucket in buckets))
    columns = [
        Column(
            x=100 * (slot_of(bucket) + 0.08) / slots,
            width=84 / slots,
            height=100 * bucket.events / top,
            bucket=bucket,
        )
        for bucket in buckets
    ]
    labels = list(_labels(begin, slots * width_seconds, width_seconds))
    return Chart((top, top // 2, 0), columns, labels)


def scale_top(highest: int) -> int:
    """Return the round, even number at the top of a scale."""
    size = 2
    while True:
        for step in (1, 2, 3, 5):
            if highest <= step * size:
                return step * size
        size *= 10


def _labels(begin: datetime, span: int, width_seconds: int) -> Iterator[Label]:
    """Yield the labels of a chart of `span` seconds, each where the named time begins."""
    step = _label_step(span, width_seconds)
    has_midnights = step < DAY < span  # these are the major ones, else every second label is
    to_first = (FIRST_MONDAY - begin) % timedelta(seconds=step)
    for number in count():
        since_begin = to_first + number * timedelta(seconds=step)
        x = 100 * since_begin.total_seconds() / span
        if x >= LAST_LABEL:
            return
        at = begin + since_begin
        is_minor = at.hour > 0 if has_midnights else number % 2 == 1
        yield Label(x, _label(at, step), is_minor)


def _label_step(span: int, width_seconds: int) -> int:
    """Return the seconds between two labels: at least a column's, with at most `MAX_LABELS`."""
    for step in STEPS:
        if step >= width_seconds and span / step <= MAX_LABELS:
            return step
    step = STEPS[-1]
    while span / step > MAX_LABELS:
        step *= 2
    return step


def _label(at: datetime, step: int) -> str:
    if step < DAY and at.hour:
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b}" if step < 13 * WEEK else f"{at:%b %Y}"
