"""The constants of `defaults`: each is checked by the rule of its field when it is read.

A constant that no event could have is a problem, with a message that says what is accepted and does
not have the constant. Three rules are stricter than for values of records: YAML's yes and no are
not strings, a field with one value accepts no list, and an item has no members that Pinterest does
not know.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.build.value_check import constant_problem
from target_pinterest_capi.events.codes import COUNTRY_NAMES, CURRENCIES, LANGUAGES
from target_pinterest_capi.events.fields import BY_PATH, EVENT_NAMES, ITEM_FIELDS, Field, FieldKind
from target_pinterest_capi.events.reasons import Dropped
from target_pinterest_capi.settings.paths import flatten
from target_pinterest_capi.settings.problems import (
    Problem,
    Reading,
    WrongValueError,
    did_you_mean,
    joined,
    nearest,
)

NOW: Final = "now"  # the one constant that is not a value: the time at which the record arrives
_ITEM_NAMES: Final = tuple(field.path for field in ITEM_FIELDS)
_ITEMS: Final = f"must be a list of objects with members such as {', '.join(_ITEM_NAMES[:4])}"
_TIME: Final = "an ISO 8601 date-time or a Unix time in seconds"

# What is accepted, for each reason to drop a constant. Limits of fields: `_out_of_limits`.
_ACCEPTED: Final[Mapping[Dropped, str]] = {
    Dropped.EMPTY: "is empty: write a value, or null for no value",
    Dropped.NOT_TEXT: "must be a string",
    Dropped.UNMATCHABLE_DIGEST: "must be plain or a SHA-256 digest: MD5 and SHA-1 cannot be "
    "matched",
    Dropped.EMPTY_DIGEST: "must be a value: this is the digest of an empty string",
    Dropped.NULL_VALUE: (
        "is a word for a missing value: write a value, or null for no value, or set null_values"
    ),
    Dropped.NOT_AN_EMAIL: "must be an e-mail address, such as jane@example.com",
    Dropped.NOT_A_PHONE: "must be a phone number, such as +12125550100",
    Dropped.DIGITS_LOST: "must have all its digits, without an exponent: put it in quotes",
    Dropped.UNKNOWN_GENDER: "must be female, male or non-binary, or f, m or n",
    Dropped.NOT_A_DATE: "must be a date, such as 1990-12-31",
    Dropped.AMBIGUOUS_DATE: "could be two dates: write it as 1990-12-31, or set date_format",
    Dropped.UNKNOWN_COUNTRY: "must be an ISO 3166 code or a country's English name, such as DE",
    Dropped.NOT_A_POSTAL_CODE: (
        "must be a postal code: it has no digits, or the wrong number for the country"
    ),
    Dropped.NOT_A_MAID: "must be an advertising id (8-4-4-4-12 hex digits) or its SHA-256",
    Dropped.TRACKING_OFF: "must be a device's id: all zeros mean that there is none",
    Dropped.UNKNOWN_CURRENCY: "must be an ISO 4217 code of a currency, such as EUR",
    Dropped.UNKNOWN_LANGUAGE: "must start with an ISO 639-1 code of a language, such as en",
    Dropped.NOT_AN_IP_ADDRESS: "must be an IPv4 or an IPv6 address that a user can have",
    Dropped.NOT_AN_AMOUNT: "must be a decimal number, such as 19.99",
    Dropped.AMOUNT_OUT_OF_RANGE: "must have 18 integer and 9 fraction digits at most",
    Dropped.NOT_AN_INTEGER: "must be a whole number",
    Dropped.NOT_A_BOOLEAN: "must be true or false",
    Dropped.NOT_A_TIME: f"must be {_TIME}",
    Dropped.NOT_AN_ITEM: _ITEMS,
    Dropped.UNREADABLE_JSON: _ITEMS,
}
# Known values, for suggestions.
_KNOWN: Final[Mapping[Dropped, Iterable[str]]] = {
    Dropped.UNKNOWN_COUNTRY: COUNTRY_NAMES,
    Dropped.UNKNOWN_CURRENCY: CURRENCIES,
    Dropped.UNKNOWN_LANGUAGE: LANGUAGES,
}


def read_defaults(raw: Any, where: str, reading: Reading) -> dict[str, Any]:
    """Return `{field path: constant}`, flat.

    Null counts as not given; what cannot be a value of its field is a problem and dropped.
    """
    if not isinstance(raw, Mapping):
        reading.problems.append(Problem(where, "must be an object: a constant for each field path"))
        return {}
    result = {}
    for path, value in flatten(raw, where, reading.problems).items():
        if value is None:
            continue
        try:
            result[path] = read_constant(BY_PATH[path], value, reading.options)
        except WrongValueError as error:
            reading.problems.append(Problem(joined(where, path), str(error)))
    if "event_name" in result:
        here = joined(where, "event_name")
        reading.warnings.extend(unknown_event_name(str(result["event_name"]), here))
    if "event_id" in result:
        reading.warnings.append(Problem(joined(where, "event_id"), CONSTANT_EVENT_ID))
    return result


CONSTANT_EVENT_ID: Final = (
    "makes all events of one name duplicates, of which Pinterest keeps the first: map it in "
    "fields, or remove it"
)


def read_constant(field: Field, value: Any, options: Options) -> Any:
    """Return the constant to use: dates as ISO text, choices as Pinterest writes them.

    Raises WrongValueError if events would be built without it, or without a part of it.
    """
    value = [_plain(one) for one in value] if isinstance(value, list | tuple) else _plain(value)
    word = value.strip().casefold() if isinstance(value, str) else value
    if field.path == "event_time" and word == NOW:
        return NOW
    _refuse_booleans(field, value)
    _refuse_lists(field, value)
    _refuse_unknown_members(field, value)
    reason = constant_problem(field.path, value, options)
    if reason is not None:
        raise WrongValueError(problem_text(field, value, reason))
    return word if field.kind is FieldKind.CHOICE else value


def unknown_event_name(name: str, path: str) -> list[Problem]:
    """Return a warning for a constant event name that Pinterest does not have; else nothing."""
    if name in EVENT_NAMES:
        return []
    meant = nearest(name, EVENT_NAMES)
    advice = f"; did you mean {meant}?" if meant else ": it counts if it is defined in Ads Manager"
    return [Problem(path, f"is not one of Pinterest's event names and is sent unchanged{advice}")]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _refuse_booleans(field: Field, value: Any) -> None:
    """Refuse YAML's yes and no for a string, such as the country NO."""
    values = value if isinstance(value, list) else [value]
    is_text = field.kind in {FieldKind.TEXT, FieldKind.HASHED}
    if is_text and any(isinstance(one, bool) for one in values):
        raise WrongValueError("must be a string: put it in quotes")


