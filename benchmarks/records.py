"""The input of every benchmark: a Singer stream of a shop's events.

It is the same for the same number of records, except for the time. Owns the 27 filled columns,
named like Pinterest's fields, plus two that taps add (`hashed_maids`, always null, and
`updated_at`): about 1.1 kB per record as the SDK's taps write it. Values vary as in a shop: many
people and addresses, few cities, browsers and event names. Nobody in it exists: e-mail addresses
are at example.com, IP addresses are in the network that RFC 2544 reserves for benchmarks. As a
program it writes one file, so that the harness stays small: its own memory would count in its
children's peak.
"""

import gzip
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

STREAM: Final = "conversions"
STATE_EVERY: Final = 10_000  # records
EVENTS_OF_A_PERSON: Final = 4
SEED: Final = 5

TEXT_COLUMNS: Final = (
    "event_source_url", "em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country",
    "external_id", "client_ip_address", "client_user_agent", "click_id",
    "hashed_maids", "currency", "order_id", "language",
)  # fmt: skip

_ITEM_SCHEMA: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "quantity": {"type": "integer"},
        "item_price": {"type": "number"},
    },
}
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "event_id": {"type": "string"},
        "event_name": {"type": "string"},
        "event_time": {"type": "string", "format": "date-time"},
        "action_source": {"type": "string"},
        **{column: {"type": ["null", "string"]} for column in TEXT_COLUMNS},
        "value": {"type": ["null", "number"]},
        "num_items": {"type": ["null", "integer"]},
        "content_ids": {"type": ["null", "array"], "items": {"type": "string"}},
        "contents": {"type": ["null", "array"], "items": _ITEM_SCHEMA},
        "opt_out": {"type": ["null", "boolean"]},
        "updated_at": {"type": ["null", "string"], "format": "date-time"},
    },
}

_FIRST_NAMES: Final = (
    "Aisha", "Björn", "Chloé", "Diego", "Elena", "Femi", "Grace", "Hiro", "Ines", "Jonas", "Keiko",
    "Liam", "Mei", "Nadia", "Otto", "Paula", "Rafael", "Sofia", "Thomas", "Zoë",
)  # fmt: skip
_LAST_NAMES: Final = (
    "Adams", "Brown", "Castro", "Dubois", "Eriksson", "Fernández", "Gupta", "Hoffmann", "Ito",
    "Johnson", "Kaya", "Lee", "Muñoz", "Novak", "O'Neill",
)  # fmt: skip
_CITY_HEADS: Final = ("San ", "New ", "Port ", "Saint-", "Lake ", "Fort ")
_CITY_TAILS: Final = (
    "Bern",
    "Clare",
    "Delft",
    "Évora",
    "Gijón",
    "Hull",
    "Lund",
    "Mons",
    "Siena",
    "Trent",
)
_STATES: Final = (
    "AZ",
    "CA",
    "CO",
    "FL",
    "GA",
    "IL",
    "MA",
    "MI",
    "NC",
    "NJ",
    "NY",
    "OH",
    "PA",
    "TX",
    "WA",
)
_COUNTRIES: Final = (*["US"] * 14, "BR", "CA", "DE", "FR", "GB", "JP")
_GENDERS: Final = ("f", "m", "n", "Female", "male", None)
_MAIL_HOSTS: Final = ("Example.com", "example.org", "shop.example.net")
_LANGUAGES: Final = ("en", "es", "fr", "de")
_EVENT_NAMES: Final = (
    *["page_visit"] * 5,
    *["add_to_cart"] * 3,
    *["checkout"] * 2,
    "signup",
    "search",
)
_BROWSER: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/{}.0.0.0 Safari/537.36"
)
_BROWSERS: Final = tuple(_BROWSER.format(version) for version in range(121, 141))


