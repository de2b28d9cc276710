"""What a report sees of delivered events: each under a name that may be shown, all of them once."""

import pytest

from shopper import ACCOUNT
from target_pinterest_capi.events.event import Event, Origin
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.reporting.counters import MAX_NAMES, OTHER_NAMES, Counters
from target_pinterest_capi.reporting.delivered_statistics import DeliveredStatistics, shown_name


def event(name: str, number: int = 0, *, online: bool = True, at: int = 1000) -> Event:
    return Event(
        b'{"user_data":{}}',
        ACCOUNT,
        Origin("visits", ""),
        name,
        f"visit-{number}",
        online,
        at,
        None,
    )


def test_events_are_counted_by_name():
    """A batch of several names is taken apart; its times and ids are looked at once."""
    seen = DeliveredStatistics(Counters().bounded_name, now=lambda: 5000.0)
    seen.count_events(
        [event("checkout", 1), event("signup", 2), event("checkout", 3, online=False)]
    )
    seen.count_events([])
    assert dict(seen.events) == {"checkout": 2, "signup": 1}
    assert seen.coverage.carrying("checkout")["external_event_id"] == 2
    assert (sum(seen.times.delays()), seen.times.late_online) == (3, 2)


def test_number_of_names_is_bounded():
    """Names of records are counted up to the counters' limit, Pinterest's own ones always."""
    seen = DeliveredStatistics(Counters().bounded_name)
    seen.count_events(
        [
            event(f"name_{chr(97 + number // 26)}{chr(97 + number % 26)}")
            for number in range(MAX_NAMES + 30)
        ]
    )
    seen.count_events([event(name) for name in EVENT_NAMES])
    assert len(seen.events) == MAX_NAMES + 1 + len(EVENT_NAMES)
    assert seen.events[OTHER_NAMES] == 30


@pytest.mark.parametrize(
    "name",
    [
        "checkout",
        "Order Completed",
        "gift_finder",
        "tracks/Booking-Confirmed",
        "größe",
        "a",
        "step.2:b",
    ],
)
def test_what_reads_like_a_name_is_shown(name: str):
    """Words, also of other alphabets, with the signs that names have."""
    assert shown_name(name) == name


@pytest.mark.parametrize(
    "value",
    [
        "shopper@example.com",
        "+1 555 0177",
        "192.0.2.7",
        "order 100251",
        "4111111111111111",
        "",
        " ",
        "a" * 51,
        "<b>",
        "a\nb",
        "a;b",
        "'a'",
    ],
)
def test_what_does_not_is_no_name(value: str):
    """A column mapped by mistake brings addresses and numbers: they stay out of reports."""
    assert shown_name(value) == OTHER_NAMES
