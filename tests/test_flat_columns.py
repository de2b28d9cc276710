"""Preset `pinterest`.

Columns named like Pinterest's fields, nested or flat, are read.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from given import settings_of
from shopper import digest, visit
from target_pinterest_capi.events.event import Event
from target_pinterest_capi.events.fields import FIELDS
from target_pinterest_capi.expressions.compiler import compile_expression
from target_pinterest_capi.mapping.entries import Accounts, StreamSchema, compile_stream
from target_pinterest_capi.mapping.flat_columns import (
    SameField,
    base_columns,
    entry_fields,
    names_a_field,
    same_fields,
)


def event_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return the event that a record becomes without mappings."""
    settings = settings_of()
    (entry,) = compile_stream(
        settings,
        StreamSchema("s", frozenset(record)),
        Accounts(settings),
        lambda *_: None,
        began_at=datetime.now(UTC),
    )
    result = entry.map_record(record)
    assert isinstance(result, Event), result
    return json.loads(result.body)


def nest(path: str, value: Any) -> dict[str, Any]:
    parent, _, leaf = path.rpartition(".")
    return {parent: {leaf: value}} if parent else {leaf: value}


@pytest.mark.parametrize("path", [field.path for field in FIELDS])
def test_every_field_is_read_from_its_nested_column(path: str):
    """A column that is the field's object, or the field itself, is read."""
    expressions = entry_fields(nest(path, 1))[path]
    assert [compile_expression(one)(nest(path, 1)) for one in expressions] == [1]


@pytest.mark.parametrize("path", [field.path for field in FIELDS if field.parent])
@pytest.mark.parametrize("joint", [".", "__", "_"])
def test_every_field_is_read_from_its_flattened_column(path: str, joint: str):
    """Object and member joined by a dot, one underscore or two are the field."""
    column = path.replace(".", joint)
    assert compile_expression(entry_fields({column})[path][0])({column: 1}) == 1


@pytest.mark.parametrize(
    "path", [field.path for field in FIELDS if field.parent in {"", "user_data", "custom_data"}]
)
def test_fields_of_event_user_and_custom_data_are_read_from_their_bare_name(path: str):
    """A column with the field's own name is enough."""
    leaf = path.rpartition(".")[2]
    assert leaf in entry_fields({leaf})[path]


@pytest.mark.parametrize("column", ["brand", "model", "type", "locale", "timezone", "languages"])
def test_members_of_the_device_need_their_object(column: str):
    """Names that any table may have are not read as a device's."""
    assert entry_fields({column}) == {}


def test_numbered_columns_are_further_values():
    """em, em_1, em_2, em_10.

    All values, in order of their numbers, as far as the columns exist.
    """
    record = visit(
        em_10="d@example.com", em_2="c@example.com", em_1="b@example.com", em="a@example.com"
    )
    assert event_of(record)["user_data"]["em"] == [digest(f"{name}@example.com") for name in "abcd"]


def test_flat_item_columns_become_contents():
    """item_id, item_price_1 ... are the members of items by their number.

    An item without values is dropped.
    """
    record = visit(
        item_id="a",
        item_price="9.50",
        item_quantity=2,
        item_id_1="b",
        item_price_1=3,
        quantity_1=1,
        item_name_2=None,
    )
    custom = event_of(record)["custom_data"]
    assert custom == {
        "content_ids": ["a", "b"],
        "contents": [
            {"id": "a", "item_price": "9.50", "quantity": 2},
            {"id": "b", "item_price": "3", "quantity": 1},
        ],
        "num_items": 3,
    } | {"content_ids": ["a", "b"]}


def test_contents_column_wins_over_flat_items():
    """If there are both, the list is used; if it is null, the flat columns are."""
    assert event_of(visit(contents=[{"id": "list"}], item_id="flat"))["custom_data"][
        "content_ids"
    ] == ["list"]
    assert event_of(visit(contents=None, item_id="flat"))["custom_data"]["content_ids"] == ["flat"]


