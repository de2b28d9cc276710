"""The demo's input: Singer messages of a made-up online shop, as taps send them, with a known number of rows that are wrong.

Owns the shop's streams and what is wrong in them. The same time gives the same bytes; nothing is read, and no clock looked at.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from math import sin, tau
from typing import Any, Final, NamedTuple

from target_pinterest_capi.sandbox.demo import rows
from target_pinterest_capi.sandbox.demo.rows import Row, encode, iso

SEED: Final = 20
STATE_EVERY: Final = 250  # records
HOURS: Final = (
    60  # what happened within them is in the sample; Pinterest takes events of up to 7 days
)
FAILED_EVENT: Final = str(rows.FIRST_ORDER + 251)  # Pinterest's answer lists it as failed
REFUSED_EVENT: Final = "web-001251"  # it costs its whole request: 400
DERIVED: Final = "store_sales"  # the one stream whose event ids the target derives
LIST_STREAM: Final = "newsletter"


class BadRow(NamedTuple):
    """A row that is wrong: `changes` to the record at `position` of its stream, and every reason it is counted under.

    A change's name may lead into objects: `customer.email`.
    """

    stream: str
    position: int
    changes: Mapping[str, Any]
    reasons: tuple[str, ...]
    days_earlier: int = 0


_NOBODY: Final = {"client_ip_address": None, "client_user_agent": None, "external_id": None}

BAD_ROWS: Final = (
    BadRow("orders", 12, {"total_price": "on request"}, ("not_an_amount",)),
    BadRow("orders", 77, {"email": "9e107d9d372bb6826bd81d3542a419d6"}, ("unmatchable_digest",)),
    BadRow("orders", 130, {"processed_at": "last tuesday"}, ("bad_field", "not_a_time")),
    BadRow("orders", 200, {"currency": "Dollars"}, ("unknown_currency",)),
    BadRow("orders", 310, {"client_details.browser_ip": "behind-proxy"}, ("not_an_ip_address",)),
    BadRow("orders", 420, {}, ("event_too_old",), days_earlier=380),
    BadRow(
        "tracks",
        20,
        {"context.traits": {"email": "ada@example.com", "birthday": "03/04/1990"}},
        ("ambiguous_date",),
    ),
    BadRow(
        "tracks",
        55,
        {"context": {"traits": {"email": "lena@@example.com"}}},
        ("no_identifier", "not_an_email"),
    ),
    BadRow(
        "tracks", 90, {"context.traits": {"address": {"country": "Atlantis"}}}, ("unknown_country",)
    ),
    BadRow(
        "web_events", 41, {"em": "ask at the desk", **_NOBODY}, ("no_identifier", "not_an_email")
    ),
    BadRow(
        "web_events", 640, {"em": "rosa.example.com", **_NOBODY}, ("no_identifier", "not_an_email")
    ),
    BadRow("web_events", 903, {"event_time": None}, ("missing_field",)),
    BadRow("web_events", 1300, {"contents": '[{"id": "LAMP-20", "item_pri'}, ("unreadable_json",)),
    BadRow("web_events", 1500, {}, ("event_too_old",), days_earlier=365),
    BadRow("store_sales", 9, {"em": None}, ("no_identifier",)),
    BadRow(
        "store_sales",
        33,
        {"ph": "555 0177", "country": None, "em": "till.33@example.com"},
        ("phone_without_country",),
    ),
    BadRow("store_sales", 60, {"item_price": "free gift"}, ("not_an_amount",)),
    BadRow(
        "workshop_bookings",
        17,
        {"action": "Booking Confirmed", "state": "paid"},
        ("event_in_future",),
        days_earlier=-3,
    ),
    BadRow("newsletter", 183, {"email": "at the counter"}, ("not_an_email",)),
    BadRow("newsletter", 187, {"action": "maybe later"}, ("bad_field",)),
)


class SampleStream(NamedTuple):
    """A stream of the shop: how many records, its key, the column its tap remembers in STATE, how a record is made."""

    name: str
    records: int
    key: tuple[str, ...]
    bookmark: str
    make: Callable[[random.Random, int, datetime], Row]
    about: str
    ids: str | None = None  # what its event ids begin with


STREAMS: Final = (
    SampleStream(
        "orders",
        620,
        ("id",),
        "updated_at",
        rows.order,
        "orders of a shop system",
        str(rows.FIRST_ORDER)[:6],
    ),
    SampleStream(
        "tracks", 440, ("messageId",), "timestamp", rows.track, "calls of its pages", "ajs-"
    ),
    SampleStream(
        "web_events",
        1900,
        ("event_id",),
        "event_time",
        rows.web_event,
        "visits, a column a field",
        "web-",
    ),
    SampleStream(
        "store_sales", 260, ("receipt_no",), "receipt_no", rows.store_sale, "sales at the till"
    ),
    SampleStream(
        "workshop_bookings",
        160,
        ("booking_ref",),
        "booked_at",
        rows.workshop_booking,
        "in the shop's own words",
        "booking-",
    ),
    SampleStream(
        "newsletter",
        240,
        ("change_no",),
        "changed_at",
        rows.newsletter_change,
        "who joined and who left",
    ),
    SampleStream(
        "inventory", 40, ("sku", "warehouse"), "counted_at", rows.stock, "nobody asked for these"
    ),
)
RECORDS: Final = {stream.name: stream.records for stream in STREAMS}

# How often each reason has to be counted for each stream: for the rows that are wrong, and for the two that Pinterest refuses.
REASONS: Final = Counter(
    [
        *((row.stream, reason) for row in BAD_ROWS for reason in row.reasons),
        ("orders", "refused_event"),
        ("web_events", "refused_request"),
    ]
)


def stream_of(event_id: str) -> str:
    """Give the stream that an event came from, by its id."""
    return next(
        (stream.name for stream in STREAMS if stream.ids and event_id.startswith(stream.ids)),
        DERIVED,
    )


def messages(now: datetime) -> Iterator[Row]:
    """Give the sample's SCHEMA, RECORD and STATE messages, as they would be sent at `now` (UTC)."""
    rng = random.Random(SEED)  # noqa: S311 - made-up people
    bad = {(row.stream, row.position): row for row in BAD_ROWS}
    bookmarks: Row = {}
    for stream in STREAMS:
        yield _schema(stream, now)
        for position in range(stream.records):
            wrong = bad.get((stream.name, position), BadRow(stream.name, position, {}, ()))
            at = now - timedelta(
                hours=_hours_ago(1 - position / stream.records), seconds=rng.randrange(60, 900)
            )
            row = changed(
                stream.make(rng, position + 1, at - timedelta(days=wrong.days_earlier)),
                wrong.changes,
            )
            yield {
                "type": "RECORD",
                "stream": stream.name,
                "record": row,
                "time_extracted": iso(now),
            }
            if (position + 1) % STATE_EVERY == 0 or position + 1 == stream.records:
                bookmarks[stream.name] = {stream.bookmark: row[stream.bookmark]}
                yield {"type": "STATE", "value": {"bookmarks": dict(bookmarks)}}


