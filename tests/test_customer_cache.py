"""The customer of a person is converted once, and each event is as if it were converted for it."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from random import Random
from time import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as checked
from hypothesis import strategies as st

from given import examples, record, settings_of
from shopper import digest, seconds_ago
from target_pinterest_capi.events.build.customer_cache import RESTS, CustomerCache, encoded
from target_pinterest_capi.events.event import Event, Origin
from target_pinterest_capi.mapping.entries import Accounts, compile_stream
from target_pinterest_capi.pipeline.stream import RECORDS_BEFORE_ROWS, StreamPipeline

COLUMNS = (
    "em", "ph", "ge", "db", "ln", "fn", "ct", "st", "zp", "country", "external_id",
    "hashed_maids", "client_ip_address", "client_user_agent", "click_id",
)  # fmt: skip
OTHERS = (
    "event_id", "event_name", "event_time", "action_source", "mail", "nation", "more",
    "opt_out_type",
)  # fmt: skip
TEXTS_DECLARED = {column: {"type": ["null", "string"]} for column in (*COLUMNS, *OTHERS)}
# Of these few, every value is one of several people's, and many are dropped, or noted.
TEXTS = (
    "a@example.com", "A@Example.com ", "b@example.com", "a@example.com; none", "no address",
    "+1 202 555 0134", "020 7946 0123", "us", "GB", "Atlantis", "94110", "SW1A 1AA", "f", "Jane",
    "null", "", "1990-03-04", "192.0.2.7", "10.0.0.5", "Mozilla/5.0", "c-1", "None", "True", "1",
    "6D92078A-8246-4BA4-AE5B-76104861E7DC", "dj0y", "LDP", '{"fn": "Jane", "order": "o-1"}',
)  # fmt: skip
BUYER = {
    "type": ["null", "object"],
    "properties": {
        "mail": {"type": ["null", "string"]},
        "home": {"type": "object", "properties": {"country": {"type": "string"}}},
    },
}
PLACE = {
    "type": ["null", "object"],
    "properties": {name: {"type": "string"} for name in ("mail", "country", "street")},
}
LISTED = {"type": "object", "properties": {"id": {"type": ["null", "string"]}, "is_new": {}}}
PARTS_DECLARED = {
    "buyer": BUYER,
    "number": {},
    "here": PLACE,
    "there": PLACE,
    "listed": {"type": ["null", "array"], "items": LISTED},
}
BUYERS = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "mail": st.none() | st.sampled_from(TEXTS),
        "home": st.fixed_dictionaries({}, optional={"country": st.sampled_from(TEXTS)}),
    },
)
PLACES = st.none() | st.dictionaries(
    st.sampled_from(["mail", "country", "street"]), st.sampled_from(TEXTS)
)
ANY_NUMBERS = (1, "1", True, 1.0, 1.5, "1.0", [1], ["1"], [1, "a"], {"a": 1}, None, "c-1")
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "number": st.sampled_from(ANY_NUMBERS),
        "here": PLACES,
        "there": PLACES,
        "listed": st.lists(
            st.none() | st.fixed_dictionaries({}, optional={"id": st.sampled_from(TEXTS)}),
            max_size=2,
        ),
    },
)
PEOPLE = st.lists(
    st.builds(
        lambda columns, buyer, parts: {**columns, "buyer": buyer, **parts},
        st.dictionaries(
            st.sampled_from([*COLUMNS, "mail", "nation", "more", "opt_out_type"]),
            st.sampled_from(TEXTS),
        ),
        BUYERS,
        PARTS,
    ),
    min_size=1,
    max_size=3,
)
# One phone number as two countries write it.
LONDONERS: list[dict[str, Any]] = [
    {"em": "a@example.com", "ph": "020 7946 0123", "country": country} for country in ("GB", "IT")
]
BOTS = [{"em": "a@example.com", "client_user_agent": name} for name in ("Bot/1.0 (bot)", "Jane")]
# Nothing that the phone's events have in common is a text.
PHONE = {"hashed_maids": "6D92078A-8246-4BA4-AE5B-76104861E7DC", "click_id": "c-1"}
# Limited data processing needs a state, and has an effect in one country.
LIMITED: list[dict[str, Any]] = [
    {"em": "a@example.com", "opt_out_type": "LDP", "st": "CA", "country": "US"},
    {"em": "a@example.com", "opt_out_type": "LDP", "st": "CA", "country": "FR"},
    {"em": "a@example.com", "opt_out_type": "LDP"},
]
# Equal in Python, or as text.
NUMBERED: list[dict[str, Any]] = [{"em": "a@example.com", "number": one} for one in ANY_NUMBERS]
# One is the address that counts, the other is empty, or not there.
PLACED: list[dict[str, Any]] = [
    {"ph": "020 7946 0123", "here": here, "there": {"mail": "b@example.com", "country": "GB"}}
    for here in (None, {}, {"mail": "a@example.com"}, {"country": "IT"}, {"street": "1 Main St"})
]
MAILS = [{"id": "a@example.com"}, {"id": "b@example.com"}]
LISTS: list[dict[str, Any]] = [
    {"ph": "+1 202 555 0134", "here": {"mail": "c@example.com"}, "listed": ids}
    for ids in (None, [], [None], MAILS[:1], MAILS[1:], MAILS, [None, *MAILS])
]
REQUIRED = {name: name for name in ("event_id", "event_name", "event_time", "action_source")}
FALLBACKS = {
    "stream": "visits",
    "fields": {
        **REQUIRED,
        "user_data.em": "mail || em",
        "user_data.ph": "replace(ph, 'x', '')",
        "user_data.fn": "more.fn",
        "user_data.country": "nation || country",
        "user_data.zp": "zp",
        "user_data.external_id": ["external_id", "mail"],
        "user_data.client_ip_address": "client_ip_address",
        "user_data.client_user_agent": "client_user_agent",
        "user_data.click_id": "click_id",
        "custom_data.order_id": "more.order",
    },
    "defaults": {"user_data.country": "US"},
}
NESTED = {
    "stream": "visits",
    "preset": "pinterest",
    "fields": {
        "user_data.em": "buyer.mail || em",
        "user_data.country": "buyer.home.country",
        "user_data.ge": "buyer && 'f' || 'm'",
    },
}
IN_PARTS = {
    "stream": "visits",
    "fields": {
        **REQUIRED,
        "user_data.em": ["(here || there).mail", "listed[].id"],
        "user_data.ph": "ph || listed[0].id",
        "user_data.ge": "to_string(number) == '1' && 'm' || 'f'",
        "user_data.fn": "more.fn || fn",
        "user_data.country": "(here || there).country",
        "user_data.external_id": ["number", "regex_extract(number, '[0-9]+$')"],
        "user_data.client_ip_address": "client_ip_address",
        "user_data.client_user_agent": ["client_user_agent", "abs(more.fn)"],
    },
}
TWO: list[dict[str, Any]] = [
    {"stream": "visits", "name": "first", "preset": "pinterest"},
    {
        "stream": "visits",
        "name": "second",
        "preset": "pinterest",
        "defaults": {"user_data.ge": "f", "user_data.country": "GB"},
    },
]
# Without a postal code, only the phone number is made from the country too.
NO_CODES = [{"stream": "visits", "preset": "pinterest", "fields": {"user_data.zp": None}}]
# Nobody knows what the gender is made from, so what follows it is converted for each event.
UNKNOWN_GENDER = [
    {
        "stream": "visits",
        "preset": "pinterest",
        "fields": {"user_data.ge": "abs(more.fn)", "user_data.zp": None},
    }
]
MAPPINGS: dict[str, Any] = {
    "columns": None,
    "without postal codes": NO_CODES,
    "unknown gender": UNKNOWN_GENDER,
    "fallbacks": [FALLBACKS],
    "nested objects": [NESTED],
    "parts of columns": [IN_PARTS],
    "two entries": TWO,
}


class Run:
    """A pipeline's results of records, with what was noted, and the cache."""

    collect_event = None

    def __init__(self, mappings: Any, declared: Mapping[str, Any] | None = None) -> None:
        settings = settings_of(mappings=mappings)
        accounts, began_at = Accounts(settings), datetime.now(UTC)
        self.sequence = 0
        self.results: list[tuple[type, bytes | None]] = []
        self.notes: Counter[tuple[str, str]] = Counter()
        self.customers = CustomerCache()
        self.pipeline = StreamPipeline(
            "visits",
            {"properties": {**TEXTS_DECLARED, **PARTS_DECLARED, **(declared or {})}},
            ["event_id"],
            settings,
            self,
            compile_entries=lambda stream: compile_stream(
                settings, stream, accounts, self._note, time, self.customers, began_at=began_at
            ),
        )
        for number in range(RECORDS_BEFORE_ROWS):
            self.pipeline.handle_record({"event_id": f"before-{number}"})
        self.results.clear()
        self.notes.clear()

    def _note(self, _: Origin, field: str, reason: str) -> None:
        self.notes[field, str(reason)] += 1

    def handle(self, result: Any) -> None:
        """Keep what two results of equal records have in common."""
        self.results.append((type(result), getattr(result, "body", None)))

    def by_records(self, records: Iterable[dict[str, Any]]) -> "Run":
        """Handle records of which nothing is known: each customer is converted."""
        for one in records:
            self.pipeline.handle_record(one)
        return self

    def by_rows(self, records: Iterable[dict[str, Any]]) -> "Run":
        """Handle the lines of records as rows of texts: a person's customer is converted once."""
        for one in records:
            line, rows = record("visits", **one), self.pipeline.rows
            assert rows is not None
            rows.handle_row(rows.decode(line).record, line)
        return self


