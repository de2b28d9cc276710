"""Values in expressions: exact numbers, JSON text, steps into it, truth and order.

Numbers stay exact, whatever their type, and no function raises anything but the ArithmeticError or
RecursionError of a hostile value. Never puts a value into a message.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any, Final

import msgspec

# Beyond these a number is not an amount but an attack: 1E+999999999 as text fills the memory.
DIGITS: Final = 1000
EXACT: Final = Context(prec=DIGITS, traps=[Inexact, InvalidOperation, Overflow])
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_JSON: Final = msgspec.json.Decoder(float_hook=Decimal)


# Whole numbers between these are of usual size: far below the point where digits are counted.
LEAST: Final = -(10**30)
MOST: Final = 10**30


class EvaluationError(ValueError):
    """An expression that fails on a record. Its message names functions and types, but no value."""


def number(value: Any) -> int | Decimal | None:
    """Return the number exactly, a float as it is written; None for anything else.

    Booleans, NaN and infinities are not numbers.
    """
    kind_of_value = type(value)
    if kind_of_value is int:
        return value  # type: ignore[no-any-return]
    if kind_of_value is Decimal:
        return value if value.is_finite() else None
    return Decimal(repr(value)) if kind_of_value is float and math.isfinite(value) else None


def parsed_number(value: Any) -> int | Decimal | None:
    """Return a number, or that of a string ("7.50", " -3 ", "1e3"); None for anything else."""
    if not isinstance(value, str):
        return number(value)
    digits = value.strip()
    if len(digits) > DIGITS or not _NUMBER.fullmatch(digits):
        return None
    try:
        return int(digits) if digits.lstrip("+-").isdigit() else Decimal(digits)
    except ArithmeticError:  # an exponent that no Decimal can have
        return None


def number_text(value: int | Decimal) -> str | None:
    """Return all digits as written, never an exponent; None for a number of over 1,000 digits."""
    if isinstance(value, int):
        return str(value) if value.bit_length() < DIGITS * 3 else None
    return format(value, "f") if abs(value.adjusted()) <= DIGITS else None


def text(value: Any) -> str | None:
    """Return a string, a number's exact digits, or a date or time in ISO form; otherwise None."""
    if type(value) is int and LEAST < value < MOST:
        return str(value)
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    exact = number(value)
    return None if exact is None else number_text(exact)


def opened(value: Any) -> Any:
    """Return the array or object in a JSON text, with exact numbers; otherwise the value itself."""
    if isinstance(value, str) and value.lstrip(" \t\r\n")[:1] in ("{", "["):
        try:
            return _JSON.decode(value)
        except (ValueError, ArithmeticError, RecursionError):
            return value  # not JSON, a number that no Decimal can have, or nested too deeply
    return value


def kind(value: Any) -> str:
    """Return JMESPath's name of the value's type; a date or time counts as text, as in JSON."""
    return next(
        (name for types, name in _KINDS if isinstance(value, types)),
        "expref" if callable(value) else "unknown",
    )


_KINDS: Final[tuple[tuple[Any, str], ...]] = (
    (str, "string"), (bool, "boolean"), ((int, Decimal, float), "number"),
    (list, "array"), (dict, "object"), (type(None), "null"), (date, "string"),
)  # fmt: skip


def equal(left: Any, right: Any) -> bool:
    """Return JMESPath's `==`: numbers equal by value, and a boolean never equals a number."""
    if type(left) is str and type(right) is str:
        return left == right
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(equal(left[key], right[key]) for key in left)
        )
    exact = number(left)
    if exact is not None:
        other = number(right)
        return other is not None and exact == other
    return isinstance(left, bool) == isinstance(right, bool) and bool(dated(left) == dated(right))


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    def ordered(left: Any, right: Any) -> bool | None:
        left, right = rank(left), rank(right)
        # JMESPath's specification orders numbers only; its libraries order strings too, and people
        # rely on it.
        return (
            compare(left, right)
            if left is not None and right is not None and alike(left, right)
            else None
        )

    return ordered


def alike(left: Any, right: Any) -> bool:
    """Return whether both are strings, or neither is."""
    return isinstance(left, str) == isinstance(right, str)


def rank(value: Any) -> Any:
    """Return the sort key of a number or text; None for what has no order."""
    value = dated(value)
    return value if isinstance(value, str) else number(value)


def dated(value: Any) -> Any:
    """Return the ISO text of a date or time; any other value as it is."""
    return value.isoformat() if isinstance(value, date) else value


COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool | None]]] = {
    "eq": equal,
    "ne": lambda left, right: not equal(left, right),
    "lt": _ordered(operator.lt), "lte": _ordered(operator.le),
    "gt": _ordered(operator.gt), "gte": _ordered(operator.ge),
}  # fmt: skip


# Steps into values


def step_into(value: Any, step: str | int) -> Any:
    """Return an object's member or an array's element, also from JSON text; None if missing."""
    value = opened(value)
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    return value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None


NOTHING: Final[dict[str, Any]] = {}  # the members of what is not an object


def object_of(value: Any) -> dict[str, Any]:
    """Return the object that a value is or has as JSON text; otherwise an empty one."""
    if value is None:
        return NOTHING
    value = opened(value)
    return value if isinstance(value, dict) else NOTHING


def listed(value: Any) -> list[Any] | None:
    """Return the array that a value is or has as JSON text; otherwise None."""
    value = opened(value)
    return value if isinstance(value, list) else None


Index = Mapping[str, Sequence[Any]]
_NO_ARRAY: Final[Index] = {}  # the index of a value that is not an array


def indexed(value: Any, key: str) -> Index:
    """Return the elements of an array by the text of a member."""
    elements = value if type(value) is list else listed(value)
    if elements is None:
        return _NO_ARRAY
    try:  # each has another text, as a rule
        index = {element[key]: (element,) for element in elements}
    except (KeyError, TypeError):  # one does not have it, or is not an object
        return _index(elements, key)
    if len(index) < len(elements) or {*map(type, index)} != {str}:
        return _index(elements, key)
    return index


def _index(elements: list[Any], key: str) -> Index:
    index: dict[str, list[Any]] = {}
    for element in elements:
        text = dated(step_into(element, key))
        if isinstance(text, str):
            index.setdefault(text, []).append(element)
    return index


def look_up(index: Index, text: str) -> list[Any] | None:
    """Return the elements with a string; an empty list is not the same as no array."""
    return None if index is _NO_ARRAY else [*index.get(text, ())]


def flattened(elements: list[Any]) -> list[Any]:
    """Return the list with its nested lists flattened by one level.

    Elements that are JSON text stay as they are: nothing steps into them yet.
    """
    if list not in map(type, elements):
        return elements
    flat: list[Any] = []
    for element in elements:
        if isinstance(element, list):
            flat.extend(element)
        else:
            flat.append(element)
    return flat


def is_false(value: Any) -> bool:
    """Return JMESPath's falsehood: null, false, empty strings, arrays and objects; 0 is true."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)
