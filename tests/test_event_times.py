"""Times of delivered events: when they happened, in buckets that fit, and how late they came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopper import event
from target_pinterest_capi.reporting.event_times import (
    DAY,
    DELAY_EDGES,
    HOUR,
    MAX_HELD,
    MAX_SHOWN,
    WEEK,
    Bucket,
    EventTimes,
)

MONDAY = 1_763_942_400  # 2025-11-24T00:00:00Z


def seen(*times: int, now: float = MONDAY) -> EventTimes:
    made = EventTimes()
    made.count_times([event(at=time) for time in times], now)
    return made


def test_nothing_was_seen():
    """Without events there are no buckets and no delays."""
    assert (EventTimes().over_time(), sum(EventTimes().delays())) == ((HOUR, []), 0)


@pytest.mark.parametrize(
    ("times", "width", "buckets"),
    [
        ([MONDAY], HOUR, [(MONDAY, 1)]),
        ([MONDAY + 1, MONDAY + 3599, MONDAY + 3600], HOUR, [(MONDAY, 2), (MONDAY + HOUR, 1)]),
        (
            [MONDAY, MONDAY + (MAX_SHOWN - 1) * HOUR],
            HOUR,
            [(MONDAY, 1), (MONDAY + (MAX_SHOWN - 1) * HOUR, 1)],
        ),
        ([MONDAY + 5, MONDAY + MAX_SHOWN * HOUR], DAY, [(MONDAY, 1), (MONDAY + 8 * DAY, 1)]),
        ([MONDAY + 2 * DAY, MONDAY + 202 * DAY], WEEK, [(MONDAY, 1), (MONDAY + 28 * WEEK, 1)]),
    ],
)
def test_buckets_are_as_wide_as_the_span_needs(
    times: list[int], width: int, buckets: list[tuple[int, int]]
):
    """Hours if the whole span fits, otherwise UTC days, or weeks from Mondays on."""
    assert seen(*times).over_time() == (width, [Bucket(*bucket) for bucket in buckets])


def test_many_years_are_reported_in_several_weeks():
    """If weeks are too many, four of them are one bucket, and so on."""
    width, buckets = seen(MONDAY, MONDAY + 250 * WEEK).over_time()
    assert (width, [bucket.events for bucket in buckets]) == (4 * WEEK, [1, 1])


@given(st.lists(st.integers(min_value=-(10**11), max_value=10**11), min_size=1, max_size=50))
def test_every_event_is_in_one_bucket(times: list[int]):
    """Buckets have every event once, at its time, in order, and are not too many to show."""
    width, buckets = seen(*times, now=max(times)).over_time()
    assert sum(bucket.events for bucket in buckets) == len(times)
    assert all(
        any(bucket.start <= time < bucket.start + width for bucket in buckets) for time in times
    )
    starts = [bucket.start for bucket in buckets]
    assert starts == sorted(set(starts))
    assert (starts[-1] - starts[0]) // width < MAX_SHOWN


def test_memory_is_bounded():
    """A backfill of decades is counted by days instead of too many hours, and loses no event."""
    made = EventTimes()
    for number in range(3):
        times = [MONDAY - (number * MAX_HELD + hour) * 7 * HOUR for hour in range(MAX_HELD)]
        made.count_times([event(at=time) for time in times], MONDAY)
    assert len(made._buckets) <= MAX_HELD
    assert sum(bucket.events for bucket in made.over_time()[1]) == 3 * MAX_HELD


@pytest.mark.parametrize("position", range(len(DELAY_EDGES)))
def test_delay_is_in_the_bucket_whose_edge_it_does_not_pass(position: int):
    """A delay of exactly the limit is within it, a second more is in the next bucket."""
    edge = DELAY_EDGES[position]
    delays = seen(MONDAY - edge, MONDAY - edge - 1).delays()
    assert (delays[position], delays[position + 1], sum(delays)) == (1, 1, 2)


def test_event_ahead_of_the_clock_is_in_the_first_bucket():
    """A clock that is slow makes no negative delay."""
    assert seen(MONDAY + 30).delays()[0] == 1


def test_share_within_the_hour_and_who_is_late():
    """All events count as within the hour; only those that are not offline count as late."""
    made = EventTimes()
    events = [event(at=MONDAY - delay) for delay in (3600, 3601, 0)]
    made.count_times([*events, event(at=MONDAY - 7200, offline=True)], MONDAY)
    assert (made.within_an_hour, made.late_online) == (2, 1)