def events_of(people: list[dict[str, Any]], order: list[int]) -> list[dict[str, Any]]:
    """Return records, each of one of the people."""
    at = str(seconds_ago(60))
    return [
        {
            "event_name": "checkout",
            "action_source": "web",
            "event_time": at,
            "event_id": f"e-{number}",
            **people[person % len(people)],
        }
        for number, person in enumerate(order)
    ]


@pytest.mark.parametrize("mappings", MAPPINGS.values(), ids=MAPPINGS)
@checked(max_examples=examples(150))
@given(
    people=PEOPLE,
    order=st.lists(st.integers(0, 2), max_size=8),
    untyped=st.sets(st.sampled_from([*COLUMNS, "mail", "nation", "more", "buyer"]), max_size=2),
)
@example([{"em": "a@example.com"}, {"em": "b@example.com"}], [0, 1, 0, 1], set())
@example(BOTS, [0, 1, 0, 1], set())
@example([PHONE], [0, 0], {"hashed_maids"})
@example(LIMITED, [0, 1, 2, 0, 1, 2], set())
@example(NUMBERED, [*range(len(NUMBERED))] * 2, set())
@example(PLACED, [*range(len(PLACED))] * 2, set())
@example(LISTS, [*range(len(LISTS))] * 2, set())
@example(LONDONERS, [0, 1], {"country"})
@example(LONDONERS, [0, 1], {"zp"})
@example(LONDONERS, [0, 1], {"ct"})
@example([{"em": "a@example.com", "more": TEXTS[-1]}], [0, 0], set())
@example(
    [{"em": "a@example.com", "buyer": None}, {"em": "a@example.com", "buyer": {"home": {}}}],
    [0, 1],
    set(),
)
def test_events_are_as_if_each_person_were_new(
    mappings: Any, people: list[dict[str, Any]], order: list[int], untyped: set[str]
):
    """Whoever comes again and in which order, events and notes are as without the cache."""
    records = events_of(people, order)
    declared = {column: {} for column in untyped}
    looked_up = Run(mappings, declared).by_rows(records)
    converted = Run(mappings, declared).by_records(records)
    assert looked_up.results == converted.results
    assert looked_up.notes == converted.notes


