"""What a SCHEMA declares of columns decides how rows are read, and never what an event is."""

from typing import Any

import pytest

from given import record, schema
from shopper import visit
from target_pinterest_capi.events.build.shapes import (
    ANY,
    ANY_USE,
    EACH,
    TEST,
    UNREAD,
    Kind,
    Shape,
    Uses,
    usable_shapes,
)
from target_pinterest_capi.events.fields import FieldKind
from target_pinterest_capi.mapping.declared_shapes import declared_shapes
from target_pinterest_capi.pipeline.stream import MOST_MISFITS

TEXT = Shape(Kind.TEXT)
TEXTS = Shape(Kind.TEXTS)
NUMBER = Shape(Kind.NUMBER)
ITEM = {"type": "object", "properties": {"id": {"type": "string"}}}
ITEMS = Shape(Kind.OBJECTS, {"id": TEXT})
PRICED = Shape(Kind.OBJECTS, {"item_price": NUMBER, "quantity": NUMBER})
UNREAD_ITEMS = Shape(Kind.OBJECTS, {"item_price": UNREAD, "quantity": UNREAD})
HOME = Shape(Kind.OBJECT, {"city": TEXT})
PERSON = Shape(Kind.OBJECT, {"email": TEXT, "home": HOME})
NOTHING = {"email": UNREAD, "home": UNREAD}
AMOUNT = Uses(frozenset((FieldKind.AMOUNT,)))
OF_ITEMS = Uses(frozenset((FieldKind.ITEMS,)))


def of_members(**uses: Uses) -> Uses:
    """Return the use of some members of an object, and of no more."""
    return Uses(members=uses)


def of_each(**uses: Uses) -> Uses:
    """Return the use of some members of the objects in a list, and of no more."""
    return Uses(members={EACH: of_members(**uses)})


@pytest.mark.parametrize(
    ("declared", "shape"),
    [
        ({"type": "string"}, TEXT),
        ({"type": ["null", "string"]}, TEXT),
        ({"type": ["string", "null"], "format": "date-time"}, TEXT),
        ({"type": ["string", "number"]}, ANY),
        ({"type": "number"}, NUMBER),
        ({"type": ["null", "integer"]}, NUMBER),
        ({"type": ["integer", "number", "null"]}, NUMBER),
        ({"type": ["null", "array"], "items": ITEM}, ITEMS),
        ({"type": "array", "items": {**ITEM, "type": ["null", "object"]}}, ITEMS),
        ({"type": "array", "items": {"type": "object"}}, ANY),
        ({"type": "array", "items": [ITEM]}, ANY),
        ({"type": "array"}, ANY),
        ({"type": ["null", "array"], "items": {"type": "string"}}, TEXTS),
        ({"type": "array", "items": {"type": ["string"]}}, TEXTS),
        ({"type": "array", "items": {"type": ["null", "string"]}}, ANY),
        ({"type": "array", "items": {"type": "number"}}, ANY),
        (ITEM, Shape(Kind.OBJECT, {"id": TEXT})),
        ({**ITEM, "type": ["object", "null"]}, Shape(Kind.OBJECT, {"id": TEXT})),
        ({**ITEM, "type": ["object", "string"]}, ANY),
        ({"type": "object"}, ANY),
        (
            {
                "type": "object",
                "properties": {"item": ITEM, "items": {"type": "array", "items": ITEM}},
            },
            Shape(Kind.OBJECT, {"item": Shape(Kind.OBJECT, {"id": TEXT}), "items": ITEMS}),
        ),
        ({"type": "boolean"}, ANY),
        ({"type": "null"}, ANY),
        ({"type": [["string"]]}, ANY),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, ANY),
        ({"type": "string", "$ref": "#/x"}, ANY),
        ({}, ANY),
        (True, ANY),
        (None, ANY),
    ],
)
def test_only_one_plain_type_counts(declared: Any, shape: Shape):
    """One type beside null is a shape; whatever else a schema says may come to any value."""
    assert declared_shapes({"properties": {"column": declared}}) == {"column": shape}


@pytest.mark.parametrize("odd", [None, True, {}, {"properties": None}, {"properties": ["a"]}])
def test_schema_without_properties_declares_nothing(odd: Any):
    """A stream whose columns nobody declares has no shapes."""
    assert declared_shapes(odd) == {}


