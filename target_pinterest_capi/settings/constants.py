"""The constants of `defaults`, checked coarsely by what their field holds.

Coarsely: a constant that could not be any event's value is a problem here; its normal form and its limits are those of
any value, and are applied where events are built.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from target_pinterest_capi.events.fields import BY_PATH, EVENT_NAMES, ITEM_FIELDS, Field, FieldKind
from target_pinterest_capi.settings.paths import flatten
from target_pinterest_capi.settings.problems import (
    Problem,
    WrongValueError,
    did_you_mean,
    joined,
    nearest,
)

NOW: Final = "now"  # the one constant that is no value: the time at which the record arrives
_BOOLEAN_WORDS: Final = frozenset(
    {"true", "false", "1", "0", "yes", "no", "t", "f", "y", "n", "on", "off"}
)
_ITEM_NAMES: Final = tuple(field.path for field in ITEM_FIELDS)


def read_defaults(
    raw: Any, where: str, problems: list[Problem], warnings: list[Problem]
) -> dict[str, Any]:
    """`{field path: constant}`, flat; null is not given. What cannot be a value of its field is a problem and left out."""
    if not isinstance(raw, Mapping):
        problems.append(Problem(where, "must be an object: a constant for each field path"))
        return {}
    result = {}
    for path, value in flatten(raw, where, problems).items():
        if value is None:
            continue
        try:
            result[path] = constant(BY_PATH[path], value)
        except WrongValueError as error:
            problems.append(Problem(joined(where, path), str(error)))
    if "event_name" in result:
        warnings.extend(unknown_event_name(str(result["event_name"]), joined(where, "event_name")))
    if "event_id" in result:
        advice = "makes all events of one name duplicates, of which Pinterest keeps the first: map it in fields, or leave it out"
        warnings.append(Problem(joined(where, "event_id"), advice))
    return result


def constant(field: Field, value: Any) -> Any:
    """The value to keep: dates as ISO text, choices as Pinterest writes them, anything else as given."""
    if field.kind is not FieldKind.ITEMS and field.many and isinstance(value, list | tuple):
        return [_CHECKS[field.kind](field, member) for member in value]
    return _CHECKS[field.kind](field, value)


def unknown_event_name(name: str, path: str) -> list[Problem]:
    """A warning for a constant event name that is none of Pinterest's, or nothing."""
    if name in EVENT_NAMES:
        return []
    meant = nearest(name, EVENT_NAMES)
    advice = f"; did you mean {meant}?" if meant else ": it must be defined in Ads Manager to count"
    return [Problem(path, f"is none of Pinterest's event names and is sent as it is{advice}")]


def _text(_: Field, value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bool):
        raise WrongValueError("must be text: put it in quotes")
    if not isinstance(value, str | int | float | Decimal):
        raise WrongValueError("must be text")
    return value


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):  # ValueError: more digits than Python turns into text
        return None
    return number if number.is_finite() else None


def _amount(_: Field, value: Any) -> Any:
    if _decimal(value) is None:
        raise WrongValueError("must be a decimal number, such as 19.99")
    return value


def _integer(_: Field, value: Any) -> Any:
    number = _decimal(value)
    if number is None or number != number.to_integral_value():
        raise WrongValueError("must be a whole number")
    return value


def _boolean(_: Field, value: Any) -> Any:
    if str(value).strip().casefold() not in _BOOLEAN_WORDS:
        raise WrongValueError("must be true or false")
    return value


def _time(field: Field, value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str) and value.strip().casefold() == NOW and field.path == "event_time":
        return NOW
    if _decimal(value) is not None:
        return value
    try:
        dt.datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
    except ValueError:
        magic = "now, " if field.path == "event_time" else ""
        raise WrongValueError(
            f"must be {magic}an ISO 8601 date-time or a Unix time in seconds"
        ) from None
    return value


def _choice(field: Field, value: Any) -> Any:
    word = value.strip().casefold() if isinstance(value, str) else value
    if word not in field.choices:
        raise WrongValueError(
            f"must be one of {', '.join(field.choices)}{did_you_mean(value, field.choices)}"
        )
    return word


def _items(_: Field, value: Any) -> Any:
    items = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(item, Mapping) for item in items):
        raise WrongValueError(
            f"must be a list of objects with members such as {', '.join(_ITEM_NAMES[:4])}"
        )
    for name in (name for item in items for name in item if name not in _ITEM_NAMES):
        raise WrongValueError(
            f"has an item with an unknown member{did_you_mean(name, _ITEM_NAMES)}; known: {', '.join(_ITEM_NAMES)}"
        )
    return value


_CHECKS: Final[Mapping[FieldKind, Callable[[Field, Any], Any]]] = {
    FieldKind.TEXT: _text,
    FieldKind.HASHED: _text,
    FieldKind.AMOUNT: _amount,
    FieldKind.INTEGER: _integer,
    FieldKind.BOOLEAN: _boolean,
    FieldKind.TIME: _time,
    FieldKind.CHOICE: _choice,
    FieldKind.ITEMS: _items,
}
