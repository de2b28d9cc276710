"""The generated code of presets equals the interpreter: any record, any SCHEMA.

The records are those of the benchmarks' sources, with missing parts, parts of another kind or as
JSON text, and members unknown to preset and entry.
"""

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle import Oracle

from benchmarks import shops
from given import examples, settings_of
from target_pinterest_capi.events.build.shapes import Shape, usable_shapes
from target_pinterest_capi.events.event import Event, Origin
from target_pinterest_capi.events.reasons import Warned
from target_pinterest_capi.mapping.declared_shapes import declared_shapes
from target_pinterest_capi.mapping.entries import (
    Accounts,
    StreamSchema,
    compile_stream,
    conditions,
    event_plan,
    load_preset,
)
from target_pinterest_capi.mapping.field_plans import Levels
from target_pinterest_capi.reporting.bodies import examined
from target_pinterest_capi.settings import Settings
from target_pinterest_capi.singer.rows import compile_rows, record_of

SAMPLES = Path(shops.__file__).parent / "samples"
NOW = 1_795_000_000  # 2026-11-18T11:06:40Z
BEGAN_AT = datetime.fromtimestamp(NOW, UTC)
# What a tap may send in any place.
VALUES: tuple[Any, ...] = (
    None, "", " ", "N/A", "(not set)", "null", 0, 1, -1, 10**40, True, False, [], {}, [None], [{}],
    "x", "a@example.com", " B@Example.com ", "a@example.com, b@example.com", "not an address",
    '["a@example.com", "c@example.com"]', "[no json", "{no json", "+1 212 555 0123", "030 1234567",
    "12.50", "1e3", Decimal("12.50"), Decimal("0.0"), "2026-11-18T08:00:00Z", 1_794_990_000, "10115",
    "US", "Germany", "purchase", "Order Completed", "pos", "ios", "false", "f" * 64, "0" * 32,
    ["a@example.com", 7, None], [["nested"]], [{"id": 1}, "text", None], {"other": {"deep": 1}},
    '{"city": "Bern", "zip": "3011"}', '[{"product_id": 5, "price": "1.5", "quantity": "2"}]',
    "https://shop.example.com/?epik=abc",
)  # fmt: skip


