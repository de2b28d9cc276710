"""The counts of a run's parts, combined, are the same as if one part had seen everything."""

import pytest  # noqa: I001
from hypothesis import given as tried
from hypothesis import strategies as st

from shopper import event
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.reporting.counters import MAX_WARNINGS, OTHER_NAMES, Counters
from target_pinterest_capi.reporting.delivered_statistics import DeliveredStatistics
from target_pinterest_capi.reporting.event_ids import EventIds
from target_pinterest_capi.reporting.event_times import MAX_HELD, WEEK, EventTimes

NOW = 1_780_000_000  # 2026-05-28T20:26:40Z
ORIGINS = st.sampled_from([Origin("orders", "paid"), Origin("orders", ""), Origin("visits", "all")])
COUNTS = st.tuples(
    ORIGINS,
    st.sampled_from(list(Outcome)),
    st.sampled_from(["", "when", "in_ledger"]),
    st.integers(1, 9),
)


@tried(st.lists(st.lists(COUNTS)))
def test_tallies_add_up(parts: list[list[tuple[Origin, Outcome, str, int]]]):
    """Outcomes, notes, warnings and events outside the failure rate are added up."""
    whole, merged = Counters(), Counters()
    for part in parts:
        tally = Counters()
        for one in (tally, whole):
            for origin, outcome, reason, number in part:
                one.count_outcome(origin, outcome, reason, number)
                one.count_value(origin, "user_data.em", "not_text", number)
                one.count_warning("It is late.", number)
                one.count_outside_ratio(number // 2)
        merged.merge(tally)
    assert merged.outcomes() == whole.outcomes()
    assert merged.notes() == whole.notes()
    assert merged.warnings() == whole.warnings()
    assert (merged.by_outcome(), merged.failed, merged.attempted) == (
        whole.by_outcome(),
        whole.failed,
        whole.attempted,
    )


def test_warnings_stay_bounded():
    """The number of warnings that are listed separately is limited."""
    merged = Counters()
    for part in range(3):
        tally = Counters()
        for number in range(MAX_WARNINGS):
            tally.count_warning(f"{part} {number}")
        merged.merge(tally)
    assert len(merged.warnings()) == MAX_WARNINGS + 1
    assert merged.warnings()[OTHER_NAMES] == 2 * MAX_WARNINGS


def seen_of(numbers: list[int], *, offline: bool = False) -> DeliveredStatistics:
    seen = DeliveredStatistics(now=lambda: NOW)
    seen.count_events([event(number, offline=offline, at=NOW - 60) for number in numbers])
    return seen


@tried(st.lists(st.lists(st.integers(0, 50), unique=True)))
def test_observations_add_up(parts: list[list[int]]):
    """Events, coverage and times are added up; the earliest start is the run's."""
    merged, whole = (
        DeliveredStatistics(now=lambda: NOW),
        DeliveredStatistics(now=lambda: NOW),
    )
    for part in parts:
        merged.merge(seen_of(part))
        whole.count_events([event(number, at=NOW - 60) for number in part])
    assert merged.events == whole.events
    assert merged.coverage.carrying("page_visit") == whole.coverage.carrying("page_visit")
    assert merged.times.over_time() == whole.times.over_time()
    assert merged.times.delays() == whole.times.delays()
    assert merged.times.late_online == whole.times.late_online


def test_number_of_ids_across_parts_is_an_estimate():
    """Repeats within a part are added up; one across two parts is not counted."""
    merged = EventIds()
    merged.merge(seen_of([1, 2]).ids, ["page_visit"])
    assert merged.is_exact
    part = DeliveredStatistics()
    part.count_events([event(2), event(2), event(3)])
    merged.merge(part.ids, ["page_visit"])
    assert merged.repeated("page_visit") == 1
    assert not merged.is_exact


@pytest.mark.parametrize(
    ("numbers", "constant"), [([[7], [7]], True), ([[7], [8]], False), ([[7, 8], [7]], False)]
)
def test_one_id_for_every_event_is_found_across_parts(numbers: list[list[int]], constant: bool):
    """A name with the same id in every event is reported if all parts have that id."""
    merged = Counters()
    for part in numbers:
        tally = Counters()
        tally.compare_ids([event(number) for number in part * 10])
        merged.merge(tally)
    assert merged.constant_ids() == ({"page_visit": 20} if constant else {})


def test_histograms_of_times_are_combined_in_the_wider_buckets():
    """A part with a longer range of times has wider buckets; the others' are combined to fit."""
    near, far = EventTimes(), EventTimes()
    near.count_times([event(at=hour * 3600) for hour in range(3)], 0)
    far.count_times([event(at=number * WEEK) for number in range(MAX_HELD // 2)], 0)
    far.count_times([event(at=number * WEEK + 3600) for number in range(MAX_HELD)], 0)
    for first, second in ((near, far), (far, near)):
        merged = EventTimes()
        merged.merge(first)
        merged.merge(second)
        assert sum(bucket.events for bucket in merged.over_time()[1]) == 15_003
        assert len(merged.over_time()[1]) <= 200
