"""The report's format: its schema, how counts become members, and what is refused on reading."""

import json  # noqa: I001
from pathlib import Path

import jsonschema
import pytest
from report_sample import NOW, event, hostile, observed, ordinary, report_of

from target_pinterest_capi.events.outcomes import Outcome, Rejected
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.reasons import Invalid, Dropped, Skipped, Warned
from target_pinterest_capi.reporting import report as reports
from target_pinterest_capi.reporting.counters import Counters

SCHEMA = Path(__file__).parent.parent / "docs" / "report-schema.json"
ORDERS = Origin("orders", "paid orders")


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_published_schema_is_the_formats_own():
    """docs/report-schema.json is generated from the format's classes by `make docs`."""
    assert SCHEMA.read_text() == reports.schema_text()


@pytest.mark.parametrize(
    "make", [report_of, ordinary, hostile], ids=["empty", "ordinary", "hostile"]
)
def test_every_report_fits_the_schema(make, validator):
    """Every report is valid by the published schema and reads back the same, for any run."""
    text = reports.encode(make())
    validator.validate(json.loads(text))
    assert reports.encode(reports.decode(text)) == text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", 2),
        ("totals.delivered", -1),
        ("run.started_at", 5),
        ("run.mode", "loud"),
        ("run", None),
        ("reasons", [{}]),
    ],
)
def test_schema_and_reader_refuse_the_same(validator, path: str, value: object):
    """Content outside the schema is refused; the message names the place, not the value."""
    members = json.loads(reports.encode(ordinary()))
    *parents, last = path.split(".")
    place = members
    for parent in parents:
        place = place[parent]
    place[last] = value
    assert not validator.is_valid(members)
    with pytest.raises(reports.ReportError, match="not a run report of format 1") as refused:
        reports.decode(json.dumps(members).encode())
    assert "loud" not in str(refused.value)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b'{"format": 1', b"<html>"])
def test_what_is_no_json_is_refused(text: bytes):
    """A file that is not JSON is refused as such."""
    with pytest.raises(reports.ReportError, match="it is not JSON"):
        reports.decode(text)


def test_later_members_are_no_mistake():
    """Unknown members are ignored, so that a newer target's report can still be shown."""
    members = json.loads(reports.encode(ordinary()))
    members["run"]["weather"] = "fine"
    assert reports.decode(json.dumps(members).encode()) == reports.decode(
        reports.encode(ordinary())
    )


def test_outcomes_by_stream_and_mapping():
    """Each stream and entry has one row, with each outcome's events; the totals are their sums."""
    made = ordinary()
    rows = [
        (row.stream, row.mapping, row.delivered, row.invalid, row.rejected, row.skipped)
        for row in made.outcomes
    ]
    assert rows == [("orders", "paid orders", 1200, 4, 2, 47), ("visits", "pinterest", 30, 1, 0, 0)]
    totals = made.totals
    assert (totals.delivered, totals.invalid, totals.rejected, totals.skipped) == (1230, 5, 2, 47)


REASONS = [
    *((Outcome.INVALID, reason) for reason in Invalid),
    *((Outcome.REJECTED, reason) for reason in Rejected),
    *((Outcome.SKIPPED, reason) for reason in Skipped),
]


@pytest.mark.parametrize(("outcome", "reason"), REASONS, ids=[str(reason) for _, reason in REASONS])
def test_every_reason_comes_with_its_advice(outcome: Outcome, reason: str):
    """A reason is reported with its count and its advice."""
    tally = Counters()
    tally.count_outcome(ORDERS, outcome, reason, 3)
    (row,) = report_of(tally).reasons
    assert (row.stream, row.mapping, row.outcome, row.reason, row.events, row.advice) == (
        "orders",
        "paid orders",
        str(outcome),
        str(reason),
        3,
        reason.advice,
    )


@pytest.mark.parametrize("reason", [*Dropped, *Warned], ids=str)
def test_every_note_says_whether_the_value_was_sent(reason: str):
    """A value is reported with its field and advice, and with whether its event was sent."""
    tally = Counters()
    tally.count_value(ORDERS, "user_data.ph", reason, 2)
    (row,) = report_of(tally).values
    assert (row.field, row.reason, row.values, row.advice, row.sent) == (
        "user_data.ph",
        str(reason),
        2,
        reason.advice,
        isinstance(reason, Warned),
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [(": add_to_cart", "add_to_cart"), ("", None)],
)
def test_name_that_no_entry_lists_is_a_member_of_its_own(name: str, shown: str | None):
    """A warning of Pinterest's is named; any other, which may be a value, is only counted."""
    tally = Counters()
    tally.count_outcome(ORDERS, Outcome.SKIPPED, f"{Skipped.NOT_LISTED}{name}")
    (row,) = report_of(tally).reasons
    assert (row.reason, row.event_name, row.advice) == (
        str(Skipped.NOT_LISTED),
        shown,
        Skipped.NOT_LISTED.advice,
    )


def test_coverage_is_in_events_and_per_cent():
    """Each name has all eleven components; percentages are of the name's events, to two digits."""
    some = [
        event(number, click_id="dj0yJnU9") if number < 2 else event(number) for number in range(3)
    ]
    (entry,) = report_of(seen=observed(*some)).delivered.by_event_name
    assert (entry.event_name, entry.events, len(entry.components)) == ("checkout", 3, 11)
    click = entry.components["click_id_epik"]
    assert (click.events, click.coverage) == (2, 66.67)


def test_times_and_delays():
    """Buckets start at a time of day in UTC; delays have their upper limit, the last one none."""
    made = report_of(
        seen=observed(event(1, hours_ago=0.25), event(2, hours_ago=2), event(3, hours_ago=300))
    ).delivered
    assert made.bucket_seconds == 24 * 3600
    assert [(bucket.start.isoformat(), bucket.events) for bucket in made.over_time] == [
        ("2026-02-18T00:00:00+00:00", 1),
        ("2026-03-02T00:00:00+00:00", 2),
    ]
    late = {bucket.up_to_seconds: bucket.events for bucket in made.delays.buckets if bucket.events}
    assert (late, made.delays.within_an_hour, made.delays.late_online) == (
        {900: 1, 6 * 3600: 1, None: 1},
        1,
        2,
    )


def test_repeated_ids_by_name():
    """Events with the id of an earlier one of their name are counted."""
    same = [event(1, "signup", event_id="s") for _ in range(12)]
    made = report_of(seen=observed(*same, event(1), event(1), event(2))).delivered
    found = {entry.event_name: entry.repeated_ids for entry in made.by_event_name}
    assert (found, made.event_ids_exact) == ({"signup": 11, "checkout": 1}, True)


def test_requests_and_throughput():
    """Requests are counted by purpose; throughput is delivered events per second of the run."""
    requests = ordinary().requests
    assert (requests.sent, requests.repeated, requests.bisecting, requests.events_per_second) == (
        25,
        2,
        3,
        round(1230 / 41.5, 1),
    )
    assert report_of(seconds=0.0, started_at=NOW).requests.events_per_second == 0


def test_dry_run_says_that_nothing_was_delivered():
    """Events that a dry run checked are those that would be sent."""
    assert report_of(mode="dry_run").delivered.basis == "would_be_sent"
    assert report_of(mode="test").delivered.basis == "delivered"
