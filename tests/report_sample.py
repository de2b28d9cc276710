"""Reports for tests: an ordinary one, and one with long, strange or hostile names."""

from datetime import UTC, datetime, timedelta  # noqa: I001
from typing import Any

from shopper import ACCOUNT, digest
from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.events.outcomes import Outcome, Rejected
from target_pinterest_capi.events.event import Event, Origin, encode
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.events.reasons import Invalid, Dropped, Skipped, Warned
from target_pinterest_capi.events.traits import traits_of
from target_pinterest_capi.reporting.composition import RunFacts, compose
from target_pinterest_capi.reporting.counters import Counters
from target_pinterest_capi.reporting.delivered_statistics import DeliveredStatistics
from target_pinterest_capi.reporting.report import Report, RunSection

NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
HOSTILE = (
    "<script>alert('x')</script><img src=https://example.com/x onerror=alert(1)>\"'&amp;{}$title"
)


def event(
    number: int,
    name: str = "checkout",
    *,
    hours_ago: float = 0.5,
    event_id: str | None = None,
    has_derived_id: bool = False,
    **user: Any,
) -> Event:
    at = int((NOW - timedelta(hours=hours_ago)).timestamp())
    members = {
        "event_name": name,
        "user_data": {"em": [digest(f"shopper{number}@example.com")], **user},
    }
    traits = None  # those that its bytes say
    if has_derived_id:
        traits = traits_of["web", None, True, *[False] * len(COMPONENTS)]
    return Event(
        encode(members),
        ACCOUNT,
        Origin("orders", ""),
        name,
        event_id or f"order-{number}",
        True,
        at,
        None,
        traits,
    )


def run_of(**changes: Any) -> RunSection:
    """Return a run's section of the report."""
    given: dict[str, Any] = {
        "id": "0123456789ab",
        "ad_account_id": ACCOUNT.ad_account_id,
        "mode": "live",
        "api": "api.pinterest.com",
        "started_at": NOW - timedelta(seconds=41.5),
        "ended_at": NOW,
        "seconds": 41.5,
        "exit_code": 0,
        "stopped": None,
        "records": 1234,
        "states_written": 3,
        "dead_letters_written": 5,
        "dead_letters": "pinterest-rejected.jsonl",
        "versions": {"target-pinterest-capi": "0.1.0", "python": "3.11.7"},
        "settings": {
            "timezone": "UTC",
            "default_country": None,
            "ledger": True,
            "max_rejected_ratio": 1.0,
        },
    }
    return RunSection(**{**given, **changes})


def observed(*events: Event) -> DeliveredStatistics:
    seen = DeliveredStatistics(now=NOW.timestamp)
    seen.count_events(events)
    return seen


def report_of(
    tally: Counters | None = None, seen: DeliveredStatistics | None = None, **run: Any
) -> Report:
    """Return the report of what was counted; by default of nothing."""
    tally = tally or Counters()
    return compose(RunFacts(run_of(**run), (25, 2, 3)), tally, seen or observed())


def ordinary() -> Report:
    """Return the report of a mostly successful run."""
    tally, orders, visits = (
        Counters(),
        Origin("orders", "paid orders"),
        Origin("visits", "pinterest"),
    )
    tally.count_outcome(orders, Outcome.DELIVERED, number=1200)
    tally.count_outcome(visits, Outcome.DELIVERED, number=30)
    tally.count_outcome(orders, Outcome.INVALID, Invalid.NO_IDENTIFIER, 4)
    tally.count_outcome(visits, Outcome.INVALID, Invalid.NO_IDENTIFIER, 1)
    tally.count_outcome(orders, Outcome.REJECTED, Rejected.REFUSED_EVENT, 2)
    tally.count_outcome(orders, Outcome.SKIPPED, Skipped.WHEN, 40)
    tally.count_outcome(orders, Outcome.SKIPPED, f"{Skipped.NOT_LISTED}: add_to_cart", 7)
    tally.count_value(orders, "user_data.em", Dropped.NOT_AN_EMAIL, 12)
    tally.count_value(visits, "user_data.ph", Warned.PHONE_WITHOUT_COUNTRY, 3)
    tally.count_warning("event_name is neither known nor defined.")
    orders_seen = [
        event(number, hours_ago=number / 20, client_ip_address="192.0.2.7")
        for number in range(1200)
    ]
    visits_seen = [
        event(number, "page_visit", event_id="visit", click_id="dj0yJnU9") for number in range(30)
    ]
    tally.compare_ids(visits_seen)
    return report_of(tally, observed(*orders_seen, *visits_seen))


def hostile() -> Report:
    """Return the report of a stopped run, with hostile or long names and many of everything."""
    tally = Counters()
    names = [*EVENT_NAMES, "x" * 50, "Ünïcode Náme"]
    for number in range(30):
        origin = Origin(f"{HOSTILE}{number}{'s' * 120}", HOSTILE)
        for outcome, reason in (
            (Outcome.DELIVERED, ""),
            (Outcome.INVALID, Invalid.BAD_FIELD),
            (Outcome.REJECTED, Rejected.UNCERTAIN),
        ):
            tally.count_outcome(origin, outcome, reason, 10**9 + number)
        tally.count_outcome(origin, Outcome.SKIPPED, f"{Skipped.NOT_LISTED}: {HOSTILE}")
        for reason in Dropped:
            tally.count_value(origin, f"user_data.{HOSTILE}", reason, 10**7)
        tally.count_warning(f"{HOSTILE} {number}")
    events = [event(number, name, hours_ago=number * 3) for number, name in enumerate(names * 3)]
    texts = {
        "stopped": HOSTILE,
        "dead_letters": HOSTILE,
        "api": HOSTILE,
        "id": HOSTILE,
        "ad_account_id": HOSTILE,
    }
    return report_of(
        tally,
        observed(*events, *[event(1, event_id="the same") for _ in range(20)]),
        exit_code=3,
        versions={HOSTILE: HOSTILE},
        settings={HOSTILE: HOSTILE},
        **texts,
    )
