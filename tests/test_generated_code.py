"""The generated function as code: its tracebacks, its names, and its page."""

import gc
import json
import linecache
import re
import traceback
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from shopper import ACCOUNT
from target_pinterest_capi.events.build.builder import Builder, compile_builder
from target_pinterest_capi.events.build.columns import RecordColumns, RowColumns
from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.build.plan import EventPlan, FieldPlan
from target_pinterest_capi.events.build.shapes import RowColumn
from target_pinterest_capi.events.event import Event, Origin
from target_pinterest_capi.events.fields import BY_PATH, FIELDS

PAGE = Path(__file__).parent.parent / "docs" / "generated-code.md"
AT = 1_790_000_000
ORIGIN = Origin("orders", "shop")
EXAMPLE = {
    "event_name": "type",
    "event_time": "created_at",
    "event_id": "id",
    "user_data.em": "email",
    "user_data.ph": "phone",
    "custom_data.value": "total",
}


def column(name: str) -> FieldPlan:
    """Return the plan of a field that is one column."""
    return FieldPlan(lambda record: record.get(name), name)


def build(fields: dict[str, FieldPlan], **plan: Any) -> Builder:
    """Return the builder of some fields."""
    return compile_builder(
        EventPlan(ORIGIN, fields, **plan), Options(), lambda *_: None, lambda: AT
    )


def example() -> Builder:
    """Return the builder of the page's example."""
    fields = {path: column(name) for path, name in EXAMPLE.items()}
    fields["action_source"] = FieldPlan(lambda _: "web", reads={})
    return build(fields, key_properties=("id",))


def source_of(function: Any) -> str:
    """Return the registered source of a function."""
    return "".join(linecache.getlines(function.__code__.co_filename))


def test_traceback_shows_the_generated_line():
    """An exception in the function shows its line, and the function's stream and entry."""

    def fail(_: Any) -> Any:
        raise ZeroDivisionError

    fields = {**{path: column(name) for path, name in EXAMPLE.items()}}
    fields["action_source"] = FieldPlan(fail)
    with pytest.raises(ZeroDivisionError) as caught:
        build(fields).of_record(ACCOUNT, {"type": "checkout"})
    shown = "".join(traceback.format_exception(caught.value))
    assert "<builder of 'orders', entry 'shop', from records, generated " in shown
    assert "    raw_source = read_action_source(record)\n" in shown


def test_registered_source_goes_with_its_function():
    """A stream whose schema changes often leaves no sources behind."""
    builder = example()
    filename = builder.of_record.__code__.co_filename  # type: ignore[attr-defined]
    assert filename in linecache.cache
    del builder
    gc.collect()
    assert filename not in linecache.cache


COLUMNS = {field.path: RowColumn(f"column_{number}") for number, field in enumerate(FIELDS)}
EVERY_FIELD = {path: column(path) for path in BY_PATH}


def of_records(builder: Builder) -> FunctionType:
    """Return the function of records."""
    assert isinstance(builder.of_record, FunctionType)
    return builder.of_record


def of_rows(builder: Builder) -> FunctionType:
    """Return the function of rows."""
    function = builder.compile_rows(COLUMNS, lambda _: {})
    assert isinstance(function, FunctionType)
    return function


@pytest.mark.parametrize("function_of", [of_records, of_rows])
def test_bound_values_are_named_for_their_field(function_of: Callable[[Builder], FunctionType]):
    """A converter has its field's path in its name, and no variable hides a value."""
    function = function_of(build(EVERY_FIELD, key_properties=("event_id", "custom_data.order_id")))
    bound = function.__globals__.keys() - {"__builtins__"}
    converted = {f"convert_{path.replace('.', '_')}" for path in BY_PATH}
    required = {f"convert_{field.path}" for field in FIELDS if field.required}
    assert converted - required - {"convert_custom_data_contents"} <= bound
    assert bound.isdisjoint(function.__code__.co_varnames)
    assert set(function.__code__.co_names) & bound == bound - {"build"}