def test_dropped_value_counts_for_each_event():
    """A person's unusable phone number is counted once for each of the person's events."""
    person = {"em": "a@example.com", "ph": "no number"}
    run = Run(None).by_rows(events_of([person], [0] * 5))
    assert run.notes == {("user_data.ph", "not_a_phone"): 5}
    assert not run.customers


def test_customer_made_from_parts_of_columns_is_looked_up():
    """Whoever has the same address, list and number is found, whatever else the event has."""
    person = {"ph": "020 7946 0123", "listed": [{"id": "a@example.com"}], "number": 71}
    home = {"country": "GB"}
    visits = [
        {**person, "here": home, "more": '{"fn": "Jane", "order": 1}'},
        {**person, "there": home, "more": '{"fn": "Jane", "order": 2}'},
    ]
    run = Run([IN_PARTS]).by_rows(events_of(visits, [0, 1, 1]))
    assert (len(run.customers), run.customers.hits) == (1, 2)


def test_value_in_countless_lists_is_like_nobody_elses():
    """What a row can hold but is too deep to be compared is converted as if it were new."""
    run = Run([IN_PARTS])
    (one,) = events_of([{"here": {"mail": "a@example.com"}, "number": 0}], [0])
    line, rows = record("visits", **one), run.pipeline.rows
    assert rows is not None
    for depth in range(900, sys.getrecursionlimit()):
        deep = line.replace(b'"number": 0', b'"number": ' + b"[" * depth + b"]" * depth)
        assert deep != line
        try:
            row = rows.decode(deep).record
        except RecursionError:  # it is no row
            break
        rows.handle_row(row, deep)
    assert {kind for kind, _ in run.results} == {Event}


