"""The compiled fast path gives what the plain one gives: event by event, byte by byte, note by note."""

import json
from collections import Counter
from datetime import UTC
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from given import examples
from shopper import ACCOUNT
from target_pinterest_capi.events.build.builder import EventPlan, FieldPlan, compile_builder
from target_pinterest_capi.events.build.converters import (
    MEMO_SIZE,
    BoundedCache,
    Converters,
    Options,
)
from target_pinterest_capi.events.build.function_source import FAST, CompiledField, compile_members
from target_pinterest_capi.events.event import Event, Origin
from target_pinterest_capi.events.fields import BY_PATH, FIELDS, ITEM_FIELDS
from target_pinterest_capi.singer.rows import compile_rows, record_of

NOW = 1_780_000_000  # 2026-05-28T20:26:40Z; what is tested goes by the clock that it is given
ORIGIN = Origin("s", "m")
TEXTS = (
    "", " ", "a", " padded ", "Jane@Example.com", '["a@example.com", "b@example.com"]', "[", "São Paulo", "[null]", '["x", 1]',
    "+1 (202) 555-0134", "555-0134", "020 7946 0123", "f", "Female", "1990-03-04", "03/04/1990", "US", "GB", "Atlantis", "94110",
    "2134", "SW1A 1AA", "usd", "XXY", "en-US", "192.0.2.7", "10.0.0.1, 192.0.2.7", "web", "WEB", "offline", "true", "19.99", "007",
    "1e3", "3", "-3", "99999999999999999999", "a" * 64, "d41d8cd98f00b204e9800998ecf8427e", "x" * 300, "\x00", "e\u0301", "\u0130",
    "\u017f", "\uff11\uff12", '[{"id": "a", "quantity": 2}]', "2026-11-20T10:00:00Z", "00000000-0000-0000-0000-000000000000",
    "6D92078A-8246-4BA4-AE5B-76104861E7DC",
)  # fmt: skip
SCALARS = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=40),
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.floats(),
)
ITEM = st.dictionaries(
    st.sampled_from([*(field.leaf for field in ITEM_FIELDS), "other"]), SCALARS, max_size=5
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=4), st.lists(st.one_of(ITEM, SCALARS), max_size=3), ITEM
)
RECORDS = st.dictionaries(st.sampled_from([field.path for field in FIELDS]), VALUES, max_size=25)
NEEDED: dict[str, Any] = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": NOW - 60,
    "event_id": "1",
    "user_data.em": "shopper@example.com",
}


class Path:
    """A builder of every field, fast or plain, and what it noted."""

    def __init__(self, *, fast: bool, direct: bool) -> None:
        self.notes: Counter[tuple[str, str]] = Counter()
        fields = {
            path: FieldPlan(lambda record, path=path: record.get(path), path if direct else None)
            for path in BY_PATH
        }
        self.build = compile_builder(
            EventPlan(ORIGIN, fields, ("event_id",)),
            Options(zone=UTC),
            lambda field, reason: self.notes.update([(field, str(reason))]),
            lambda: NOW,
            fast=fast,
        ).of_record

    def result(self, record: dict[str, Any]) -> Any:
        result = self.build(record, ACCOUNT)
        return result.body if isinstance(result, Event) else result


@settings(max_examples=examples(300))
@given(RECORDS, st.booleans())
def test_fast_path_is_the_plain_path(record: dict[str, Any], complete: bool):
    """Whatever a record holds, columns read directly and compiled give the bytes and the notes of plain converters, twice over."""
    fast, plain = Path(fast=True, direct=True), Path(fast=False, direct=False)
    given = {**NEEDED, **record} if complete else record
    for _ in range(2):  # the second time memos are full
        assert fast.result(given) == plain.result(given)
    assert fast.notes == plain.notes


@pytest.mark.parametrize("path", [field.path for field in FIELDS])
def test_fast_path_of_every_field(path: str):
    """Each field takes each of these texts the same way on both paths."""
    fast, plain = Path(fast=True, direct=True), Path(fast=False, direct=False)
    for text in TEXTS:
        assert fast.result({**NEEDED, path: text}) == plain.result({**NEEDED, path: text})
        assert fast.notes == plain.notes


# A value of each snippet's common case, given to the first field that uses it.
COMMON: dict[str, Any] = {
    "texts": ["a", "b"],
    "text": "a",
    "ip address": "192.0.2.7",
    "digest": "Customer 4711",
    "email": "Jane@Example.com",
    "maid": "6D92078A-8246-4BA4-AE5B-76104861E7DC",
    "id": "4711",
    "phone": "+1 (202) 555-0134",
    "postal code": "94110",
    "memo": "en",
    "amount": Decimal("19.99"),
    "integer": 3,
    "boolean": True,
    "choice": "web",
}