@pytest.mark.parametrize(
    ("constant", "line"),
    [
        ("shop", '    event["partner_name"] = constant_partner_name'),
        (" shop ", '    event["partner_name"] = constant_partner_name'),
        ("null", "    value = constant_partner_name"),
        ("a\tb", "    value = constant_partner_name"),
        (7, "    value = constant_partner_name"),
    ],
)
def test_plain_constant_is_looked_at_once(constant: str | int, line: str):
    """A plain text is what every event has; any other constant is converted for each event."""
    fields = {path: column(path) for path in ("event_name", "event_id", "user_data.em")}
    fields["partner_name"] = FieldPlan(lambda _: constant, reads={}, constant=constant)
    function = of_records(build(fields))
    assert line in source_of(function).splitlines()
    assert function.__globals__["constant_partner_name"] == (
        constant.strip() if isinstance(constant, str) else constant
    )


ITEMS = {
    "event_name": "type",
    "event_time": "at",
    "event_id": "id",
    "action_source": "source",
    "user_data.em": "email",
    "custom_data.contents": "items",
}


@pytest.mark.parametrize(
    ("more", "is_counted"),
    [
        ({}, True),
        ({"custom_data.content_ids": "ids"}, False),
        ({"custom_data.num_items": "number"}, False),
    ],
)
@pytest.mark.parametrize(
    ("items", "ids", "number"),
    [
        ([{"id": "a"}], ["a"], 1),
        ([{"id": "a", "quantity": 2}, {"id": "b"}, {"id": "a", "quantity": 0}], ["a", "b"], 3),
        ([{"item_name": "vase", "quantity": 4}], None, 4),
        ('[{"id": "a"}, {"item_name": "vase"}]', ["a"], 2),
        ([{"id": None}], None, None),
        ([None, {"id": "a"}], ["a"], 1),
    ],
)
def test_what_is_derived_from_items(
    more: dict[str, str], is_counted: bool, items: Any, ids: list[str] | None, number: int | None
):
    """Ids and number are counted while items are read if both are derived, and are the same."""
    builder = build({path: column(name) for path, name in {**ITEMS, **more}.items()})
    function = of_records(builder)
    assert ("num_items += 1" in source_of(function)) is is_counted
    record = {"type": "checkout", "at": AT, "id": "order-1", "source": "web"}
    made = function(ACCOUNT, {**record, "email": "shopper@example.com", "items": items})
    assert isinstance(made, Event)
    custom = json.loads(made.body).get("custom_data", {})
    assert (custom.get("content_ids"), custom.get("num_items")) == (ids, number)


def test_function_and_its_rows_differ_in_reading_alone():
    """Rows are read by attribute, records with `get`: all lines about values are the same."""
    builder = build({path: column(path) for path in ("event_name", "event_id", "user_data.em")})
    lines = [
        re.sub(r"row\.column_\d+|get_record\(\w+\)", "READ", source_of(function)).splitlines()
        for function in (of_records(builder), of_rows(builder))
    ]
    assert set(lines[0]) ^ set(lines[1]) == {
        f"def build({RecordColumns.parameters}):",
        f"def build({RowColumns.parameters}):",
        "    get_record = record.get",
        "        name = rules.event_name(raw_name, record)",
        "        name = rules.event_name(raw_name, {})",
        "        source = rules.action_source(raw_source, record)",
        "        source = rules.action_source(raw_source, {})",
        "        whole = record",
        "        whole = as_record(line)",
        "        seconds = rules.event_time(raw_time, now, record, (account, name, event_id))",
        "        seconds = rules.event_time(raw_time, now, {}, (account, name, event_id))",
        "        return rules.unidentified(record)",
        "        return rules.unidentified({})",
    }


def test_page_shows_what_is_generated():
    """The example in docs/generated-code.md is the source that is registered for its mapping."""
    shown = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    made = source_of(example().of_record)
    assert shown == [made], f"The example on docs/generated-code.md is to be:\n{made}"


def test_example_makes_an_event():
    """The page's example is a mapping that makes events."""
    record = {
        "type": "checkout",
        "created_at": AT,
        "id": "o-1",
        "email": "shopper@example.com",
        "total": Decimal("19.99"),
    }
    assert isinstance(example().of_record(ACCOUNT, record), Event)