def sample_of(name: str) -> dict[str, Any]:
    """Return a source's sample."""
    text = (SAMPLES / f"{name}.json").read_bytes()
    sample: dict[str, Any] = msgspec.json.Decoder(float_hook=Decimal).decode(text)
    return sample


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every member and element within a value."""
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    for key, part in parts:
        yield (*path, key)
        yield from places(part, (*path, key))


MISSING = object()
AS_TEXT = object()
CHANGES = st.sampled_from([MISSING, MISSING, AS_TEXT, *VALUES])


def changed(record: dict[str, Any], changes: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    """Return the record with other values in some places."""
    record = copy.deepcopy(record)
    for (*above, last), value in changes:
        parent: Any = record
        try:
            for key in above:
                parent = parent[key]
            if value is MISSING:
                del parent[last]
            else:
                text = json.dumps(parent[last], default=str)
                parent[last] = text if value is AS_TEXT else copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            pass  # an earlier change took the place away
    return record


class Notes(Counter[tuple[str, str]]):
    """The notes, except those that only many events cause."""

    def note(self, field: str, reason: str) -> None:
        """Count a note."""
        if reason != Warned.REPEATED_IDENTIFIER:
            self[field, str(reason)] += 1


def outcome(result: Any) -> Any:
    """Return the parts of a result that are compared, with what a report counts of it."""
    if not isinstance(result, Event):
        return result
    counted = examined(result)
    assert counted.traits is not None
    has = counted.traits.action_source, counted.traits.currency, counted.traits.components
    return json.loads(result.body), has, counted.value


def interpreted(configured: Settings, record: dict[str, Any], stream: StreamSchema) -> Any:
    """Return the result and notes of the interpreter, which knows no SCHEMA."""
    (entry,) = configured.mappings or ()
    preset = load_preset(entry, stream)
    notes = Notes()
    levels = Levels(entry, preset, configured, stream.name, BEGAN_AT)
    origin = Origin(stream.name, entry.preset or "mappings[0]")
    unknown = StreamSchema(stream.name, frozenset(), stream.key_properties)
    plan = event_plan(levels, conditions(entry, preset), origin, unknown, notes.note)
    oracle = Oracle(plan, configured.options, notes.note, lambda: NOW)
    return outcome(oracle.build(Accounts(configured).get(), record)), notes


def compiled(
    configured: Settings,
    record: dict[str, Any],
    stream: StreamSchema,
    declared: Mapping[str, Shape] = MappingProxyType({}),
) -> Any:
    """Return the results and notes of the code generated for a stream, for records and rows.

    A record whose values are of other shapes than declared is no row.
    """
    notes = Notes()
    (entry,) = compile_stream(
        configured,
        stream,
        Accounts(configured),
        lambda _, field, reason: notes.note(field, reason),
        now=lambda: NOW,
        began_at=BEGAN_AT,
    )
    of_record = outcome(entry.map_record(record)), Notes(notes)
    if entry.rows is None:
        return of_record, of_record
    shapes = usable_shapes(declared, [entry.rows.reads])
    rows = compile_rows(stream.name, stream.columns, shapes)
    if rows is None:
        return of_record, of_record
    notes.clear()
    message = {"type": "RECORD", "stream": stream.name, "record": record}
    line = msgspec.json.Encoder(decimal_format="number").encode(message)
    map_row = entry.rows.compile(rows.columns, record_of)
    try:
        row = rows.decode(line).record
    except msgspec.ValidationError:
        assert declared
        return of_record, of_record
    return of_record, (outcome(map_row(row, line)), notes)


@pytest.mark.parametrize("name", shops.SHOPS)
def test_any_record_of_a_source_is_mapped_as_the_interpreter_does(name: str):
    """Records and rows, with a trusted SCHEMA or without, have the same result."""
    sample = sample_of(name)
    every = list(places(sample))
    configured = settings_of(
        mappings=[shops.mapping(name)],
        max_event_age_days="never",
        default_country="DE",
        report_path="report.json",
    )

    @settings(max_examples=examples(60))
    @given(st.lists(st.tuples(st.sampled_from(every), CHANGES), max_size=6), st.booleans())
    def holds(changes: list[tuple[tuple[Any, ...], Any]], is_complete: bool) -> None:
        record = changed(sample, changes)
        columns = frozenset({*record, "another column"})
        stream = StreamSchema(name, columns, is_complete=is_complete)
        wanted = interpreted(configured, record, stream)
        assert compiled(configured, record, stream) == (wanted, wanted)

    holds()


def of_its_kind(value: Any) -> list[Any]:
    """Return other values that a SCHEMA made from the value allows."""
    if isinstance(value, dict):
        return [MISSING, None, {}, dict.fromkeys(value)]
    if isinstance(value, list):
        return [MISSING, None, [], [None], [{}], [*value, None, *value]]
    kinds = (str,) if isinstance(value, str) else (int, Decimal)
    return [MISSING, None, *(one for one in VALUES if type(one) in kinds)]


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """Return what is at a path within a value."""
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize("name", shops.SHOPS)
def test_records_of_the_declared_shape_are_mapped_as_the_interpreter_does(name: str):
    """Where a SCHEMA is right, objects are read into structs, and the result is the same."""
    sample = sample_of(name)
    changes = [(path, new) for path in places(sample) for new in of_its_kind(at(sample, path))]
    configured = settings_of(
        mappings=[shops.mapping(name)], max_event_age_days="never", default_country="DE"
    )
    properties = {column: shops.schema_of(value) for column, value in sample.items()}
    declared = declared_shapes({"properties": properties})
    stream = StreamSchema(name, frozenset(sample), is_complete=True)

    @settings(max_examples=examples(60))
    @given(st.lists(st.sampled_from(changes), max_size=6))
    def holds(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
        record = changed(sample, changes)
        wanted = interpreted(configured, record, stream)
        assert compiled(configured, record, stream, declared) == (wanted, wanted)

    holds()


LINES_DECLARED = {
    "type": "array",
    "items": {
        "type": ["null", "object"],
        "properties": {
            "sku": {"type": ["null", "string"]},
            "price": {"type": ["null", "number"]},
            "count": {"type": "integer"},
            "title": {"type": "string"},
            "more": {},
        },
    },
}
LINES = st.none() | st.lists(
    st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "sku": st.sampled_from([None, "", " a ", "[1]", "N/A", "b", "c", "b"]),
            "price": st.sampled_from([None, 0, 7, -1, Decimal("1.50"), Decimal("1e3"), 10**12]),
            "count": st.sampled_from([0, 1, 2, -3, 10**19]),
            "title": st.sampled_from(["Vase", "", "null"]),
            "more": st.sampled_from([None, "x", 5, "[1, 2]", {"a": 1}, [1]]),
            "undeclared": st.just(1),
        },
    ),
    max_size=4,
)
OF_LINES = {
    "event_id": ("id",),
    "user_data.em": ("email", "lines[].sku"),
    "custom_data.content_ids": ("lines[].sku", "ids"),
    "custom_data.content_name": ("lines[].title | [0]", "id"),
    "custom_data.num_items": ("sum(lines[].count)", "id"),
    "custom_data.value": ("sum(lines[].price)",),
    "custom_data.contents": (
        "lines[].{id: sku, item_price: price, quantity: count, item_name: title || sku}",
        "others",
    ),
    "custom_data.predicted_ltv": ("lines[?!price].count | [0]",),
    "custom_data.order_id": ("id || lines[].more | [0]",),
}


@settings(max_examples=examples(300))
@given(
    LINES,
    st.sampled_from([None, "a@example.com", " B@Example.com", "x"]),
    st.sampled_from([None, "7", 7, ["7"]]),
    st.sets(st.sampled_from([path for path in OF_LINES if path != "event_id"]), min_size=1),
    st.booleans(),
)
@example([{"title": "null"}], "a@example.com", "7", {"custom_data.contents", "user_data.em"}, False)
def test_expressions_read_declared_objects_as_the_interpreter_does(
    lines: Any, email: Any, key: Any, paths: set[str], all_expressions: bool
):
    """Members of a list's objects are the same, read from dictionaries or from structs."""
    fields = {
        path: list(OF_LINES[path] if all_expressions else OF_LINES[path][:1])
        for path in sorted({*paths, "event_id"})
    }
    needed = {"event_name": "name", "event_time": "at", "action_source": "source"}
    mapping = {"stream": "orders", "fields": {**needed, "user_data.country": "country", **fields}}
    configured = settings_of(
        mappings=[mapping], max_event_age_days="never", report_path="report.json"
    )
    record = {
        "name": "checkout",
        "at": "2026-11-18T08:00:00Z",
        "source": "web",
        "country": "US",
        "id": key,
        "email": email,
        "lines": lines,
        "ids": ["z"],
        "others": [{"id": "z"}],
    }
    stream = StreamSchema("orders", frozenset(record), key_properties=("id",))
    declared = declared_shapes({"properties": {"lines": LINES_DECLARED}})
    wanted = interpreted(configured, record, stream)
    assert compiled(configured, record, stream, declared) == (wanted, wanted)


