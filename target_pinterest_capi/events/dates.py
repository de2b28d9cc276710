"""Dates and times as people and programs write them, where the text has one reading.

Owns the forms beside ISO 8601 and Unix times: those of databases, spreadsheets, programming
languages, mail and HTTP. Never guesses: days and months that could change places need
`date_format`, and a year of two digits, a weekday that is not that day's, or a zone's abbreviation
that several countries use is not a time. Never reads a clock or a setting.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from target_pinterest_capi.events import codes
from target_pinterest_capi.events.characters import ascii_digits, nfc
from target_pinterest_capi.events.reasons import LeftOut


class WrittenTime(NamedTuple):
    """What a text says: a day, the time of day if it has one, and its zone as it is written."""

    day: date
    clock: time | None
    zone: str


_MONTHS: Final = {
    name: number
    for number, month in enumerate(codes.MONTHS, 1)
    for name in (month, month[:3], month[:4])
}
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_WEEKDAY: Final = rf"(?:(?P<weekday>{'|'.join(_WEEKDAYS)})[a-z]*[,.]? ?)?"
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_NAME: Final = r"(?P<month>[a-z]+)"
_YEAR: Final = r"(?P<year>\d{4})"
_BETWEEN: Final = r"(?: at |, at |t|[ ,:_-]+)"
_CLOCK: Final = (
    r"(?P<hour>\d{1,2})(?:[:.h]?(?P<minute>\d\d)(?:[:.]?(?P<second>\d\d)"
    r"(?:[.,:](?P<fraction>\d{1,9}))?)?)?(?: ?(?P<half>[ap])\.?m\b\.?)?"
)
_DIGITS: Final = (  # a clock without separators
    r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?:[.,]?(?P<fraction>\d{1,9}))?"
)
_ZONE: Final = r"(?: ?(?P<zone>[a-z(\[+-].*))?"
_DAY_ZONE: Final = r"(?: ?(?P<day_zone>z|utc|gmt|[+-]\d\d:?\d\d))?"  # of a date without a time
_TAIL: Final = rf"(?:{_BETWEEN}{_CLOCK}{_ZONE}|{_DAY_ZONE})"

# In the order in which they are tried; no text fits two of them with different readings.
_FORMS: Final = tuple(
    re.compile(form).fullmatch
    for form in (
        rf"{_WEEKDAY}{_YEAR}(?P<s>[-/.:])(?P<month>\d{{1,2}}|[a-z]+)(?P=s){_DAY}{_TAIL}",
        rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d){_TAIL}",
        rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d){_DIGITS}{_ZONE}",
        rf"{_WEEKDAY}(?P<first>\d{{1,2}})(?P<s>[-/. ])(?P<other>\d{{1,2}})(?P=s){_YEAR}{_TAIL}",
        rf"{_WEEKDAY}{_DAY}[-/., ]+(?:of )?{_NAME}[-/., ]+{_YEAR}{_TAIL}",
        rf"{_WEEKDAY}{_NAME}[-/. ]+{_DAY}[-/., ]+{_YEAR}{_TAIL}",
        # the C library's, with the zone where Java or PostgreSQL has it
        rf"{_WEEKDAY}{_NAME} {_DAY} {_CLOCK}(?: (?P<zone>[a-z]+))? {_YEAR}{_DAY_ZONE}",
    )
)
_NOON: Final = 12
_LONGEST: Final = 100  # characters: with the comments that some languages write behind a time
_MINUS: Final = str.maketrans("\u2212", "-")


def read(text: str, date_format: str | None) -> WrittenTime | LeftOut | None:
    """Return what a text says; AMBIGUOUS_DATE where it has two readings, None where it has none.

    `date_format` (`dmy`, `mdy`) decides what could be read both ways.
    """
    if len(text) > _LONGEST:
        return None
    plain = " ".join(ascii_digits(nfc(text)).translate(_MINUS).lower().split())
    for form in _FORMS:
        if found := form(plain):
            return _written(found.groupdict(), date_format)
    return None


def _written(
    parts: Mapping[str, str | None], date_format: str | None
) -> WrittenTime | LeftOut | None:
    days = list(_days(parts, date_format))
    if len(days) != 1:
        return LeftOut.AMBIGUOUS_DATE if days else None
    try:
        clock = _clock(parts)
    except ValueError:
        return None
    weekday = parts.get("weekday")
    if weekday is not None and _WEEKDAYS[days[0].weekday()] != weekday:
        return None
    return WrittenTime(days[0], clock, parts.get("zone") or parts.get("day_zone") or "")


def _days(parts: Mapping[str, str | None], date_format: str | None) -> Iterator[date]:
    """Yield each day that the parts can be."""
    year, first, other = parts["year"] or "", parts.get("first"), parts.get("other")
    if first is None or other is None:
        yield from _day(year, parts["month"] or "", parts["day"] or "")
        return
    day_first, month_first = [*_day(year, other, first)], [*_day(year, first, other)]
    if not day_first or not month_first or day_first == month_first:
        yield from day_first or month_first
        return
    if date_format != "mdy":
        yield from day_first
    if date_format != "dmy":
        yield from month_first


def _day(year: str, month: str, day: str) -> Iterator[date]:
    number = int(month) if month.isdigit() else _MONTHS.get(month, 0)
    try:
        yield date(int(year), number, int(day))
    except ValueError:
        return


def _clock(parts: Mapping[str, str | None]) -> time | None:
    """Return the time of day; None where there is none. Raises ValueError on one that cannot be."""
    if parts.get("hour") is None:
        return None
    hour, half = int(parts["hour"] or ""), parts.get("half")
    if half is not None:
        if not 1 <= hour <= _NOON:
            raise ValueError(hour)
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    elif parts["minute"] is None:
        raise ValueError(hour)
    minute, second = int(parts["minute"] or 0), int(parts["second"] or 0)
    return time(hour, minute, second, int((parts["fraction"] or "").ljust(6, "0")[:6]))


# Zones

_offset: Final = re.compile(
    r"(?:(?:utc|gmt|ut) ?)?([+-])(\d{1,2})(?::?([0-5]\d))?(?::?00)?"
    # what may repeat the zone: JavaScript's (Central European Time), Java's [Europe/Berlin], Go's
    # CET or +01, and the reading of its other clock
    r"(?: ?\(.*\)| ?\[.*\]| [a-z]{1,5}| [+-]\d{2,4})?(?: m=[+-][\d.]+)?"
).fullmatch
_utc: Final = re.compile(
    r"(?:z|utc|gmt|ut|zulu)(?: ?\(.*\)| ?\[.*\])?|\(?coordinated universal time\)?"
).fullmatch
_named: Final = re.compile(r"[(\[]?([a-z_]+(?:/[a-z_0-9+-]+)+)[)\]]?").fullmatch
_LONGEST_OFFSET: Final = 18  # hours, of ISO 8601's users: Java
# Abbreviations of one meaning. CST, PST, IST, BST and others are those of several countries.
_ABBREVIATIONS: Final = {
    "est": -5, "edt": -4, "mst": -7, "mdt": -6, "pdt": -7, "wet": 0, "west": 1, "cet": 1,
    "cest": 2, "eet": 2, "eest": 3, "jst": 9,
}  # fmt: skip


def zone(written: str) -> tzinfo | None:
    """Return the zone that a time's text names; None for one that is unknown or several."""
    if _utc(written):
        return UTC
    if found := _offset(written):
        sign, hours, minutes = found[1], int(found[2]), int(found[3] or 0)
        if hours > _LONGEST_OFFSET:
            return None
        distance = timedelta(hours=hours, minutes=minutes)
        return timezone(-distance if sign == "-" else distance)
    if written in _ABBREVIATIONS:
        return timezone(timedelta(hours=_ABBREVIATIONS[written]))
    found = _named(written)
    name = _zone_names().get(found[1]) if found else None
    return ZoneInfo(name) if name else None


@cache
def _zone_names() -> Mapping[str, str]:
    return {name.lower(): name for name in available_timezones()}


def as_datetime(written: WrittenTime) -> datetime:
    """Return the day and its time, midnight where it has none, without a zone."""
    return datetime.combine(written.day, written.clock or time())