def _hours_ago(share: float) -> float:
    """Spread shares of 0 to 1 over the hours of the sample, more of them by day than by night; now is by day."""
    hours = HOURS * share
    return hours - 0.6 * sin(hours * tau / 24) * 24 / tau


def changed(row: Row, changes: Mapping[str, Any]) -> Row:
    """Give a row with some of its members changed."""
    made = deepcopy(row)
    for path, value in changes.items():
        place, (*way, name) = made, path.split(".")
        for step in way:
            place[step] = place.get(step) or {}
            place = place[step]
        place[name] = value
    return made


def lines(now: datetime) -> bytes:
    """Give the sample as a tap writes it: one message a line."""
    return b"".join(encode(message) + b"\n" for message in messages(now))


_TYPES: Final = {int: "integer", Decimal: "number", dict: "object", list: "array"}


def _schema(stream: SampleStream, now: datetime) -> Row:
    """The stream's SCHEMA message: every column may be null, but for the key."""
    row = stream.make(random.Random(SEED), 1, now)  # noqa: S311
    return {
        "type": "SCHEMA",
        "stream": stream.name,
        "schema": {
            "type": "object",
            "properties": {
                name: {
                    "type": [
                        _TYPES.get(type(value), "string"),
                        *(() if name in stream.key else ("null",)),
                    ]
                }
                for name, value in row.items()
            },
        },
        "key_properties": list(stream.key),
        "bookmark_properties": [stream.bookmark],
    }