def members(**declared: Any) -> dict[str, Any]:
    """Return the SCHEMA of an object with these members."""
    return {"type": ["null", "object"], "properties": declared}


TEXT = {"type": ["null", "string"]}
NUMBER = {"type": ["null", "number"]}
PLACE_DECLARED = members(city=TEXT, zip=TEXT)
ORDER_DECLARED = members(
    person=members(email=TEXT, phone=TEXT, home=PLACE_DECLARED, work=PLACE_DECLARED, more={}),
    total=NUMBER,
    fee=NUMBER,
    lines={"type": ["null", "array"], "items": members(sku=TEXT, unit=members(amount=NUMBER))},
    items={"type": ["null", "array"], "items": members(id=TEXT, item_price=NUMBER)},
)
TEXTS = st.sampled_from([None, "", " a ", "[1]", "N/A", "Bern", "3011", "a@example.com", '{"x":1}'])
NUMBERS = st.sampled_from([None, 0, 7, -1, Decimal("1.50"), Decimal("1e3"), 10**12])
OPEN = st.sampled_from([None, "x", 5, [], {}, {"deep": "d"}, '{"deep": "e"}', [{"deep": 1}]])


def some(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return null, or an object that may lack any of its members."""
    return st.none() | st.fixed_dictionaries({}, optional=values)


PLACES = some(city=TEXTS, zip=TEXTS)
ORDERS = some(
    person=some(email=TEXTS, phone=TEXTS, home=PLACES, work=PLACES, more=OPEN),
    total=NUMBERS,
    fee=NUMBERS,
    lines=st.none() | st.lists(some(sku=TEXTS, unit=some(amount=NUMBERS)), max_size=3),
    items=st.none() | st.lists(some(id=TEXTS, item_price=NUMBERS), max_size=3),
)
UNIT = ("order.lines[0].unit && 'unit'",)
OF_ORDERS = {
    "user_data.em": [
        ("order.person.email",),
        ("order.person.email", "email", "order.person.undeclared"),
        ("order.lines[].sku", "email"),
        ("order.undeclared || email",),
    ],
    "user_data.ph": [("order.person.phone || order.person.undeclared", "order.person.more")],
    "user_data.ct": [
        ("order.person.home.city", "order.person.work.city"),
        ("(order.person.home || order.person.work).city",),
        ("(order.person.undeclared || order.person.home || order.person.work).city",),
        ("(order.person.home || order.person.more).city", "email"),
        ("order.person.home && order.person.home.city || `null`",),
        ("order.person.home.city.deep", "order.person.more.deep"),
    ],
    "user_data.zp": [
        ("order.person.home.{z: zip, other: undeclared}.z",),
        ("!order.person.home && order.person.work.zip",),
        ("!order.person.home.zip && order.person.work.zip || `null`",),
        ("(order.person.home || order.person.undeclared).zip || trim(order.person.work.zip)",),
        ("order.person | home.zip",),
        ("order.person.home.[zip, city] && '3011'",),
    ],
    "user_data.country": [("order.person.undeclared", "country")],
    "user_data.st": [
        ("order.person.home.city != 'N/A' && order.person.home.city || `null`",),
        ("order.person.home.city == 'Bern' && order.total || upper(order.person.home.city)",),
        ("order.total || order.fee || lower(trim(order.person.email))", "upper(order.total)"),
        ("contains(`[\"Bern\", \"3011\"]`, order.person.home.city) && 'BE' || 'ZH'",),
        ("order.total > `0` && 'BE' || !(order.fee <= `7`) && 'ZH' || `null`",),
        ("order.total == `7` && order.person.home.city", "order.fee != `0` && 'ZH' || 'BE'"),
        ("!order.fee && 'BE' || regex_extract(order.person.home.city, '^B(.*)')",),
    ],
    "custom_data.search_string": [
        ("order.items[?id == 'Bern'] | [0] | id || item_price",),
        ("order.person.more[?deep == `1`] | [0] | deep", "order.person.more | deep || other"),
        ("facts[?key == 'a'].value | [0] | text || number || other",),
        ("facts[?key == 'a'].value.text | [0]", "facts[?key == 'b'].value | [0] | text || number"),
        ("facts[?key == 'a'] | [0].value.number", "facts[?key == 'a'] | [1] | key || value"),
        ("facts[?key == 'b'] | length(@)",),
        ("order.person.email | concat(@, '-', '1')", "concat(order.person.email, order.total)"),
        ("trim(order.person.phone) | concat('', @)", "to_string(order.total) | concat(@, 'x')"),
    ],
    "custom_data.value": [
        ("order.total",),
        ("order.total", "order.fee"),
        ("order.lines[0].unit.amount", "order.total"),
        ("items_value(order.items, 'item_price', 'undeclared')",),
        ("items_value([order], 'total', 'fee')",),
    ],
    "custom_data.np": [("order.lines[-1].sku", "order.lines[1].sku"), ("keys(order.person)[0]",)],
    "custom_data.order_id": [
        ("order.person.more.deep",),
        ("order.lines && 'lines'", "order.person && 'person'"),
        ("order.lines[0] && 'line'",),
        UNIT,
        ("order.items[?id == 'Bern'].id | [0]", "type(order)"),
        ("order.person.{a: 'literal'}.a",),
    ],
    "custom_data.content_ids": [("order.lines[].undeclared",), ("order.lines[].sku", "ids")],
    "custom_data.contents": [
        ("order.items",),
        ("order.items", "others"),
        ("order.lines[].{id: sku, item_price: unit.amount, item_name: unit.undeclared || sku}",),
        ("order.lines[].{id: undeclared}", "order.items[].{id: id, item_price: item_price}"),
        ("(order.undeclared || order.lines)[].{id: sku, quantity: unit.amount}",),
        ("order.lines[?!unit.amount].{id: sku, item_name: unit.undeclared || sku}",),
        ("order.lines[?unit].{id: sku}", "others"),
        ("order.items[?id != 'N/A' && item_price > `0`].{id: id, item_price: item_price}",),
        ("order.items[?!undeclared].{id: id}", "order.items[?undeclared].{id: id}"),
        ("order.person.more[?deep].{id: deep}", "others[?id == 'z'].{id: id}"),
    ],
}
FACTS = st.sampled_from(
    [None, "x", "[]", [], {}, '[{"key": "a", "value": {"text": "t"}}]']
) | st.lists(
    st.sampled_from([None, 5, "a", '{"key": "b", "value": {"number": 1}}'])
    | st.fixed_dictionaries(
        {},
        optional={
            "key": st.sampled_from(["a", "b", None, 1]),
            "value": some(text=TEXTS, number=NUMBERS) | st.sampled_from(["x", '{"text": "y"}', 5]),
        },
    ),
    max_size=3,
)
OF_ONE_ORDER = st.fixed_dictionaries(
    {}, optional={path: st.sampled_from(given) for path, given in OF_ORDERS.items()}
)


@settings(max_examples=examples(600))
@given(ORDERS, TEXTS, FACTS, OF_ONE_ORDER)
@example({"lines": [{"unit": {}}]}, None, None, {"custom_data.order_id": UNIT})
def test_expressions_read_declared_members_as_the_interpreter_does(
    order: Any, email: Any, facts: Any, fields: dict[str, tuple[str, ...]]
):
    """Members of objects in objects are the same, read from dictionaries or from structs."""
    needed = {
        "event_name": "name",
        "event_time": "at",
        "action_source": "source",
        "event_id": "id",
        "user_data.client_ip_address": "ip",
        "user_data.client_user_agent": "agent",
    }
    given = {path: list(expressions) for path, expressions in fields.items()}
    mapping = {"stream": "orders", "fields": {**needed, **given}}
    configured = settings_of(mappings=[mapping], max_event_age_days="never")
    record = {
        "name": "checkout",
        "at": "2026-11-18T08:00:00Z",
        "source": "web",
        "country": "US",
        "id": "7",
        "ip": "8.8.8.8",
        "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "email": email,
        "order": order,
        "facts": facts,
        "ids": ["z"],
        "others": [{"id": "z"}],
    }
    stream = StreamSchema("orders", frozenset(record), key_properties=("id",), is_complete=True)
    declared = declared_shapes({"properties": {"order": ORDER_DECLARED, "email": TEXT}})
    wanted = interpreted(configured, record, stream)
    assert compiled(configured, record, stream, declared) == (wanted, wanted)
