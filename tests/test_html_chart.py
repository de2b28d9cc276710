"""The chart's layout: columns and labels stay in the frame, and labels are at round times."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.reporting.html import chart
from target_pinterest_capi.reporting.report import TimeBucket

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(st.integers(0, 10**12))
def test_scale_ends_at_a_round_even_number(highest: int):
    """The scale's top is not below the highest column, not far above it, and has a whole half."""
    top = chart.scale_top(highest)
    assert highest <= top <= max(2, 2 * highest)
    assert top % 2 == 0


@given(
    st.lists(st.integers(0, 199), min_size=1, unique=True),
    st.sampled_from((3600, 86_400, 604_800, 4 * 604_800)),
)
def test_columns_stay_within_the_frame(slots: list[int], width: int):
    """Every column and label is within the chart, for any number and time span."""
    buckets = [
        TimeBucket(start=START + timedelta(seconds=slot * width), events=slot + 1)
        for slot in sorted(slots)
    ]
    made = chart.lay_out(buckets, width)
    assert [column.bucket for column in made.columns] == buckets
    for column in made.columns:
        assert column.x >= 0
        assert column.x + column.width <= 100.001
        assert 0 < column.height <= 100
    places = [label.x for label in made.labels]
    assert all(0 <= place < 93 for place in places)
    assert places == sorted(places)
    assert len(places) <= chart.MAX_LABELS + 1


def test_columns_stand_in_their_time():
    """A column's place is its time's share of the span, its height its number's."""
    hours = ((0, 5), (1, 10), (3, 20))
    buckets = [
        TimeBucket(start=START + timedelta(hours=hour), events=events) for hour, events in hours
    ]
    made = chart.lay_out(buckets, 3600)
    assert made.scale == (20, 10, 0)
    assert [round(column.x, 3) for column in made.columns] == [2, 27, 77]
    assert [column.height for column in made.columns] == [25, 50, 100]
    assert {column.width for column in made.columns} == {21}


@pytest.mark.parametrize(
    ("hours", "width", "labels"),
    [
        (1, 3600, ["12:00"]),
        (6, 3600, ["12:00", "13:00", "14:00", "15:00", "16:00", "17:00"]),
        (30, 3600, ["12:00", "18:00", "3 Mar", "06:00", "12:00"]),
        (100, 3600, ["3 Mar", "4 Mar", "5 Mar", "6 Mar"]),
        (24 * 6, 86_400, ["2 Mar", "3 Mar", "4 Mar", "5 Mar", "6 Mar", "7 Mar"]),
        (24 * 21, 86_400, ["2 Mar", "9 Mar", "16 Mar"]),
    ],
)
def test_labels_are_at_round_times(hours: int, width: int, labels: list[str]):
    """Labels name whole hours, midnights or Mondays, a handful at most."""
    start = START if width == 3600 else START.replace(hour=0)
    last = start + timedelta(hours=hours) - timedelta(seconds=width)
    starts = sorted({start, last})
    made = chart.lay_out([TimeBucket(start=at, events=1) for at in starts], width)
    assert [label.words for label in made.labels] == labels


@pytest.mark.parametrize(
    ("hours", "minor"),
    [(6, ["13:00", "15:00", "17:00"]), (30, ["12:00", "18:00", "06:00", "12:00"])],
)
def test_labels_that_a_narrow_chart_leaves_out(hours: int, minor: list[str]):
    """Midnights stay; without any, every second label does."""
    starts = (START, START + timedelta(hours=hours - 1))
    made = chart.lay_out([TimeBucket(start=at, events=1) for at in starts], 3600)
    assert [label.words for label in made.labels if label.is_minor] == minor
