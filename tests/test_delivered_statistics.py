"""Statistics of delivered events: each under a name that may be shown, all of them once."""

from given import settings_of
from shopper import ACCOUNT
from target_pinterest_capi.events.event import Event, Origin
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.reporting.counters import OTHER_NAMES
from target_pinterest_capi.reporting.delivered_statistics import DeliveredStatistics
from target_pinterest_capi.settings.event_names import known_event_names


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
    """A batch with several names is split by name; its times and ids are counted once."""
    seen = DeliveredStatistics(now=lambda: 5000.0)
    seen.count_events(
        [event("checkout", 1), event("signup", 2), event("checkout", 3, online=False)]
    )
    seen.count_events([])
    assert dict(seen.events) == {"checkout": 2, "signup": 1}
    assert seen.coverage.carrying("checkout")["external_event_id"] == 2
    assert (sum(seen.times.delays()), seen.times.late_online) == (3, 2)


def test_only_known_names_are_shown():
    """Pinterest's and the configuration's names are shown; any other may be a value."""
    settings = settings_of(
        defaults={"event_name": "gift_finder"},
        mappings=[
            {"stream": "a", "event_names": {"Order Completed": "checkout", "Quiz": "quiz_done"}},
            {"stream": "b", "defaults": {"event_name": "own_event"}},
            {"stream": "c", "fields": {"event_name": "'constant name'"}},
        ],
    )
    seen = DeliveredStatistics(known_event_names(settings))
    shown = [*EVENT_NAMES, "gift_finder", "quiz_done", "own_event", "constant name"]
    values = ["Shopper", "shopper@example.com", "+1 555 0177", "", "b", "a\nb"]
    seen.count_events([event(name) for name in [*shown, *values]])
    assert dict(seen.events) == {**dict.fromkeys(shown, 1), OTHER_NAMES: len(values)}
