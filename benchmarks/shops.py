"""The inputs of the presets: a stream for each preset, with records in the source's real form.

`samples/` has a record of each, as its tap sends it: a purchase by an imaginary person. Every
record is made from its sample, with different ids, addresses, times and phone numbers, and with as
many unread columns as the source has. As in `records`, there are many people with four events each:
their addresses, phone numbers and ids stay the same, while each event and order has its own.
"""

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from benchmarks.records import EVENTS_OF_A_PERSON, SEED, STATE_EVERY

HERE: Final = Path(__file__).parent / "samples"
_FILLING: Final = (None, "some text", None, 17, None, False, "2026-01-31", None, 12.5, "")


class Shop(NamedTuple):
    """A source: its preset, its columns that are not in the sample, and what a user adds."""

    preset: str
    more_columns: int = 0
    fields: Mapping[str, str] = {}


SHOPS: Final[Mapping[str, Shop]] = {
    "adobe_xdm": Shop("adobe_xdm"),
    "bigcommerce": Shop("bigcommerce", 60),
    "flat_items": Shop("pinterest"),
    "ga4": Shop("ga4", fields={"user_data.em": "email"}),
    "magento": Shop("magento", 110),
    "metarouter": Shop("metarouter"),
    "posthog": Shop("posthog"),
    "rudderstack": Shop("rudderstack", 20),
    "salesforce_commerce": Shop("salesforce_commerce", 40),
    "segment": Shop("segment"),
    "shopify": Shop("shopify", 50),
    "shopify_graphql": Shop("shopify", 50),
    "snowplow": Shop("snowplow", 100),
    "stripe": Shop("stripe", 20),
    "woocommerce": Shop("woocommerce", 10),
}


def generate(folder: Path, name: str, count: int) -> tuple[Path, Path]:
    """Write a source's input, in a separate process; return it, and a file of its first record."""
    every, one = folder / f"{name}.jsonl", folder / f"{name}-one.jsonl"
    words = [sys.executable, "-m", "benchmarks.shops", str(count), name, str(every)]
    subprocess.run(words, check=True)  # noqa: S603 - this very module
    with every.open("rb") as file:
        one.write_bytes(b"".join(islice(file, 2)))
    return every, one


def mapping(name: str) -> dict[str, Any]:
    """Return the mapping entry of a source."""
    shop = SHOPS[name]
    return {"stream": name, "preset": shop.preset, "fields": dict(shop.fields)}


