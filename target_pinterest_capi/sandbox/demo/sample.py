"""The demo's input: Singer messages of an imaginary shop, as taps send them, with some errors.

Owns how records are built from `samples/shop.yaml`, which says what is in them. The same time gives
the same bytes; no clock is read.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import resources
from typing import Any, Final, NamedTuple
from unicodedata import normalize

import msgspec
import yaml

Row = dict[str, Any]
SAMPLES: Final = resources.files("target_pinterest_capi.sandbox.demo").joinpath("samples")
CONFIG: Final = SAMPLES.joinpath("demo.yaml").read_bytes()
SHOP: Final = yaml.safe_load(SAMPLES.joinpath("shop.yaml").read_bytes())
_TYPES: Final = {bool: "boolean", int: "integer", Decimal: "number", dict: "object", list: "array"}
_placeholder: Final = re.compile(r"\{([a-z_.0-9]+)(?::([^}]*))?\}")

encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class Stream(NamedTuple):
    """A stream of the shop: how many records, and their parts.

    `bookmark` is the column that its tap remembers in STATE, `event_ids` the prefix of its events'
    ids (None: it has none). With `in_turn` the people are those of the `changes`.
    """

    name: str
    about: str
    records: int
    key: tuple[str, ...]
    bookmark: str
    record: list[Any]
    first_id: int = 0
    event_ids: str | None = None
    goods: str = "products"
    most_lines: int = 3
    in_turn: bool = False


class BadRow(NamedTuple):
    """A wrong row: what is changed in it, and every reason under which it is counted."""

    stream: str
    position: int
    reasons: tuple[str, ...] = ()
    changes: Mapping[str, Any] = {}
    days_earlier: int = 0


def _person(number: int) -> Row:
    """Return a customer who does not exist."""
    names = ("first", "last", "gender", "place")
    options = [SHOP["people"][name] for name in names]
    first, last, gender, place = (one[number % len(one)] for one in options)
    letters = re.sub("[^a-z.]", "", normalize("NFKD", f"{first}.{last}").lower())
    mail = f"{letters}.{number}@example.com"
    return {
        **place,
        "id": f"C-{20000 + number}",
        "number": 7_700_020_000 + number,
        "first": first,
        "last": last,
        "gender": gender,
        "mail": mail,
        "mail_in_capitals": mail.upper(),
        "phone": place["phone"].format(number % 100),
        "born": f"{1955 + number % 50}-{1 + number % 12:02}-{1 + number % 28:02}",
    }


def _article(row: Row) -> Row:
    path = f"{row['category']}/{row['id']}".lower()
    return {**row, "price": Decimal(row["price"]), "path": path}


PEOPLE: Final = [_person(number) for number in range(SHOP["people"]["number"])]
GOODS: Final = {kind: list(map(_article, rows)) for kind, rows in SHOP["goods"].items()}
EARLIER_MEMBERS: Final = PEOPLE[slice(*SHOP["earlier_members"])]
CHANGES: Final = [
    (person, change["action"])
    for change in SHOP["changes"]
    for person in PEOPLE[slice(*change["people"])]
]
STREAMS: Final = tuple(Stream(name, **row) for name, row in SHOP["streams"].items())
BAD_ROWS: Final = tuple(BadRow(**row) for row in SHOP["wrong"])
RECORDS: Final = {stream.name: stream.records for stream in STREAMS}
FAILED_EVENT, REFUSED_EVENT = (row["event_id"] for row in SHOP["faults"] if "event_id" in row)
# How often each reason should be counted for each stream.
REASONS: Final = Counter((row.stream, reason) for row in BAD_ROWS for reason in row.reasons)
REASONS.update(SHOP["refused"].items())


def stream_of(event_id: str) -> str:
    """Return the name of the stream that an event came from, by its id."""
    starts = {one.event_ids: one.name for one in STREAMS if one.event_ids is not None}
    return starts[max(filter(event_id.startswith, starts), key=len)]


def lines(now: datetime) -> bytes:
    """Return the sample as a tap writes it at `now` (UTC): one message a line."""
    return b"".join(encode(message) + b"\n" for message in messages(now))


def messages(now: datetime) -> Iterator[Row]:
    """Yield the sample's SCHEMA, RECORD and STATE messages."""
    rng = random.Random(SHOP["seed"])  # noqa: S311 - made-up people
    extracted = {"time_extracted": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    bookmarks: Row = {}
    for stream in STREAMS:
        rows = [_row(stream, position, now, rng) for position in range(stream.records)]
        yield _schema(stream, rows)
        for number, row in enumerate(rows, 1):
            yield {"type": "RECORD", "stream": stream.name, "record": row, **extracted}
            if number % SHOP["state_every"] == 0 or number == stream.records:
                bookmarks[stream.name] = {stream.bookmark: row[stream.bookmark]}
                yield {"type": "STATE", "value": {"bookmarks": dict(bookmarks)}}


def _row(stream: Stream, position: int, now: datetime, rng: random.Random) -> Row:
    """Return the record at a position, with its errors."""
    right = BadRow(stream.name, position)
    wrong = next((row for row in BAD_ROWS if row[:2] == right[:2]), right)
    hours = SHOP["hours"] * (1 - position / stream.records)
    at = now - timedelta(days=wrong.days_earlier, hours=hours, seconds=rng.randrange(60, 900))
    known = _known(stream, position, at, rng)
    row: Row = {}
    for part in stream.record:
        options = part if isinstance(part, list) else [part]
        weights = [option.get("weight", 1) for option in options]
        _change(row, fill(rng.choices(options, weights)[0], known, rng))
    row.pop("weight", None)
    _change(row, wrong.changes)
    return row


def _known(stream: Stream, position: int, at: datetime, rng: random.Random) -> Row:
    """Return the values of a record's placeholders."""
    person, action = CHANGES[position] if stream.in_turn else (rng.choice(PEOPLE), None)
    goods = rng.sample(GOODS[stream.goods], rng.randint(1, stream.most_lines))
    bought = [article | {"quantity": rng.choice(SHOP["quantities"])} for article in goods]
    return {
        "number": position + 1,
        "id": stream.first_id + position + 1,
        "at": at,
        "milliseconds": at.microsecond // 1000,
        "unix_milliseconds": int(at.timestamp() * 1000),
        "person": person,
        "action": action,
        "lines": {str(number): line for number, line in enumerate(bought)},
        "total": sum(line["price"] * line["quantity"] for line in bought),
        "ip": f"{rng.choice(SHOP['networks'])}{rng.randrange(1, 255)}",
        "hex": f"{rng.randrange(16**8):08x}",
    }


def fill(template: Any, known: Mapping[str, Any], rng: random.Random) -> Any:
    """Return a template's value: placeholders are replaced, and one element of a list is chosen."""
    match template:
        case str():
            return _text(template, known)
        case list():
            return fill(rng.choice(template), known, rng)
        case {"each_line": each}:
            return [fill(each, {**known, "line": line}, rng) for line in known["lines"].values()]
        case {"as_json": value}:
            return encode(fill(value, known, rng)).decode()
        case dict():
            return {name: fill(value, known, rng) for name, value in template.items()}
        case _:
            return template


def _text(template: str, known: Any) -> Any:
    """Return a string; for a single placeholder its value, None if a record has fewer lines."""

    def value_of(found: re.Match[str]) -> Any:
        value = known
        for step in found[1].split("."):
            value = value and value.get(step)
        return value if found[2] is None or value is None else format(value, found[2])

    alone = _placeholder.fullmatch(template)
    if alone is not None:
        return value_of(alone)
    return _placeholder.sub(lambda found: f"{value_of(found)}", template)


def _change(row: Row, changes: Mapping[str, Any]) -> None:
    """Change members of a row; a name such as `customer.email` leads into objects."""
    for path, value in changes.items():
        place, (*way, name) = row, path.split(".")
        for step in way:
            place[step] = place.get(step) or {}
            place = place[step]
        place[name] = value


def _schema(stream: Stream, rows: list[Row]) -> Row:
    """Return a stream's SCHEMA message: every column except the key may be null."""
    types = dict.fromkeys(rows[0], "string")
    for row in reversed(rows):
        types |= {name: _TYPES.get(type(value), "string") for name, value in row.items() if value}
    properties = {
        name: {"type": [kind] if name in stream.key else [kind, "null"]}
        for name, kind in types.items()
    }
    return {
        "type": "SCHEMA",
        "stream": stream.name,
        "schema": {"type": "object", "properties": properties},
        "key_properties": list(stream.key),
        "bookmark_properties": [stream.bookmark],
    }