def test_nested_and_flat_values_are_collected():
    """An object and a bare column may both have identifiers: each is sent once."""
    record = visit(user_data={"em": ["x@example.com", "y@example.com"]}, em="X@example.com")
    assert event_of(record)["user_data"]["em"] == [digest("x@example.com"), digest("y@example.com")]


def test_object_as_json_text():
    """An object may be JSON text, as taps of warehouses send it."""
    record = visit(custom_data='{"value": 19.90, "currency": "EUR"}')
    assert event_of(record)["custom_data"] == {"currency": "EUR", "value": "19.90"}


def test_other_columns_are_ignored():
    """Columns that are not fields of Pinterest, including `_sdc_*`, change nothing."""
    record = visit()
    assert event_of(
        {**record, "_sdc_extracted_at": "x", "password": "y", "em_x": "z@example.com"}
    ) == event_of(record)


def test_column_with_odd_characters_is_quoted():
    """A flattened name with a dot is one column."""
    assert event_of(visit(em=None) | {"user_data.em": "dot@example.com"})["user_data"]["em"] == [
        digest("dot@example.com")
    ]


def test_base_columns_read_every_field():
    """The preset is shown with every field except further members of numbered flat items."""
    assert set(base_columns()) == {field.path for field in FIELDS}


NAMES = st.one_of(
    st.sampled_from(
        [
            *(field.leaf for field in FIELDS),
            *(field.path.replace(".", "_") for field in FIELDS),
            "item_id",
            "contents",
        ]
    ),
    st.text(max_size=12),
)


@given(
    st.lists(
        st.builds(
            lambda name, number: f"{name}{number}",
            NAMES,
            st.sampled_from(["", "_1", "_12", "_0", "x"]),
        )
    )
)
def test_column_that_names_no_field_changes_nothing(names: list[str]):
    """Removing every column that names no field does not change the result."""
    assert entry_fields(frozenset(names)) == entry_fields(frozenset(filter(names_a_field, names)))


@pytest.mark.parametrize(
    "column", sorted({column for columns in base_columns().values() for column in columns})
)
def test_column_of_a_field_names_it(column: str):
    """Each column that the preset reads by itself is recognized as one."""
    if column.isidentifier():
        assert names_a_field(column)


def test_column_without_a_name_is_none():
    """A column with an empty name, as a tap of files may send, is not an object of all fields."""
    assert entry_fields({"", "em"}) == {"user_data.em": ("em",)}


def camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


SPELLINGS = {
    "event_id": (
        "EVENT_ID",
        "eventId",
        "EventId",
        "eventID",
        "Event_Id",
        " event_id ",
        "\ufeffEVENT_ID",
    ),
    "action_source": ("ACTION_SOURCE", "actionSource", "ActionSource"),
    "event_source_url": ("EVENT_SOURCE_URL", "eventSourceUrl", "eventSourceURL"),
    "user_data.em": ("EM", "Em", "USER_DATA_EM", "USER_DATA__EM", "userData.em", "userDataEm"),
    "user_data.client_ip_address": (
        "clientIpAddress",
        "clientIPAddress",
        "userData.clientIpAddress",
        "userData__clientIpAddress",
        "user_data.CLIENT_IP_ADDRESS",
    ),
    "custom_data.opt_out_type": ("optOutType", "customData.optOutType", "CUSTOM_DATA_OPT_OUT_TYPE"),
    "device_info.screen_width": ("deviceInfo.screenWidth", "DEVICE_INFO__SCREEN_WIDTH"),
}


@pytest.mark.parametrize(
    ("path", "column"),
    [(path, column) for path, columns in SPELLINGS.items() for column in columns],
)
def test_column_is_read_in_any_spelling(path: str, column: str):
    """Capitals, as Snowflake sends them, camelCase, and blanks or a mark around the name."""
    (expression,) = entry_fields({column})[path]
    assert compile_expression(expression)({column: 1}) == 1
    assert names_a_field(column)


