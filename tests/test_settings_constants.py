"""Constants: each is judged by the rule of its field before anything is read."""

import datetime as dt
import re
from typing import Any

import pytest
from configurations import MINIMAL, problems_of, problems_or_none

from target_pinterest_capi.events.codes import LANGUAGES
from target_pinterest_capi.events.fields import BY_PATH, FieldKind
from target_pinterest_capi.events.reasons import Dropped
from target_pinterest_capi.settings import (
    ConfigurationError,
    constants,
    load,
    parse_mapping,
)

GOOD_CONSTANTS = {
    FieldKind.TEXT: ["text", 5],
    FieldKind.AMOUNT: ["19.99", 19.99, 0],
    FieldKind.INTEGER: [3, "3", 3.0],
    FieldKind.BOOLEAN: [True, "false", 0, "No"],
    FieldKind.TIME: [1767225600, "1767225600", "2026-01-01T00:00:00Z", "2026-01-01"],
    FieldKind.ITEMS: [{"id": "a"}, [{"id": "a", "item_price": 1, "quantity": 2}]],
}
GOOD_CONSTANTS_OF_FORMS = {
    "email": ["jane@example.com", ["a@example.com", "b@example.com"]],
    "phone": ["+1 (212) 555-0100", 12125550100],
    "gender": ["f", "Female"],
    "birth_date": ["1990-12-31"],
    "name": ["text", ["a", "b"]],
    "city": ["text"],
    "state": ["text"],
    "postal_code": ["10115", 10115],
    "country": ["DE", "Germany", "deu"],
    "external_id": ["A-1", 5],
    "maid": ["3fa85f64-5717-4562-b3fc-2c963f66afa6"],
    "currency": ["EUR", "eur"],
    "customer_type": ["new", "returning"],
    "language": ["en", "en-US"],
    "ip_address": ["192.0.2.7", "2001:db8::1"],
}
BAD_CONSTANTS = {
    FieldKind.TEXT: [True, {"a": 1}],
    FieldKind.HASHED: [True, {"a": 1}, [["a"]]],
    FieldKind.AMOUNT: ["free", True, "nan", "inf", [1]],
    FieldKind.INTEGER: [3.5, "three", False, {}],
    FieldKind.BOOLEAN: ["maybe", 2, []],
    FieldKind.TIME: ["soon", "2026-13-01", True, []],
    FieldKind.CHOICE: ["nowhere", 1, ["web"]],
    FieldKind.ITEMS: ["a", [1], [{"sku": "a"}], {"ide": "a"}],
}


@pytest.mark.parametrize("path", sorted(BY_PATH))
def test_constants_are_checked_by_what_their_field_holds(path):
    """Each field accepts the constants that can be its value, and refuses the others."""
    field = BY_PATH[path]
    good = GOOD_CONSTANTS_OF_FORMS[field.form] if field.form else GOOD_CONSTANTS.get(field.kind)
    for value in field.choices or good:
        assert load({**MINIMAL, "defaults": {path: value}}).defaults == {path: value}
    for value in BAD_CONSTANTS[field.kind]:
        assert list(problems_of({**MINIMAL, "defaults": {path: value}})) == [f"defaults.{path}"]


