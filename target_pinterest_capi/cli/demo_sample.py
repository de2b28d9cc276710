"""The demo's input: Singer messages of a made-up online shop, as taps send them, with a known number of rows that are wrong.

Owns the shop's streams and what is wrong in them. The same time gives the same bytes; nothing is read, and no clock looked at.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from target_pinterest_capi.cli.demo_shop import PEOPLE, PRODUCTS, Product

SEED: Final = 20
STATE_EVERY: Final = 250  # records
HOURS: Final = 60  # what happened within them is in the sample; Pinterest takes events of up to 7 days
FAILED_EVENT: Final = "order-100251"  # Pinterest's answer lists it as failed
REFUSED_EVENT: Final = "web-001251"  # it costs its whole request: 400
DERIVED: Final = "store_sales"  # the one stream whose event ids the target derives

Row = dict[str, Any]


class BadRow(NamedTuple):
    """A row that is wrong: `changes` to the record at `position` of its stream, and every reason it is counted under."""

    stream: str
    position: int
    changes: Mapping[str, Any]
    reasons: tuple[str, ...]
    days_earlier: int = 0


_NOBODY: Final = {"client_ip_address": None, "client_user_agent": None, "external_id": None}

BAD_ROWS: Final = (
    BadRow("web_events", 41, {"em": "ask at the desk", **_NOBODY}, ("no_identifier", "not_an_email")),
    BadRow("web_events", 640, {"em": "rosa.example.com", **_NOBODY}, ("no_identifier", "not_an_email")),
    BadRow("web_events", 903, {"event_time": None}, ("missing_field",)),
    BadRow("web_events", 1111, {"client_ip_address": "behind-proxy", "em": "guest.1111@example.com"}, ("not_an_ip_address",)),
    BadRow("web_events", 1500, {}, ("event_too_old",), days_earlier=365),
    BadRow("orders", 12, {"value": "on request"}, ("not_an_amount",)),
    BadRow("orders", 77, {"em": "9e107d9d372bb6826bd81d3542a419d6"}, ("unmatchable_digest",)),
    BadRow("orders", 130, {"event_time": "last tuesday"}, ("bad_field", "not_a_time")),
    BadRow("orders", 200, {"currency": "Dollars"}, ("unknown_currency",)),
    BadRow("orders", 310, {"contents": '[{"id": "LAMP-20", "item_pri'}, ("unreadable_json",)),
    BadRow("orders", 420, {}, ("event_too_old",), days_earlier=380),
    BadRow("store_sales", 9, {"em": None}, ("no_identifier",)),
    BadRow("store_sales", 33, {"ph": "555 0177", "country": None, "em": "till.33@example.com"}, ("phone_without_country",)),
    BadRow("store_sales", 60, {"item_price": "free gift"}, ("not_an_amount",)),
    BadRow("signups", 20, {"db": "03/04/1990"}, ("ambiguous_date",)),
    BadRow("signups", 55, {"em": "lena@@example.com"}, ("no_identifier", "not_an_email")),
    BadRow("signups", 90, {"country": "Atlantis"}, ("unknown_country",)),
    BadRow("workshop_bookings", 17, {"action": "Booking Confirmed", "state": "paid"}, ("event_in_future",), days_earlier=-3),
)


_SEARCHES: Final = ("bud vase", "floor lamp", "gift under 30", "linen", "wall art", "ramen bowl", "rug 120x180")
_AGENTS: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
)
_VISITS: Final = {"page_visit": 46, "view_category": 18, "add_to_cart": 15, "search": 10, "add_to_wishlist": 8, "gift_finder": 1}


def _iso(at: datetime, timespec: str = "seconds") -> str:
    return at.isoformat(timespec=timespec).replace("+00:00", "Z")


def _json(value: Any) -> str:
    """A list or an object in a text column, as taps of warehouses and spreadsheets send it."""
    return encode(value).decode()


def _address(rng: random.Random) -> str:
    """An address of those kept for documentation (RFC 5737, RFC 3849)."""
    if rng.random() < 0.2:  # noqa: PLR2004
        return f"2001:db8:{rng.randrange(65536):x}::{rng.randrange(1, 65536):x}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def _basket(rng: random.Random, most: int = 3) -> list[tuple[Product, int]]:
    return [(product, rng.choice((1, 1, 1, 2, 4))) for product in rng.sample(PRODUCTS, rng.randint(1, most))]


def _contents(basket: list[tuple[Product, int]]) -> list[Row]:
    return [
        {
            "id": product.id,
            "item_name": product.name,
            "item_price": product.price,
            "quantity": quantity,
            "item_category": product.category,
        }
        for product, quantity in basket
    ]


def _total(basket: list[tuple[Product, int]]) -> Decimal:
    return sum((product.price * quantity for product, quantity in basket), Decimal(0))


def _web_event(rng: random.Random, number: int, at: datetime) -> Row:
    name = rng.choices(tuple(_VISITS), tuple(_VISITS.values()))[0]
    product, person = rng.choice(PRODUCTS), rng.choice(PEOPLE) if rng.random() < 0.3 else None  # noqa: PLR2004
    click = f"?epik=dj0{rng.randrange(16**8):08x}" if rng.random() < 0.25 else ""  # noqa: PLR2004
    picked = name in ("add_to_cart", "add_to_wishlist")
    return {
        "event_id": f"web-{number:06}",
        "event_name": name,
        "event_time": _iso(at, "milliseconds"),
        "action_source": "web",
        "event_source_url": f"https://shop.example.com/{product.category.lower()}/{product.id.lower()}{click}",
        "client_ip_address": _address(rng),
        "client_user_agent": rng.choice(_AGENTS),
        "em": rng.choice((f" {person.mail.upper()} ", person.mail)) if person else None,
        "external_id": person.id if person else None,
        "language": rng.choice(("en-US", "en-GB", "de-DE", "fr-FR")),
        "content_name": product.name,
        "content_category": product.category,
        "contents": _contents([(product, 1)]) if picked else None,
        "value": product.price if picked else None,
        "currency": "usd" if picked else None,
        "search_string": rng.choice(_SEARCHES) if name == "search" else None,
    }


def _order(rng: random.Random, number: int, at: datetime) -> Row:
    person, basket = rng.choice(PEOPLE), _basket(rng)
    return {
        "order_id": f"order-{100000 + number}",
        "event_time": int(at.timestamp()),
        "em": person.mail,
        "em_1": f"home.{person.mail}" if rng.random() < 0.1 else None,  # noqa: PLR2004
        "ph": person.phone,
        "fn": person.first,
        "ln": person.last,
        "ct": person.city,
        "st": person.state,
        "zp": person.postcode,
        "country": person.country,
        "external_id": person.id,
        "client_ip_address": _address(rng),
        "client_user_agent": rng.choice(_AGENTS),
        "event_source_url": f"https://shop.example.com/thanks?order={100000 + number}",
        "value": rng.choice((_total(basket), str(_total(basket)))),
        "currency": "USD",
        "contents": _json(_contents(basket)),
    }


def _store_sale(rng: random.Random, number: int, at: datetime) -> Row:
    person, basket = rng.choice(PEOPLE), _basket(rng)
    row: Row = {
        "receipt_no": 7_000_000 + number,
        "event_time": at.strftime("%Y-%m-%d %H:%M:%S"),
        "em": person.mail,
        "ph": person.phone,
        "country": person.country,
        "value": str(_total(basket)),
        "currency": "USD",
    }
    for position in range(3):
        product, quantity = basket[position] if position < len(basket) else (None, None)
        end = f"_{position}" if position else ""
        row |= {
            f"item_id{end}": product.id if product else None,
            f"item_price{end}": str(product.price) if product else None,
            f"quantity{end}": str(quantity) if product else None,
        }
    return row


def _signup(rng: random.Random, number: int, at: datetime) -> Row:
    person = PEOPLE[number % len(PEOPLE)]
    return {
        "event_id": f"signup-{number:05}",
        "event_time": _iso(at).replace("Z", "+00:00"),
        "em": person.mail,
        "fn": person.first,
        "ln": person.last,
        "ge": person.gender,
        "db": person.born,
        "country": {"US": "United States", "GB": "UK", "DE": "DEU"}.get(person.country, person.country),
        "language": rng.choice(("en", "de", "fr_FR")),
        "predicted_ltv": rng.choice((None, Decimal("120.00"), "85.5")),
    }


def _workshop_booking(rng: random.Random, number: int, at: datetime) -> Row:
    person = rng.choice(PEOPLE)
    lines = [{"workshop": "WS-THROW", "title": "Throwing on the wheel", "fee": Decimal("79.00"), "seats": rng.randint(1, 3)}]
    if rng.random() < 0.3:  # noqa: PLR2004
        lines.append({"workshop": "WS-GLAZE", "title": "Glazing", "fee": Decimal("35.50"), "seats": 1})
    return {
        "booking_ref": f"booking-{4000 + number}",
        "booked_at": str(int(at.timestamp() * 1000)),
        "action": rng.choices(("Booking Confirmed", "Trial Lesson Booked", "Brochure Opened"), (5, 2, 2))[0],
        "state": rng.choices(("paid", "open", "cancelled"), (6, 3, 1))[0],
        "landing_page": f"/workshops?epik=dj0{rng.randrange(16**8):08x}" if rng.random() < 0.5 else "/workshops",  # noqa: PLR2004
        "customer": {
            "given_name": person.first,
            "family_name": person.last,
            "mail": person.mail,
            "mobile": person.phone,
            "address": {"town": person.city, "postcode": person.postcode, "country": person.country},
        },
        "billing_mail": f"office.{person.mail}" if rng.random() < 0.2 else None,  # noqa: PLR2004
        "lines": rng.choice((lines, _json(lines))),
    }


def _stock(rng: random.Random, number: int, at: datetime) -> Row:
    product = PRODUCTS[number % len(PRODUCTS)]
    return {"sku": product.id, "warehouse": f"W{number % 4 + 1}", "on_hand": rng.randrange(400), "counted_at": _iso(at)}


class Stream(NamedTuple):
    """A stream of the shop: how many records, its key, the column its tap remembers in STATE, and how a record is made."""

    name: str
    records: int
    key: tuple[str, ...]
    bookmark: str
    make: Callable[[random.Random, int, datetime], Row]
    ids: str | None = None  # what its event ids begin with


STREAMS: Final = (
    Stream("web_events", 1900, ("event_id",), "event_time", _web_event, "web-"),
    Stream("orders", 620, ("order_id",), "event_time", _order, "order-"),
    Stream("store_sales", 260, ("receipt_no",), "receipt_no", _store_sale),
    Stream("signups", 180, ("event_id",), "event_time", _signup, "signup-"),
    Stream("workshop_bookings", 160, ("booking_ref",), "booked_at", _workshop_booking, "booking-"),
    Stream("inventory", 40, ("sku", "warehouse"), "counted_at", _stock),
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

encode: Final = msgspec.json.Encoder(decimal_format="number").encode


def stream_of(event_id: str) -> str:
    """Give the stream that an event came from, by its id."""
    return next((stream.name for stream in STREAMS if stream.ids and event_id.startswith(stream.ids)), DERIVED)


def messages(now: datetime) -> Iterator[Row]:
    """Give the sample's SCHEMA, RECORD and STATE messages, as they would be sent at `now` (UTC)."""
    rng = random.Random(SEED)  # noqa: S311 - made-up people
    bad = {(row.stream, row.position): row for row in BAD_ROWS}
    bookmarks: Row = {}
    for stream in STREAMS:
        yield _schema(stream, now)
        for position in range(stream.records):
            wrong = bad.get((stream.name, position), BadRow(stream.name, position, {}, ()))
            at = now - timedelta(hours=HOURS * (1 - position / stream.records), seconds=rng.randrange(60, 900))
            row = stream.make(rng, position + 1, at - timedelta(days=wrong.days_earlier)) | dict(wrong.changes)
            yield {"type": "RECORD", "stream": stream.name, "record": row, "time_extracted": _iso(now)}
            if (position + 1) % STATE_EVERY == 0 or position + 1 == stream.records:
                bookmarks[stream.name] = {stream.bookmark: row[stream.bookmark]}
                yield {"type": "STATE", "value": {"bookmarks": dict(bookmarks)}}


def lines(now: datetime) -> bytes:
    """Give the sample as a tap writes it: one message a line."""
    return b"".join(encode(message) + b"\n" for message in messages(now))


_TYPES: Final = {int: "integer", Decimal: "number", dict: "object", list: "array"}


def _schema(stream: Stream, now: datetime) -> Row:
    """The stream's SCHEMA message: every column may be null, but for the key."""
    row = stream.make(random.Random(SEED), 1, now)  # noqa: S311
    return {
        "type": "SCHEMA",
        "stream": stream.name,
        "schema": {
            "type": "object",
            "properties": {
                name: {"type": [_TYPES.get(type(value), "string"), *(() if name in stream.key else ("null",))]}
                for name, value in row.items()
            },
        },
        "key_properties": list(stream.key),
        "bookmark_properties": [stream.bookmark],
    }