def messages(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield a SCHEMA, `count` RECORDs of the day before `now`, and STATE every ten thousand."""
    random = Random(SEED)  # noqa: S311 - the same numbers every time are the point
    people = [_person(random, number) for number in range(max(1, count // EVENTS_OF_A_PERSON))]
    begin = (now - timedelta(days=1)).replace(microsecond=0)
    yield {"type": "SCHEMA", "stream": STREAM, "schema": SCHEMA, "key_properties": ["event_id"]}
    for number in range(1, count + 1):
        at = (begin + timedelta(seconds=number % 80_000)).isoformat()
        record = _record(random, random.choice(people), number, at)
        yield {"type": "RECORD", "stream": STREAM, "record": record, "time_extracted": at}
        if number % STATE_EVERY == 0:
            yield {
                "type": "STATE",
                "value": {"bookmarks": {STREAM: {"replication_key_value": at, "number": number}}},
            }


def _person(random: Random, number: int) -> dict[str, str | None]:
    first, last = random.choice(_FIRST_NAMES), random.choice(_LAST_NAMES)
    born = datetime(1950, 1, 1, tzinfo=UTC) + timedelta(days=random.randrange(20_000))
    return {
        "em": f"{first}.{last}{number}@{random.choice(_MAIL_HOSTS)}",
        "ph": f"+1 ({random.randint(201, 989)}) 555-{random.randrange(10_000):04d}",
        "fn": first,
        "ln": last,
        "ge": random.choice(_GENDERS),
        "db": born.date().isoformat(),
        "ct": random.choice(_CITY_HEADS) + random.choice(_CITY_TAILS),
        "st": random.choice(_STATES),
        "zp": f"{random.randint(501, 99_950):05d}",
        "country": random.choice(_COUNTRIES),
        "external_id": f"person_{number}",
        "client_ip_address": f"198.{random.randint(18, 19)}."
        f"{random.randrange(256)}.{random.randint(1, 254)}",
        "client_user_agent": random.choice(_BROWSERS),
        "language": random.choice(_LANGUAGES),
    }


def _record(random: Random, person: dict[str, str | None], number: int, at: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = [
        {
            "id": f"sku-{random.randint(1, 5000)}",
            "quantity": random.randint(1, 4),
            "item_price": random.randint(300, 25_000) / 100,
        }
        for _ in range(random.randint(1, 3))
    ]
    return {
        "event_id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
        "event_name": random.choice(_EVENT_NAMES),
        "event_time": at,
        "action_source": "web",
        "event_source_url": f"https://shop.example.com/p/{items[0]['id']}?utm=pin",
        **person,
        "click_id": f"dj0yJnU9{random.getrandbits(96):024x}" if random.getrandbits(1) else None,
        "hashed_maids": None,
        "currency": "USD",
        "value": round(sum(item["quantity"] * item["item_price"] for item in items), 2),
        "order_id": f"order-{number}",
        "num_items": sum(item["quantity"] for item in items),
        "content_ids": [item["id"] for item in items],
        "contents": items,
        "opt_out": False,
        "updated_at": at,
    }


def write(path: Path, count: int, now: datetime) -> None:
    """Write the messages, one per line, as most taps do, with `json.dumps`."""
    with path.open("w", encoding="ascii") as file:
        for message in messages(count, now):
            file.write(json.dumps(message) + "\n")


def write_batch(source: Path, path: Path) -> None:
    """Write the records of a file to a compressed file, and a BATCH message that names it."""
    packed = path.with_suffix(".jsonl.gz")
    with source.open("rb") as file, gzip.open(packed, "wb", compresslevel=6) as records:
        schema = next(file)
        for message in map(json.loads, file):
            if message["type"] == "RECORD":
                records.write(json.dumps(message["record"]).encode() + b"\n")
    encoding = {"format": "jsonl", "compression": "gzip"}
    batch = {"type": "BATCH", "stream": STREAM, "encoding": encoding, "manifest": [packed.as_uri()]}
    path.write_bytes(schema + json.dumps(batch).encode() + b"\n")


class Files:
    """The inputs taken from one generated file of `count` records, by name, in a folder."""

    def __init__(self, folder: Path, count: int) -> None:
        self.count = count
        self.fewer = max(1, count // 5)  # for slow programs
        self.of_shop = max(1, count // 2)  # per source, because there are many
        self.every = folder / "every.jsonl"
        self.some = folder / "some.jsonl"
        self.one = folder / "one.jsonl"
        self.halves = folder / "first_half.jsonl", folder / "second_half.jsonl"
        self.batch = folder / "batch.jsonl"
        self.batch_of_one = folder / "batch_of_one.jsonl"
        self.schema = folder / "schema.jsonl"
        self.rest = (
            folder / "rest.jsonl"
        )  # all but the schema: `cat schema rest rest rest` makes it longer

    def generate(self) -> None:
        """Write the files, in a separate process."""
        words = [sys.executable, "-m", "benchmarks.records", str(self.count), str(self.every)]
        subprocess.run(words, check=True)  # noqa: S603 - this very module
        with self.every.open("rb") as file:
            schema = next(file)
            with ExitStack() as stack:
                parts = {
                    path: stack.enter_context(path.open("wb"))
                    for path in (self.some, self.one, *self.halves, self.schema, self.rest)
                }
                for path, part in parts.items():
                    if path != self.rest:
                        part.write(schema)
                for number, line in enumerate(file, 1):
                    parts[self.rest].write(line)
                    parts[self.halves[number > self.count // 2]].write(line)
                    if number <= self.fewer:
                        parts[self.some].write(line)
                    if number == 1:
                        parts[self.one].write(line)
        write_batch(self.every, self.batch)
        write_batch(self.one, self.batch_of_one)


if __name__ == "__main__":
    write(Path(sys.argv[2]), int(sys.argv[1]), datetime.now(UTC))