@pytest.mark.parametrize(
    ("path", "wrong", "says"),
    [
        ("event_time", 12345, "must be now, an ISO 8601 date-time or a Unix time in seconds"),
        ("app_info.install_time", 12345, "must be an ISO 8601 date-time or a Unix time"),
        ("custom_data.currency", "EURO", "code of a currency, such as EUR; did you mean EUR?"),
        ("user_data.country", "Elbonia", "ISO 3166 code or a country's English name"),
        ("user_data.country", "Germny", "did you mean Germany?"),
        ("user_data.country", False, "must be a string: put it in quotes"),
        ("language", "1", "ISO 639-1 code"),
        ("device_info.languages", ["en", "1"], "ISO 639-1 code"),
        ("device_info.languages", sorted(LANGUAGES)[:101], "must have 100 entries at most"),
        ("user_data.em", "nobody", "must be an e-mail address"),
        ("user_data.em", ["jane@example.com", "nobody"], "must be an e-mail address"),
        ("user_data.em", "5d41402abc4b2a76b9719d911017c592", "MD5 and SHA-1"),
        ("user_data.ph", "unknown", "must be a phone number"),
        ("user_data.fn", "NULL", "is a word for a missing value"),
        ("user_data.em", "d41d8cd98f00b204e9800998ecf8427e", "the digest of an empty string"),
        ("user_data.ph", "1.41556E+10", "must have all its digits"),
        ("user_data.hashed_maids", "(an id)", "must be an advertising id"),
        ("user_data.client_ip_address", "0.0.0.0", "that a user can have"),
        ("custom_data.value", ["9.50"], "must be one value, not a list"),
        ("user_data.ge", "cat", "must be female, male or non-binary"),
        ("user_data.db", "tomorrow", "must be a date, such as 1990-12-31"),
        ("user_data.db", "03/04/1990", "write it as 1990-12-31, or set date_format"),
        ("user_data.zp", "--", "must be a postal code"),
        ("user_data.hashed_maids", "00000000-0000-0000-0000-000000000000", "all zeros"),
        ("user_data.client_ip_address", "localhost", "must be an IPv4 or an IPv6 address"),
        ("custom_data.value", "12,50", "must be a decimal number"),
        ("custom_data.value", 10**18, "18 integer and 9 fraction digits"),
        ("custom_data.num_items", -1, "must be at least 0"),
        ("device_info.battery_level", 101, "must be from 0 to 100"),
        ("custom_data.external_measurement_vendor_id", 2**63, "64 bits"),
        ("app_info.app_id", "x" * 201, "must have 200 characters at most"),
        ("custom_data.order_id", "", "is empty: write a value, or null for no value"),
        ("custom_data.content_ids", [], "is empty"),
        ("custom_data.contents", [{"id": "a", "item_price": "free"}], "an item with a value that"),
    ],
)
@pytest.mark.parametrize("place", ["setting", "entry", "preset"])
def test_constant_is_judged_by_the_rule_of_a_value(place: str, path: str, wrong: Any, says: str):
    """An impossible value is a problem that names what is accepted, and not the value."""
    defaults = {"defaults": {path: wrong}}
    if place == "preset":
        with pytest.raises(ConfigurationError) as raised:
            parse_mapping({"stream": "*", **defaults}, "preset shop")
        ((where, message),) = raised.value.problems
        assert where == f"preset shop.defaults.{path}"
    else:
        given = defaults if place == "setting" else {"mappings": [{"stream": "a", **defaults}]}
        ((where, message),) = problems_of({**MINIMAL, **given}).items()
        assert where == ("" if place == "setting" else "mappings[0].") + f"defaults.{path}"
    assert says in message
    assert not isinstance(wrong, str) or len(wrong) < 3 or wrong not in message


def test_every_reason_has_words_for_a_constant():
    """Every reason to drop a value has a message, except one that only expressions have."""
    field = BY_PATH["device_info.battery_level"]
    for reason in set(Dropped) - {Dropped.EXPRESSION_ERROR}:
        assert constants.problem_text(field, "x", reason)


@pytest.mark.parametrize(
    ("settings", "defaults", "taken"),
    [
        ({"date_format": "dmy"}, {"user_data.db": "03/04/1990"}, True),
        ({}, {"user_data.db": "03/04/1990"}, False),
        ({"date_format": "wrong"}, {"user_data.db": "1990-12-31"}, True),
        ({"postal_code": "digits"}, {"user_data.zp": "SW1A 1AA"}, True),
        ({"postal_code": "digits"}, {"user_data.zp": "GIR OAA"}, False),
    ],
)
def test_settings_that_shape_values_shape_constants(settings, defaults, taken: bool):
    """A constant is read like a record's value under the same settings."""
    found = problems_or_none({**MINIMAL, **settings, "defaults": defaults}) or ()
    assert any(problem.path.startswith("defaults") for problem in found) is not taken


def test_now_is_a_constant_of_event_time_only():
    """`now` is the only special constant, and only for event_time."""
    assert load({**MINIMAL, "defaults": {"event_time": "now"}}).defaults == {"event_time": "now"}
    assert "defaults.app_info.install_time" in problems_of(
        {**MINIMAL, "defaults": {"app_info.install_time": "now"}}
    )


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), "2026-01-02T03:04:00+00:00"),
    ],
)
def test_yamls_dates_are_text_again(value, kept):
    """A date from YAML is its text."""
    assert load({**MINIMAL, "defaults": {"event_time": value}}).defaults == {"event_time": kept}


@pytest.mark.parametrize("wrong", ["wbe", "WEBB", "offlin"])
def test_a_wrong_choice_names_the_nearest(wrong):
    """A constant that is similar to a choice leads to a message with it."""
    message = problems_of({**MINIMAL, "defaults": {"action_source": wrong}})[
        "defaults.action_source"
    ]
    assert re.search(r"did you mean (web|offline)\?", message)