def messages(name: str, count: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield a SCHEMA, `count` RECORDs of the day before `now`, and STATE every ten thousand."""
    sample = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    for number in range(SHOPS[name].more_columns):
        sample[f"column_{number}"] = _FILLING[number % len(_FILLING)]
    schema = {"type": "object", "properties": {key: schema_of(sample[key]) for key in sample}}
    yield {"type": "SCHEMA", "stream": name, "schema": schema, "key_properties": []}
    random = Random(SEED)  # noqa: S311 - the same numbers every time are the point
    people = max(1, count // EVENTS_OF_A_PERSON)
    begin = (now - timedelta(days=1)).replace(microsecond=0)
    for number in range(1, count + 1):
        at = begin + timedelta(seconds=number % 80_000)
        vary = _Variation(random, number, random.randrange(people), at)
        yield {"type": "RECORD", "stream": name, "record": vary.value(sample)}
        if number % STATE_EVERY == 0:
            yield {"type": "STATE", "value": {"bookmarks": {name: {"number": number}}}}


def schema_of(value: Any) -> dict[str, Any]:
    """Return the schema that a tap declares for a sample; every value may be null."""
    if isinstance(value, dict):
        members = {name: schema_of(member) for name, member in value.items()}
        return {"type": ["null", "object"], "properties": members}
    if isinstance(value, list):
        return {"type": ["null", "array"], "items": schema_of(value[0]) if value else {}}
    kinds = {bool: "boolean", int: "integer", float: "number"}
    return {"type": ["null", kinds.get(type(value), "string")]}


class _Variation:
    """Makes one record from a sample: with another person, time and number."""

    def __init__(self, random: Random, number: int, person: int, at: datetime) -> None:
        self._random = random
        self._number = number
        self._person = person
        self._at = at

    def value(self, value: Any) -> Any:
        """Return the record's value for a value of the sample."""
        if isinstance(value, dict):
            return {name: self._member(name, member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.value(element) for element in value]
        if type(value) is int:
            return self._whole_number(value)
        return self._text(value) if isinstance(value, str) else value

    def _member(self, name: str, value: Any) -> Any:
        if name in _PHONES and isinstance(value, str) and value:
            return self.last_digits(value)
        return self._id_of_person(value) if name in _IDS_OF_PEOPLE else self.value(value)

    def _id_of_person(self, value: Any) -> Any:
        """Return the person's id, or an object or list with the person's `id` in it."""
        match value:
            case str():
                return f"{value[:-7]}{self._person:07d}"
            case int():
                return value + self._person
            case list():
                return [self._id_of_person(element) for element in value]
            case dict():
                varied = {name: self._member(name, member) for name, member in value.items()}
                return {**varied, "id": self._id_of_person(value["id"])}
        return value

    def _whole_number(self, value: int) -> int:
        for unit in (1, 1_000, 1_000_000):
            if _FIRST_TIME * unit < value < _LAST_TIME * unit:
                return int(self._at.timestamp()) * unit
        return value + self._number if value > _SMALLEST_ID else value

    def _text(self, text: str) -> str:
        for pattern, write in _TEXTS:
            text = pattern.sub(lambda found, write=write: write(self, found[0]), text)  # type: ignore[misc]
        return text

    def time(self, text: str) -> str:
        """Return the record's time in the form of the sample's."""
        return self._at.isoformat()[:19].replace("T", text[10])

    def email(self, _: str) -> str:
        """Return the person's address."""
        return f"Person.{self._person}@Example.com"

    def uuid(self, _: str) -> str:
        """Return a random id."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def digits(self, text: str) -> str:
        """Return an id with as many digits."""
        return f"{text[:-7]}{self._number:07d}"[-len(text) :]

    def last_digits(self, text: str) -> str:
        """Return a phone number of the same country and area."""
        return f"{text[:-4]}{self._person % 10_000:04d}"

    def address(self, _: str) -> str:
        """Return the person's IP address, in the network for benchmarks."""
        return f"198.18.{self._person // 256 % 256}.{self._person % 256}"

    def click(self, text: str) -> str:
        """Return a click id."""
        return f"{text[:5]}dj0yJnU9{self._random.getrandbits(64):016x}"


_FIRST_TIME, _LAST_TIME = 1_700_000_000, 1_900_000_000  # Unix seconds
_SMALLEST_ID: Final = 1_000_000
_PHONES: Final = ("phone", "telephone")
# Members that are a person's id or customer, in any of the sources.
_IDS_OF_PEOPLE: Final = (
    "anonymousId", "anonymous_id", "userId", "user_id", "customer_id", "customerId", "customerNo",
    "customer", "distinct_id", "person_id", "user_pseudo_id", "domain_userid", "network_userid",
    "ECID", "Email_LC_SHA256", "contexts_com_snowplowanalytics_snowplow_ecommerce_user_1",
)  # fmt: skip
_HEX: Final = "[0-9a-f]"
# What varies in a string, and how.
_TEXTS: Final[tuple[tuple[re.Pattern[str], Callable[[_Variation, str], str]], ...]] = (
    (re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d"), _Variation.time),
    (re.compile(r"[A-Za-z.]+@[A-Za-z]+\.com", re.ASCII), _Variation.email),
    (re.compile(f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"), _Variation.uuid),
    (re.compile(r"(?:^|(?<=[/_-]))\d{7,}$"), _Variation.digits),
    (re.compile(r"(?<![\w.])[+(]\d[\d ()-]{8,}"), _Variation.last_digits),
    (re.compile(r"(?<![\w.])(?:203\.0\.113|198\.51\.100|192\.0\.2)\.\d+"), _Variation.address),
    (re.compile(r"epik=\w+"), _Variation.click),
)


def write(path: Path, name: str, count: int, now: datetime) -> None:
    """Write the messages of a source, one per line, with `json.dumps`."""
    with path.open("w", encoding="ascii") as file:
        for message in messages(name, count, now):
            file.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[3]), sys.argv[2], int(sys.argv[1]), datetime.now(UTC))