def _refuse_lists(field: Field, value: Any) -> None:
    """Refuse a list for a field with one value. A record's list would lose all but the first."""
    if isinstance(value, list) and not field.many:
        raise WrongValueError("must be one value, not a list")


def _refuse_unknown_members(field: Field, value: Any) -> None:
    if field.kind is not FieldKind.ITEMS:
        return
    items = value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, Mapping):
            _refuse_unknown_names(item)


def _refuse_unknown_names(item: Mapping[Any, Any]) -> None:
    for name in item:
        if name not in _ITEM_NAMES:
            hint = did_you_mean(name, _ITEM_NAMES)
            known = ", ".join(_ITEM_NAMES)
            raise WrongValueError(f"has an item with an unknown member{hint}; known: {known}")


def problem_text(field: Field, value: Any, reason: Dropped) -> str:
    """Return what is accepted instead of a constant that would be dropped for the reason."""
    if reason is Dropped.UNKNOWN_CHOICE:
        choices = field.choices
        return f"must be one of {', '.join(choices)}{did_you_mean(value, choices)}"
    if reason is Dropped.NOT_A_TIME and field.path == "event_time":
        return f"must be {NOW}, {_TIME}"
    text = _ACCEPTED.get(reason) or _out_of_limits(field, reason)
    if field.kind is FieldKind.ITEMS and text != _ITEMS:
        return f"has an item with a value that {text}"
    return text + did_you_mean(value, _KNOWN.get(reason, ()))


def _out_of_limits(field: Field, reason: Dropped) -> str:
    if reason is Dropped.TOO_LONG and field.max_items is not None:
        return f"must have {field.max_items:,} entries at most"
    if reason is Dropped.TOO_LONG and field.max_length is not None:
        return f"must have {field.max_length:,} characters at most"
    if reason is Dropped.TOO_LONG:
        return "must have fewer digits"
    if field.minimum is not None and field.maximum is not None:
        return f"must be from {field.minimum:,} to {field.maximum:,}"
    if field.minimum is not None:
        return f"must be at least {field.minimum:,}"
    return "must be a whole number of 64 bits"