@pytest.mark.parametrize("snippet", FAST)
def test_every_snippet_is_used(snippet: str):
    """No snippet stands in the table that no field uses, and each settles its common case without the converter."""
    calls: list[Any] = []
    converters = Converters(
        Options(external_id_lower=snippet == "digest"), lambda *note: calls.append(note)
    )
    members = [converters.member(field, "column", None) for field in FIELDS]
    member = next(member for member in members if member.fast == snippet)
    into: dict[str, Any] = {}
    fill = compile_members([member._replace(convert=lambda *given: calls.append(given))])
    fill(into, {"column": COMMON[snippet]}, "us")
    assert member.leaf in into
    assert calls == []


JSON_SCALARS = st.one_of(
    st.sampled_from(TEXTS),
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.decimals(allow_nan=False, allow_infinity=False),
)
JSON_ITEM = st.dictionaries(
    st.sampled_from([*(field.leaf for field in ITEM_FIELDS), "other"]), JSON_SCALARS, max_size=5
)
JSON_VALUES = st.one_of(
    JSON_SCALARS, st.lists(JSON_SCALARS, max_size=3), st.lists(JSON_ITEM, max_size=3), JSON_ITEM
)
ENCODE = msgspec.json.Encoder(decimal_format="number").encode
KEYS = st.sampled_from(
    [
        (),
        ("event_id",),
        ("custom_data.order_id",),
        ("custom_data.order_id", "other"),
        ("event_id", "absent"),
    ]
)


@settings(max_examples=examples(300))
@given(
    st.dictionaries(st.sampled_from([*BY_PATH, "other"]), JSON_VALUES, max_size=25),
    st.booleans(),
    KEYS,
    st.sampled_from(["column", "expression", "nowhere"]),
)
def test_rows_are_records(
    record: dict[str, Any], complete: bool, key_properties: tuple[str, ...], id_comes_from: str
):
    """A line read into a row gives the event, the dead letter and the notes that its record gives."""
    given = {**NEEDED, **record} if complete else record
    line = ENCODE({"type": "RECORD", "stream": "s", "record": given})
    notes: list[Counter[tuple[str, str]]] = [Counter(), Counter()]
    fields = {
        path: FieldPlan(lambda record, path=path: record.get(path), path, frozenset((path,)))
        for path in BY_PATH
    }
    if id_comes_from == "nowhere":
        del fields["event_id"]
    elif id_comes_from == "expression":
        read = lambda record: (  # noqa: E731
            record.get("custom_data.order_id") or record.get("user_data.external_id")
        )
        fields["event_id"] = FieldPlan(
            read, None, frozenset(("custom_data.order_id", "user_data.external_id"))
        )
    plain, fast = (
        compile_builder(
            EventPlan(ORIGIN, fields, key_properties),
            Options(zone=UTC),
            lambda field, reason, notes=notes[number]: notes.update([(field, str(reason))]),
            lambda: NOW,
            fast=bool(number),
        )
        for number in (0, 1)
    )
    if fast.reads is None:
        assert id_comes_from == "nowhere"
        assert key_properties == ()
        return
    rows = compile_rows("s", [*BY_PATH, "other"], fast.reads)
    assert rows is not None
    of_row = fast.compile_rows(rows.attributes, record_of)
    from_record, from_row = (
        plain.of_record(record_of(line), ACCOUNT),
        of_row(ACCOUNT, rows.decode(line).record, line),
    )
    assert from_row == from_record
    assert notes[0] == notes[1]


def test_columns_are_no_source():
    """A column's name is a value in the function's namespace: it cannot become code."""
    column = '"]; raise SystemExit  # {x}'
    into: dict[str, Any] = {}
    compile_members([CompiledField("leaf", str, column)])(into, {column: 5}, None)
    assert into == {"leaf": "5"}


def test_memo_is_bounded():
    """However many texts come, a bounded number of short ones is remembered, and none that came to nothing."""
    memo = BoundedCache(lambda text: None if text == "nothing" else text)
    for number in range(MEMO_SIZE * 2 + 10):
        assert memo[str(number)] == str(number)
    assert len(memo) <= MEMO_SIZE
    assert memo["x" * 1000] == "x" * 1000
    assert memo["nothing"] is None
    assert not {"x" * 1000, "nothing"} & set(memo)


def test_integers_stay_within_64_bits():
    """A whole number beyond what Pinterest's int64 holds is left out, not a crash of the encoder."""
    path = Path(fast=True, direct=True)
    event = json.loads(
        path.result(
            {
                **NEEDED,
                "custom_data.num_items": 2**63,
                "custom_data.external_measurement_vendor_id": 2**63 - 1,
            }
        )
    )
    assert event["custom_data"] == {"external_measurement_vendor_id": 2**63 - 1}
    assert path.notes == {("custom_data.num_items", "out_of_range"): 1}