@pytest.mark.parametrize("path", [field.path for field in FIELDS if field.parent])
@pytest.mark.parametrize("spell", [str.upper, camel, str.title])
@pytest.mark.parametrize("as_text", [False, True])
def test_members_of_objects_are_read_in_any_spelling(path: str, spell: Any, as_text: bool):
    """Names inside objects too, including objects that are JSON text."""
    parent, _, leaf = path.rpartition(".")
    members = {spell(leaf): 1}
    record = {spell(parent): json.dumps(members) if as_text else members}
    (expression,) = entry_fields(record)[path]
    assert compile_expression(expression)(record) == 1


def test_declared_members_are_read_by_their_own_path():
    """If a schema declares an object's members, records need not be searched."""
    fields = entry_fields({"USER_DATA"}, {"USER_DATA": {"EM", "ph"}})
    assert fields["user_data.em"] == ("USER_DATA.EM",)
    assert fields["user_data.ph"] == ("USER_DATA.ph",)
    assert fields["user_data.fn"] == ("USER_DATA.fn",)


@pytest.mark.parametrize("spell", [str.upper, camel, str.title])
def test_record_in_another_spelling_is_the_same_event(spell: Callable[[str], str]):
    """Columns, numbered ones, flat items and members of items: the same event as by exact names."""
    records = [
        visit(em_1="b@example.com", em_2="c@example.com", value="9.50", currency="EUR"),
        visit(item_id="a", item_price="9.50", item_quantity=2, item_id_1="b", quantity_1=1),
        visit(contents=[{"id": "a", "item_price": "9.50", "quantity": 2, "other": 1}]),
        visit(contents='[{"id": "a", "item_price": 9.5, "item_brand_id": "x"}]'),
    ]
    for record in records:
        assert event_of(respell(record, spell)) == event_of(record)


def respell(value: Any, spell: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {spell(name): respell(member, spell) for name, member in value.items()}
    if isinstance(value, list):
        return [respell(member, spell) for member in value]
    return value


@pytest.mark.parametrize(
    "record",
    [
        {"event_id": "exact", "EVENT_ID": "other", "eventId": "other"},
        {"EVENT_ID": "other", "event_id": "exact"},
    ],
)
def test_exact_name_wins(record: dict[str, Any]):
    """Of several columns for one field the one with Pinterest's own name is read."""
    assert entry_fields(record)["event_id"] == ("event_id",)
    assert [(same.read, set(same.unread)) for same in same_fields(record)] == [
        ("event_id", set(record) - {"event_id"})
    ]


def test_exact_member_wins():
    """The same holds for the members of objects and of items."""
    record = visit(
        user_data={"click_id": "exact", "CLICK_ID": "other"},
        contents=[{"ID": "other", "id": "exact"}],
    )
    event = event_of(record)
    assert event["user_data"]["click_id"] == "exact"
    assert event["custom_data"]["contents"] == [{"id": "exact"}]
    members = {"user_data": {"em", "EM"}, "other": {"a", "A"}}
    assert list(same_fields({"user_data", "other"}, members)) == [
        SameField("user_data.em", "em", ("EM",))
    ]


def test_columns_that_are_no_field_may_be_alike():
    """There is no warning about other columns that differ only in case."""
    assert not list(same_fields({"id", "ID", "total", "TOTAL", "em"}))


def test_names_of_the_browser_tag_are_read():
    """What a site passes to Pinterest's browser tag (line_items, order_quantity ...) is read."""
    item = {
        "product_id": 71,
        "product_name": "Vase",
        "product_price": 19.9,
        "product_quantity": "2",
        "product_category": "Home",
        "product_brand": "Rivera",
        "product_variant_id": "71-1",
    }
    data = {"line_items": [item], "order_quantity": 3, "search_query": "vases", "value": 39.8}
    custom = event_of(visit() | data)["custom_data"]
    assert (custom["num_items"], custom["search_string"]) == (3, "vases")
    assert custom["contents"] == [
        {
            "id": "71",
            "item_name": "Vase",
            "item_price": "19.9",
            "quantity": 2,
            "item_category": "Home",
            "item_brand": "Rivera",
        }
    ]
    text = event_of(visit() | {"LINE_ITEMS": json.dumps([item])})
    assert text["custom_data"]["contents"] == custom["contents"]
