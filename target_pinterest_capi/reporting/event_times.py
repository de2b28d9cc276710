"""When delivered events happened, and how long it took until Pinterest had them.

Counts by time and by delay, in bounded memory.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Final, NamedTuple

from target_pinterest_capi.events.event import Event

HOUR: Final = 3600
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
_NEXT_WIDTH: Final = {HOUR: DAY, DAY: WEEK}
MAX_HELD: Final = 10_000  # buckets in memory
MAX_SHOWN: Final = 200  # buckets from the first to the last one in a report
# Weeks begin on Mondays, and 1970-01-05 was the first one; for hours and days it makes no
# difference.
_FIRST_MONDAY: Final = 4 * DAY

# A delay is in the first bucket whose limit it does not exceed; after the last there is one more.
DELAY_EDGES: Final = (60, 5 * 60, 15 * 60, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY)


class Bucket(NamedTuple):
    """Events that happened from `start` (Unix seconds) on."""

    start: int
    events: int


def count_late(events: Iterable[Event], now: float) -> int:
    """Return how many online events happened over an hour before `now`.

    Pinterest reports them as offline (docs/pinterest-api.md).
    """
    limit = ceil(now - HOUR)  # an int, with which times are compared in half the time
    return sum([event.time < limit and event.deduplicable for event in events])


class EventTimes:
    """Counts delivered events by the time they happened and by their delay."""

    def __init__(self) -> None:
        self._width = HOUR
        self._buckets: Counter[int] = Counter()
        self._delays: Counter[int] = Counter()
        self.late_online = 0

    def count_times(self, events: Sequence[Event], now: float) -> int:
        """Count the times of events that were accepted at `now`; return how many were late."""
        in_order = sorted([event.time for event in events])
        self._count_buckets(in_order)
        if len(self._buckets) > MAX_HELD:
            self._coarsen()
        self._count_delays(in_order, now)
        late = count_late(events, now)
        self.late_online += late
        return late

    def _count_buckets(self, times: Sequence[int]) -> None:
        """Count times, in their order, bucket by bucket: most batches are of few."""
        start = 0
        while start < len(times):
            bucket = (times[start] - _FIRST_MONDAY) // self._width
            end = bisect_left(times, (bucket + 1) * self._width + _FIRST_MONDAY, start)
            self._buckets[bucket] += end - start
            start = end

    def _count_delays(self, times: Sequence[int], now: float) -> None:
        """Count times, in their order, by their delay: the latest have the shortest."""
        end = len(times)
        for position, edge in enumerate(DELAY_EDGES):
            start = bisect_left(times, now - edge, 0, end)
            self._delays[position] += end - start
            end = start
        self._delays[len(DELAY_EDGES)] += end

    def merge(self, other: "EventTimes") -> None:
        """Add the counts of another part of the same run."""
        width, buckets = other._width, other._buckets  # noqa: SLF001 - its own kind
        while self._width < width:
            self._coarsen()
        while width < self._width:
            width, buckets = _coarser(width, buckets)
        self._buckets.update(buckets)
        while len(self._buckets) > MAX_HELD:
            self._coarsen()
        self._delays.update(other._delays)  # noqa: SLF001 - its own kind
        self.late_online += other.late_online

    def _coarsen(self) -> None:
        self._width, self._buckets = _coarser(self._width, self._buckets)

    def over_time(self) -> tuple[int, list[Bucket]]:
        """Return the width of a bucket in seconds, and the buckets with events, in order.

        A bucket is an hour, or a day, a week or more if the events span a long time.
        """
        width, buckets = self._width, self._buckets
        while buckets and max(buckets) - min(buckets) >= MAX_SHOWN:
            width, buckets = _coarser(width, buckets)
        return width, [
            Bucket(start=number * width + _FIRST_MONDAY, events=events)
            for number, events in sorted(buckets.items())
        ]

    def delays(self) -> list[int]:
        """Return how many events are in each bucket of `DELAY_EDGES`, and beyond."""
        return [self._delays[position] for position in range(len(DELAY_EDGES) + 1)]

    @property
    def within_an_hour(self) -> int:
        """Events that Pinterest had within an hour."""
        return sum(self.delays()[: DELAY_EDGES.index(HOUR) + 1])


def _coarser(width: int, buckets: "Counter[int]") -> tuple[int, "Counter[int]"]:
    """Return the next larger width (days, weeks, then four times as much), and its buckets."""
    wider = _NEXT_WIDTH.get(width, width * 4)
    joined: Counter[int] = Counter()
    for number, events in buckets.items():
        joined[number * width // wider] += events
    return wider, joined