@pytest.mark.parametrize(
    ("declared", "uses", "shape"),
    [
        (TEXT, [AMOUNT, ANY_USE], TEXT),
        (TEXTS, [of_each(id=ANY_USE), ANY_USE], TEXTS),
        (NUMBER, [AMOUNT], NUMBER),
        (NUMBER, [AMOUNT, ANY_USE], ANY),
        (NUMBER, [AMOUNT, of_each(id=ANY_USE)], ANY),
        (NUMBER, [AMOUNT, of_members(id=ANY_USE)], ANY),
        (NUMBER, [AMOUNT, TEST], ANY),
        (NUMBER, [Uses(frozenset((FieldKind.INTEGER,)))], ANY),
        (ITEMS, [OF_ITEMS], ITEMS),
        (ITEMS, [OF_ITEMS, ANY_USE], ANY),
        (ITEMS, [of_each(id=ANY_USE), ANY_USE], ANY),
        (ITEMS, [of_each(id=ANY_USE), Uses(members={EACH: ANY_USE})], ANY),
        (ITEMS, [of_each(id=ANY_USE), Uses(members={EACH: TEST})], ANY),
        (ITEMS, [of_each(id=ANY_USE), TEST, of_members(id=ANY_USE)], ITEMS),
        (Shape(Kind.OBJECTS, {"sku": TEXT}), [OF_ITEMS], ANY),
        (PRICED, [OF_ITEMS], Shape(Kind.OBJECTS, {"item_price": NUMBER, "quantity": ANY})),
        (
            PRICED,
            [OF_ITEMS, of_each(item_price=ANY_USE)],
            Shape(Kind.OBJECTS, {"item_price": ANY, "quantity": ANY}),
        ),
        (
            PRICED,
            [of_each(item_price=AMOUNT)],
            Shape(Kind.OBJECTS, {"item_price": NUMBER, "quantity": UNREAD}),
        ),
        (PRICED, [of_each(sku=ANY_USE)], UNREAD_ITEMS),
        (PERSON, [of_members(email=ANY_USE)], Shape(Kind.OBJECT, {**NOTHING, "email": TEXT})),
        (PERSON, [of_members(email=ANY_USE), ANY_USE], ANY),
        (PERSON, [OF_ITEMS], ANY),
        (PERSON, [of_members(phone=ANY_USE), of_each(email=ANY_USE)], Shape(Kind.OBJECT, NOTHING)),
        (
            PERSON,
            [of_members(home=of_members(city=ANY_USE)), TEST],
            Shape(Kind.OBJECT, {**NOTHING, "home": HOME}, is_tested=True),
        ),
        (
            PERSON,
            [of_members(home=of_members(city=ANY_USE)), of_members(home=ANY_USE)],
            Shape(Kind.OBJECT, {**NOTHING, "home": ANY}),
        ),
    ],
)
def test_shape_is_used_where_every_use_takes_it(declared: Shape, uses: list[Uses], shape: Shape):
    """A column is of its declared shape, unless some use of it or of a member takes more."""
    reads = [{"column": use} for use in uses]
    assert usable_shapes({"column": declared}, reads) == {"column": shape}


DECLARED = {
    "value": {"type": "number"},
    "currency": {"type": ["null", "string"]},
    "contents": {
        "type": ["null", "array"],
        "items": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "item_price": {"type": "number"},
                "quantity": {"type": "integer"},
            },
        },
    },
}
VALUES: tuple[dict[str, Any], ...] = (
    {"value": 12.50, "contents": [{"id": "a", "item_price": 6.25, "quantity": 2}]},
    {"value": "12.50", "contents": [{"id": 7, "item_price": "6.25"}]},
    {"value": -1, "contents": [None, {"id": "a"}, {}]},
    {"value": 1e3, "contents": []},
    {"value": None, "contents": None},
    {"value": [5], "contents": '[{"id": "a", "item_price": 0.5}]'},
    {"value": 12345678901.25, "contents": {"id": "a", "item_name": "Vase"}},
    {"contents": [{"id": "a", "item_category": "vases", "item_price": 1}]},
    {"value": True, "currency": 5},
)


def test_values_of_any_shape_make_the_same_events(run_target, sandbox):
    """Whether a SCHEMA tells the truth, lies or says nothing: the events are the same."""
    lines = []
    visits = [
        visit(number) | {"currency": "EUR"} | values for number, values in enumerate(VALUES * 3)
    ]
    for properties in (DECLARED, {column: {} for column in DECLARED}):
        lines.append(schema("visits", *visit(), key_properties=("event_id",), **properties))
        lines += [record("visits", **columns) for columns in visits]
    ran = run_target(lines)
    assert ran.outcomes == {"delivered": 2 * len(VALUES) * 3}
    events = [row.event for row in sandbox.store.events()]
    assert events[: len(events) // 2] == events[len(events) // 2 :]


def test_schema_that_is_often_wrong_is_taken_at_its_word_no_longer(run_target, sandbox):
    """Where many values are of another shape than declared, all of them still arrive."""
    number_of_records = MOST_MISFITS * 3
    lines = [schema("visits", *visit(), key_properties=("event_id",), value={"type": "string"})]
    lines += [
        record("visits", **visit(number), currency="EUR", value=number + 1)
        for number in range(number_of_records)
    ]
    assert run_target(lines).outcomes == {"delivered": number_of_records}
    values = [row.event["custom_data"]["value"] for row in sandbox.store.events()]
    assert values == [str(number + 1) for number in range(number_of_records)]


def test_members_that_nobody_declared_cost_no_more_than_the_shapes_of_objects(run_target, sandbox):
    """Where many objects have other members than declared, all of them still arrive as they are."""
    number_of_records = MOST_MISFITS * 3
    person = {"type": "object", "properties": {"email": {"type": "string"}}}
    lines = [schema("orders", *visit(), key_properties=("event_id",), person=person)]
    for number in range(number_of_records):
        member = {"phone": "+1 212 555 0123"} if number % 2 else {}
        person = {"email": f"person-{number}@example.com", **member}
        lines.append(record("orders", **visit(number), person=person))
    fields = {column: column for column in visit() if column != "em"}
    fields |= {"user_data.em": "person.email", "user_data.ph": "person.phone"}
    ran = run_target(lines, mappings=[{"stream": "orders", "fields": fields}])
    assert ran.outcomes == {"delivered": number_of_records}
    customers = [row.event["user_data"] for row in sandbox.store.events()]
    assert len({one["em"][0] for one in customers}) == number_of_records
    assert sum("ph" in one for one in customers) == number_of_records // 2