def test_two_entries_have_customers_of_their_own():
    """Each of a stream's entries looks up what it made itself of the same texts."""
    run = Run(TWO).by_rows(events_of([{"em": "a@example.com"}], [0, 0]))
    first, second, *again = [json.loads(body or b"")["user_data"] for _, body in run.results]
    assert first == {"em": [digest("a@example.com")]}
    assert second == {**first, "ge": [digest("f")], "country": [digest("gb")]}
    assert again == [first, second]


def comes(cache: CustomerCache, person: int) -> bool:
    """Return whether a person was known, as a generated function asks; keep who was not."""
    if cache.get(person) is not None:
        cache.hits += 1
        return True
    cache.keep(person, encoded({"ge": [str(person)]}, {}))
    return False


def test_cache_is_emptied_when_it_is_full():
    """People who come three times in a row are found twice, and no more are kept than its size."""
    cache = CustomerCache(size=20, examined_every=5)
    for number in range(1_000):
        assert comes(cache, number // 3) is (number % 3 > 0)
        assert len(cache) <= 20


def test_cache_rests_where_nobody_comes_again():
    """It has one customer soon and for long, and then tries again."""
    cache = CustomerCache(size=20, examined_every=5)
    kept = []
    for person in range(1_000):
        comes(cache, person)
        kept.append(len(cache))
    trial, rest = [2, 3, 4, 5], [1] * (RESTS * 20 + 1)
    assert kept == [1, *(trial + rest) * 4][:1_000]


@pytest.mark.parametrize(("people", "is_useful"), [(500, True), (3_000, True), (9_000, False)])
def test_cache_goes_on_while_people_come_again(people: int, is_useful: bool):
    """Of not many more people than it has room for, in any order, a good part is found."""
    random = Random(1)
    cache = CustomerCache(size=2_000, examined_every=500)
    found = [comes(cache, random.randrange(people)) for _ in range(20_000)]
    assert (sum(found) > 5_000) is is_useful


def test_no_plain_value_is_kept():
    """Of a person who clicked three times, the digests are kept once, by a number."""
    person = {"em": "a@example.com", "fn": "Jane", "zp": "94110", "client_ip_address": "192.0.2.7"}
    clicks = [{**person, "click_id": f"dj0y{number}"} for number in range(3)]
    run = Run(None).by_rows(events_of(clicks, [0, 1, 2]))
    ((number, customer),) = run.customers.items()
    assert type(number) is int
    assert json.loads(bytes(customer.encoded)) == {
        "em": [digest("a@example.com")],
        "fn": [digest("jane")],
        "zp": [digest("94110")],
        "client_ip_address": "192.0.2.7",
    }
