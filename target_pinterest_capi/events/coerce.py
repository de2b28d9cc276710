"""Values as taps send them, to the types of Pinterest's fields.

A function accepts what JSON and Spark rows can have: str, int, float, Decimal, bool, None, list,
dict, datetime and date. It returns the value, None for a missing one (null, `""`, white space,
`[]`), or the `Dropped` that says why a value does not fit; no JSON value makes it raise. Ambiguous
values are refused, never guessed. Never normalizes for hashing, never reads a clock. `Dropped` is a
`str`: test for it first.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Context, Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final, Self

from target_pinterest_capi.events import dates
from target_pinterest_capi.events.characters import ascii_digits, narrow, visible
from target_pinterest_capi.events.list_texts import is_list_text, read_json, read_list
from target_pinterest_capi.events.reasons import Dropped, Warned

_is_numeric: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch


def is_nothing(value: Any) -> bool:
    """Return whether the value is null, `""`, white space or `[]`: the same as an absent one."""
    kind = type(value)
    if kind is str:
        trimmed = value.strip()
        return not (trimmed if trimmed.isprintable() else visible(trimmed).strip())
    return not value if kind is list else value is None


def text(value: Any) -> str | Dropped | None:
    """Return visible, trimmed text: numbers with all digits and no exponent, times in ISO 8601.

    A whole number has no fraction. NaN and infinity count as missing, because they come from
    missing numbers. For MongoDB's `{"$date": ...}` the contents are used.
    """
    kind = type(value)
    if kind is str:
        trimmed: str = value.strip()
        return (trimmed if trimmed.isprintable() else visible(trimmed).strip()) or None
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is float or kind is Decimal:
        return str(value) if kind is int and TOO_SMALL < value < TOO_LARGE else _number_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return _text_of_other(value)


def _text_of_other(value: Any) -> str | Dropped | None:
    if isinstance(value, Dropped):  # of an element that `listed` could not read
        return value
    if type(value) is dict:
        return text(_held_by_mongodb(value)) or Dropped.NOT_TEXT
    return None if is_nothing(value) else Dropped.NOT_TEXT


def _held_by_mongodb(value: dict[str, Any]) -> Any:
    """Return the text or the milliseconds of a date in Extended JSON; None for any other object."""
    held = value.get("$date") if len(value) == 1 else None
    if type(held) is dict:
        held = held.get("$numberLong") if len(held) == 1 else None
        return int(held) if type(held) is str and _is_integer(held) else None
    return held if type(held) in (str, int) else None


# For a number as text: far beyond any id, far below what a hostile exponent asks for.
_MOST_DIGITS: Final = 1000


def _number_text(number: float | Decimal) -> str | Dropped | None:
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if not exact.is_finite():
        return None
    if abs(exact.adjusted()) + len(exact.as_tuple().digits) > _MOST_DIGITS:
        return Dropped.TOO_LONG
    plain = format(exact, "f")
    whole, _, fraction = plain.partition(".")
    return plain if fraction.strip("0") else whole


# Amounts

is_amount: Final = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,9})?").fullmatch
_INTEGER_DIGITS: Final = 18  # docs/pinterest-api.md: Amounts
_FRACTION_DIGITS: Final = 9
TOO_LARGE: Final = 10**_INTEGER_DIGITS  # numbers with so many digits are read with care
TOO_SMALL: Final = -TOO_LARGE


def amount(value: Any) -> str | Dropped | None:
    """Return exact decimal text with the digits as they are: `19.990` stays `19.990`.

    It has at most 18 integer and 9 fraction digits. Zeros at the end of a longer fraction do not
    count: databases pad to the scale of the column. A longer fraction is floating-point noise, as
    in 59.980000000000004, if its first 15 digits round to a short one: 59.98.
    """
    kind = type(value)
    if kind is str:
        written: str = value.strip()
    elif kind is Decimal or kind is float or (kind is int and TOO_SMALL < value < TOO_LARGE):
        written = str(value)
    elif kind is int:
        return Dropped.AMOUNT_OUT_OF_RANGE
    else:
        return None if is_nothing(value) else Dropped.NOT_AN_AMOUNT
    if is_amount(written):
        return written
    if not _is_numeric(written):
        written = _ungrouped(_usual_digits(written))
    if not _is_numeric(written):
        return Dropped.NOT_AN_AMOUNT if written else None
    return _plain_amount(written)


def _usual_digits(written: str) -> str:
    """Return the visible text with the digits of any script and width as 0 to 9."""
    return ascii_digits(narrow(visible(written))).strip()


# Thousands in groups, with another sign for decimals. A string with only one sign, such as 1,234,
# is ambiguous.
_grouped: Final = tuple(
    re.compile(rf"([+-]?[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+)[{point}]([0-9]+)").fullmatch
    for mark, point in ((",", "."), (r"\.", ","), ("[ \xa0\u202f'\u2019]", ".,"))
)
_NOT_SIGNED: Final = re.compile("[^0-9+-]+")


def _ungrouped(written: str) -> str:
    """Return `1,234.50`, `1.234,50` or `1 234,50` as 1234.50; any other text as it is."""
    for has_groups in _grouped:
        if found := has_groups(written):
            return f"{_NOT_SIGNED.sub('', found[1])}.{found[2]}"
    return written


def _plain_amount(written: str) -> str | Dropped:
    """Return the amount of a number with a sign, leading zeros, an exponent or a long fraction."""
    try:
        number = Decimal(written)
    except InvalidOperation:  # an exponent that decimals do not support
        return Dropped.AMOUNT_OUT_OF_RANGE
    if not number:
        return "0"
    if not -_FRACTION_DIGITS <= number.adjusted() < _INTEGER_DIGITS:
        return Dropped.AMOUNT_OUT_OF_RANGE
    plain = format(number, "f")
    whole, _, fraction = plain.partition(".")
    if len(fraction) <= _FRACTION_DIGITS:
        return plain
    fraction = fraction.rstrip("0")
    if len(fraction) > _FRACTION_DIGITS and number.adjusted() < _ROUNDED.prec - _CENTS:
        whole, _, fraction = format(_without_noise(number), "f").partition(".")
        fraction = fraction.rstrip("0")
    if len(fraction) > _FRACTION_DIGITS:
        return Dropped.AMOUNT_OUT_OF_RANGE
    return f"{whole}.{fraction}" if fraction else whole


# Decimal digits that survive in a binary number of 64 bits (IEEE 754, DBL_DIG).
_ROUNDED: Final = Context(prec=15)
_CENTS: Final = 2  # digits of a fraction that are never rounded away


def _without_noise(number: Decimal) -> Decimal:
    """Return the number to the 15 digits that binary floating point keeps."""
    return _ROUNDED.plus(number)


# Integers and booleans

_is_integer: Final = re.compile(r"[+-]?[0-9]{1,18}").fullmatch
_LARGEST: Final = 2**63 - 1  # the limits of a signed 64-bit integer


def integer(value: Any) -> int | Dropped | None:
    """Return the whole number of `3`, `3.0` or `"3.0"`; a fraction is refused, not rounded.

    Floating-point noise in a whole number, such as 2.9999999999999996, is not a fraction.
    """
    kind = type(value)
    if kind is int:
        return value if -_LARGEST <= value <= _LARGEST else Dropped.OUT_OF_RANGE
    if kind is str or kind is float or kind is Decimal:
        written = str(value).strip()
        if kind is str and not _is_integer(written):
            written = _usual_digits(written)
        if _is_integer(written):
            return int(written)
        if _is_numeric(written):
            return _whole_number(written)
    return None if is_nothing(value) else Dropped.NOT_AN_INTEGER


def _whole_number(written: str) -> int | Dropped:
    try:
        number = Decimal(written)
    except InvalidOperation:  # an exponent that decimals do not support
        return Dropped.OUT_OF_RANGE
    if not number:
        return 0
    if number.adjusted() > _INTEGER_DIGITS:
        return Dropped.OUT_OF_RANGE
    if number != number.to_integral_value():
        number = _without_noise(number)
    if number != number.to_integral_value():
        return Dropped.NOT_AN_INTEGER
    return integer(int(number)) or 0


_BOOLEANS: Final[dict[str, bool]] = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}
LONGEST_BOOLEAN: Final = max(map(len, _BOOLEANS))  # of what is written in letters


def boolean(value: Any) -> bool | Dropped | None:
    """Return the boolean for a boolean, 1, 0 or one of the usual words, in any case."""
    kind = type(value)
    if kind is bool:
        return value is True
    if kind is str:
        meant = _BOOLEANS.get(value.strip().lower())
        if meant is None and (meant := _BOOLEANS.get(_usual_digits(value).lower())) is None:
            number = integer(value)  # 1.0, from a column of fractions
            meant = bool(number) if type(number) is int and number in (0, 1) else None
        if meant is not None:
            return meant
    is_number = kind is int or kind is float or (kind is Decimal and value.is_finite())
    if is_number and value in (0, 1):
        return bool(value)
    return None if is_nothing(value) else Dropped.NOT_A_BOOLEAN


# Times

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LOCAL_EPOCH: Final = EPOCH.replace(tzinfo=None)
DAY_SECONDS: Final = 86_400
_NO_OFFSET: Final = timedelta()


class LocalTime(int):
    """Unix seconds of a local time that a clock change makes doubtful: `warning` says how."""

    warning: Warned

    def __new__(cls, seconds: int, warning: Warned) -> Self:
        """Create it from the seconds and the warning."""
        local = super().__new__(cls, seconds)
        local.warning = warning
        return local


def unix_time(value: Any, zone: tzinfo, date_format: str | None = None) -> int | Dropped | None:
    """Return Unix seconds, fractions floored, of a Unix time, a written time, a datetime or a date.

    A time without an offset is in `zone`, and a date is its midnight. The unit of a number, also as
    text, follows from its digits: 9 or 10 are seconds (1973 to 2286), 13 milliseconds, 16
    microseconds, 19 nanoseconds (2001 to 2286); 8 are a date, YYYYMMDD, and 14 or 17 a date and a
    time, YYYYMMDDhhmmss and milliseconds. Nothing else is a time: 12 digits could as well be a
    calendar time without seconds, 18 the ticks of some platforms, 5 the day of a spreadsheet.
    Strings are read as ISO 8601, otherwise as in `dates.read`; `date_format` decides ambiguous days
    and months. For MongoDB's `{"$date": ...}` the contents are used. A local time that a clock
    change skips is read with the offset before it, one that occurs twice is the first: both are a
    `LocalTime`.
    """
    kind = type(value)
    if kind is str:
        return _time_of_text(value, zone, date_format)
    if kind is int or kind is float or kind is Decimal:
        return _time_of_number(value if kind is int else _whole_part(value), zone)
    if isinstance(value, datetime):
        return _seconds(value, zone)
    if isinstance(value, date):
        return _midnight(value.year, value.month, value.day, zone)
    if kind is dict:
        return _time_of_object(value, zone, date_format)
    return None if is_nothing(value) else Dropped.NOT_A_TIME


# protobuf and Firestore; BigQuery's client for JavaScript, DynamoDB, and Firestore's REST API
_OF_SECONDS: Final = {"seconds", "nanos", "_seconds", "_nanoseconds", "nanoseconds"}
_HOLDERS: Final = {"value", "N", "S", "timestampValue"}


def _time_of_object(
    value: dict[str, Any], zone: tzinfo, date_format: str | None
) -> int | Dropped | None:
    """Return the time in an object of a database or client.

    Numbers in MongoDB's Extended JSON are milliseconds of any size.
    """
    if len(value) == 2 and value.keys() <= _OF_SECONDS:  # noqa: PLR2004 - and nanoseconds
        seconds = integer(value.get("seconds", value.get("_seconds")))
        return seconds if type(seconds) is int else Dropped.NOT_A_TIME
    held = _held_by_mongodb(value)
    if type(held) is int:
        return held // 1000
    if held is None and len(value) == 1 and value.keys() <= _HOLDERS:
        held = next(iter(value.values()))
        return Dropped.NOT_A_TIME if type(held) is dict else unix_time(held, zone, date_format)
    return Dropped.NOT_A_TIME if held is None else unix_time(held, zone, date_format)


def _midnight(year: int, month: int, day: int, zone: tzinfo) -> int:
    return _seconds(datetime(year, month, day), zone)  # noqa: DTZ001 - it is in zone


def _seconds(moment: datetime, zone: tzinfo) -> int:
    if moment.tzinfo is not None:
        since = moment - EPOCH
        return since.days * DAY_SECONDS + since.seconds
    offset = zone.utcoffset(moment) or _NO_OFFSET
    since = moment - LOCAL_EPOCH - offset
    seconds = since.days * DAY_SECONDS + since.seconds
    later = zone.utcoffset(moment.replace(fold=1)) or _NO_OFFSET
    if later == offset:
        return seconds
    return LocalTime(seconds, Warned.REPEATED_HOUR if later < offset else Warned.SKIPPED_HOUR)


def _whole_part(number: float | Decimal) -> int:
    """Return the number without its fraction; 0 if it is not finite or far beyond any time."""
    if isinstance(number, float):
        usable = isfinite(number)
    else:
        usable = number.is_finite() and number.adjusted() <= _INTEGER_DIGITS
    return int(number) if usable else 0


# The first number, the first number beyond, and how many of the unit make a second.
_UNITS: Final = (
    (10**8, 10**10, 1),
    (10**12, 10**13, 10**3),
    (10**15, 10**16, 10**6),
    (10**18, 10**19, 10**9),
)
_CALENDAR_DIGITS: Final = (8, 14, 17)  # YYYYMMDD, YYYYMMDDhhmmss, and milliseconds


def _time_of_number(number: int, zone: tzinfo) -> int | Dropped:
    for first, beyond, unit in _UNITS:
        if first <= number < beyond:
            return number // unit
    digits = str(number) if 0 < number < TOO_LARGE else ""
    if len(digits) in _CALENDAR_DIGITS:
        return _time_in_words(digits, zone, None)
    return Dropped.NOT_A_TIME


_is_unix: Final = re.compile(r"[0-9]{8,19}(?:\.[0-9]*)?").fullmatch
_is_exponential: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?[eE]\+?[0-9]+").fullmatch
_iso: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})"
    r"(?:(?:T| +)([0-9]{2}(?::?[0-9]{2}){0,2}(?:[.,][0-9]+)?)"
    r" *(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?|))?"
).fullmatch
_ticks: Final = re.compile(r"\\?/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)\\?/").fullmatch  # .NET
_is_day_over: Final = re.compile(r"24(?::?00){0,2}(?:[.,]0+)?").fullmatch


def _time_of_text(text: str, zone: tzinfo, date_format: str | None) -> int | Dropped | None:
    # Most of all "2026-11-21T10:00:00+00:00". The character before the time is checked, since the
    # library takes any, a digit too. A week is not a day.
    if text[7:8] == "-" and text[10:11] in "T ":
        try:
            return _seconds(datetime.fromisoformat(text), zone)
        except ValueError:
            return _time_of_odd_text(text, zone, date_format)
    return _time_of_odd_text(text, zone, date_format)


def _time_of_odd_text(text: str, zone: tzinfo, date_format: str | None) -> int | Dropped | None:
    """Return the time of a number, of an ISO form that the library does not accept, or of another.

    Such ISO forms are lower-case letters, named zones, and midnight as 24:00.
    """
    text = text.strip() if text.isascii() else _usual_digits(text)
    if _is_unix(text):
        return _time_of_number(int(text.partition(".")[0]), zone)
    found = _iso(text.upper())
    if found is None:
        return _time_as_written(text, zone, date_format) if text else None
    day, clock, offset = found[1], found[2] or "00", found[3] or ""
    over = _is_day_over(clock) is not None
    try:
        moment = datetime.fromisoformat(
            f"{day}T{'00' if over else clock}{'Z' if offset[:1].isalpha() else offset}"
        )
    except ValueError:
        return Dropped.NOT_A_TIME
    return _seconds(moment + timedelta(days=1) if over else moment, zone)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent that decimals do not support
        return Decimal("NaN")


def _time_as_written(text: str, zone: tzinfo, date_format: str | None) -> int | Dropped | None:
    if _is_exponential(text):
        return _time_of_number(_whole_part(_decimal(text)), zone)
    if text[:1] == "{":
        held = read_json(text)
        if type(held) is dict:
            return unix_time(held, zone, date_format)
    if found := _ticks(text):
        return int(found[1]) // 1000
    return _time_in_words(text, zone, date_format)


def _time_in_words(text: str, zone: tzinfo, date_format: str | None) -> int | Dropped:
    written = dates.read(text, date_format)
    if isinstance(written, Dropped):
        return written
    if written is None:
        return Dropped.NOT_A_TIME
    named = dates.zone(written.zone) if written.zone else zone
    return Dropped.NOT_A_TIME if named is None else _seconds(dates.as_datetime(written), named)


# Lists and items


def array(value: Any) -> list[Any] | Dropped | None:
    """Return the list, also from its text (`list_texts`); any other value as its only element.

    A string that may be a list or a value is UNREADABLE_JSON.
    """
    if type(value) is str and is_list_text(value):
        values = read_list(value)
        if values is not None:
            return values or None
    if type(value) is list:
        return value or None
    return None if is_nothing(value) else [value]


def listed(value: Any, *, bracketed: bool = False) -> list[Any]:
    """Return the values of a list, of its text, or of a list of such strings; otherwise the value.

    A string that may be a list but cannot be read is UNREADABLE_JSON among them; if `bracketed`, it
    is kept.
    """
    found: list[Any] = []
    for one in value if type(value) is list else (value,):
        values = array(one) if type(one) is str else [one]
        if isinstance(values, Dropped):
            values = [one if bracketed else values]
        found.extend(values or ())
    return found


def first(value: Any) -> Any:
    """Return the first element of a list, or of its JSON text, that is not missing.

    The value itself if it is not a list, or has no such element.
    """
    values = array(value)
    if type(values) is not list:
        return value
    return next((element for element in values if not is_nothing(element)), value)


def items(value: Any) -> list[Any] | Dropped | None:
    """Return the list of objects in a list, one object, or the JSON text of either.

    Objects in the list may be JSON text themselves. Null and empty entries are dropped; any other
    that is not an object is kept as it is, for the caller to refuse one by one.
    """
    if type(value) is str and value.strip():
        value = read_json(value)
        if value is Dropped.UNREADABLE_JSON:
            return Dropped.UNREADABLE_JSON
    if type(value) is dict:
        return [value]
    if type(value) is not list:
        return None if is_nothing(value) else Dropped.NOT_AN_ITEM
    return [
        entry if type(entry) is dict else item(entry) for entry in value if not is_nothing(entry)
    ] or None


def item(entry: Any) -> Any:
    """Return the object in an entry's JSON text; any other entry as it is."""
    read = read_json(entry) if type(entry) is str and entry.lstrip()[:1] == "{" else entry
    return read if type(read) is dict else entry
