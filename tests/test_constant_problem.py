"""Whether a constant is a usable value of a field: decided by the field's converter alone."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.build.value_check import constant_problem
from target_pinterest_capi.events.fields import FIELDS, FieldKind
from target_pinterest_capi.events.reasons import Dropped

ITEM = {"id": "sku-1", "item_price": "19.99", "quantity": 1}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("event_name", "checkout"),
        ("event_name", 7),
        ("action_source", " WEB "),
        ("event_time", 1_790_000_000),
        ("event_time", "2026-11-20T10:00:00Z"),
        ("event_time", date(2026, 11, 20)),
        ("app_info.install_time", "2026-11-20"),
        ("opt_out", True),
        ("opt_out", "no"),
        ("opt_out", 0),
        ("language", "en-US"),
        ("user_data.em", "shopper@example.com"),
        ("user_data.em", ["a@example.com", "b@example.com"]),
        ("user_data.ph", "555-0134"),
        ("user_data.country", "Germany"),
        ("user_data.db", "1990-03-04"),
        ("custom_data.currency", "eur"),
        ("custom_data.value", "19.99"),
        ("custom_data.value", 19.99),
        ("custom_data.value", Decimal("19.99")),
        ("custom_data.content_ids", ["sku-1", 2]),
        ("custom_data.contents", [ITEM]),
        ("custom_data.contents", ITEM),
        ("custom_data.num_items", "3"),
        ("device_info.form_factor", "Laptop"),
        ("device_info.battery_level", 100),
        ("app_info.app_id", "x" * 200),
    ],
)
def test_usable_constant_is_no_problem(path: str, value: Any):
    """A constant that its field's converter accepts has no problem, however it is written."""
    assert constant_problem(path, value) is None


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("event_name", {"a": 1}, Dropped.NOT_TEXT),
        ("action_source", "shop", Dropped.UNKNOWN_CHOICE),
        ("event_time", "soon", Dropped.NOT_A_TIME),
        ("event_time", "now", Dropped.NOT_A_TIME),
        ("app_info.install_time", 12, Dropped.NOT_A_TIME),
        ("opt_out", "perhaps", Dropped.NOT_A_BOOLEAN),
        ("opt_out", 2, Dropped.NOT_A_BOOLEAN),
        ("language", "1", Dropped.UNKNOWN_LANGUAGE),
        ("user_data.em", "shopper", Dropped.NOT_AN_EMAIL),
        ("user_data.em", ["a@example.com", "shopper"], Dropped.NOT_AN_EMAIL),
        ("user_data.em", "5d41402abc4b2a76b9719d911017c592", Dropped.UNMATCHABLE_DIGEST),
        ("user_data.ph", "none given", Dropped.NOT_A_PHONE),
        ("user_data.country", "Atlantis", Dropped.UNKNOWN_COUNTRY),
        ("user_data.db", "03/04/1990", Dropped.AMBIGUOUS_DATE),
        ("user_data.client_ip_address", "localhost", Dropped.NOT_AN_IP_ADDRESS),
        ("custom_data.currency", "XXY", Dropped.UNKNOWN_CURRENCY),
        ("custom_data.value", "19,99", Dropped.NOT_AN_AMOUNT),
        ("custom_data.value", True, Dropped.NOT_AN_AMOUNT),
        ("custom_data.value", "1" * 19, Dropped.AMOUNT_OUT_OF_RANGE),
        ("custom_data.contents", ["sku-1"], Dropped.NOT_AN_ITEM),
        ("custom_data.contents", "sku-1", Dropped.UNREADABLE_JSON),
        ("custom_data.contents", [{**ITEM, "item_price": "free"}], Dropped.NOT_AN_AMOUNT),
        ("custom_data.num_items", 2.5, Dropped.NOT_AN_INTEGER),
        ("custom_data.num_items", -1, Dropped.OUT_OF_RANGE),
        ("device_info.form_factor", "fridge", Dropped.UNKNOWN_CHOICE),
        ("device_info.battery_level", 101, Dropped.OUT_OF_RANGE),
        ("app_info.app_id", "x" * 201, Dropped.TOO_LONG),
    ],
)
def test_unusable_constant_has_its_reason(path: str, value: Any, reason: Dropped):
    """A constant that would be dropped from every event has the reason that events would count."""
    assert constant_problem(path, value) is reason


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.path)
@pytest.mark.parametrize("nothing", [None, "", "  ", []])
def test_nothing_is_no_constant(field: Any, nothing: Any):
    """Null, empty text, white space and the empty list are missing values."""
    assert constant_problem(field.path, nothing) is Dropped.EMPTY


@pytest.mark.parametrize(
    "path", [field.path for field in FIELDS if field.kind is not FieldKind.ITEMS]
)
def test_object_is_a_constant_of_items_alone(path: str):
    """Every field except a list of items refuses an object."""
    assert constant_problem(path, {"id": "sku-1"}) not in (None, Dropped.EMPTY)


@pytest.mark.parametrize(
    ("date_format", "reason"), [(None, Dropped.AMBIGUOUS_DATE), ("dmy", None), ("mdy", None)]
)
def test_options_decide_about_constants_too(date_format: str | None, reason: Dropped | None):
    """A setting that affects records' values affects constants too: day or month first."""
    options = Options(date_format=date_format)
    assert constant_problem("user_data.db", "03/04/1990", options) is reason
