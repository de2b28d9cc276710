"""Numbers for people: shares are never overstated, and nouns agree with counts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.reporting import numbers
from target_pinterest_capi.reporting.event_times import DELAY_EDGES


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("too many.", "Too many."),
        ("event_name is neither known nor defined.", "event_name is neither known nor defined."),
        ("hashed_email", "hashed_email"),
        ("one event_name", "One event_name"),
        ("", ""),
    ],
)
def test_sentence(words: str, sentence: str):
    """A sentence starts with a capital, but the name of a field keeps its spelling."""
    assert numbers.sentence(words) == sentence


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (0, 0, "0%"),
        (0, 10, "0%"),
        (10, 10, "100%"),
        (1, 3, "33%"),
        (1, 30, "3.3%"),
        (1, 10_000, "<0.1%"),
        (1, 1000, "0.1%"),
        (994, 1000, "99%"),
        (995, 1000, "99.5%"),
        (9999, 10_000, "99.9%"),
        (10**9 - 1, 10**9, "99.9%"),
        (95, 1000, "9.5%"),
        (999, 10_000, "10%"),
        (1, 2, "50%"),
    ],
)
def test_percent(part: int, whole: int, words: str):
    """Small shares keep a digit; 0% and 100% mean none and all."""
    assert numbers.percent(part, whole) == words


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_percent_says_all_and_none_of_nothing_else(whole: int, part: int):
    """For any numbers, only none is 0% and only all is 100%."""
    part = min(part, whole)
    words = numbers.percent(part, whole)
    assert (words == "0%") == (part == 0)
    assert (words == "100%") == (part == whole)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (1.14, "1.1 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min"),
        (90_000, "1 d 1 h"),
        (864_000, "10 d"),
    ],
)
def test_duration(seconds: float, words: str):
    """The two largest units, and tenths of a second for short times."""
    assert numbers.duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 events"), (1, "1 event"), (2, "2 events"), (1_234_567, "1,234,567 events")],
)
def test_counts_agree_with_their_noun(count: int, words: str):
    """One is singular; thousands stand apart."""
    assert numbers.counted(count, "event") == words


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (3600, "2 Mar 2026, 12:00"),
        (86_400, "Mon 2 Mar 2026"),
        (604_800, "1 week from 2 Mar 2026"),
        (2_419_200, "4 weeks from 2 Mar 2026"),
    ],
)
def test_periods_are_named(width: int, words: str):
    """A column is labelled with its hour, its day, or its weeks."""
    assert numbers.period(datetime(2026, 3, 2, 12, tzinfo=UTC), width) == words


def test_delays_are_named():
    """Each bucket of delays is labelled with its longest delay, and the last one has no limit."""
    assert [numbers.longest_delay(seconds) for seconds in (*DELAY_EDGES, None)] == [
        "Up to 1 min",
        "Up to 5 min",
        "Up to 15 min",
        "Up to 1 h",
        "Up to 6 h",
        "Up to 1 day",
        "Up to 3 days",
        "Up to 7 days",
        "Longer",
    ]
