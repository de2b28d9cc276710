"""Unambiguous dates and times as people and programs write them.

Owns the formats other than ISO 8601 and Unix times: those of databases, spreadsheets, programming
languages, mail and HTTP. The day is read by a library (`written_days`). The time of day and the
zone are read here, because the library takes `GMT+0100` for an hour west of Greenwich, and `10.30`
for eighteen seconds past ten. Never guesses: days and months that are ambiguous need `date_format`,
and a year of two digits, the wrong weekday, or a zone's abbreviation that several countries use is
not a time. Never reads a clock or a setting.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from target_pinterest_capi.events.characters import ascii_digits, nfc
from target_pinterest_capi.events.reasons import Dropped


class WrittenTime(NamedTuple):
    """The parts of a string: a day, the time since its midnight if any, and its zone as written."""

    day: date
    clock: timedelta | None
    zone: str


LONGEST: Final = 100  # characters: with the comments that some languages write after a time
_MINUS: Final = str.maketrans("\u2212", "-")

_MAIL: Final = r"([a-z]{3}, \d\d? [a-z]{3} \d{4} [\d:]+)"
# What some programs write, and the same in a readable form.
_REWRITTEN: Final = {
    # JSON in a string, the shells of MongoDB and pandas, literals of SQL, ODBC and Clojure
    r"(?:(?:isodate|timestamp|datetime64|(?:new )?date)\(|(?:\{ts|timestamp|#inst) )?"
    r"([\"'])([^\"']+)\1(?:, tz=[^)]*)?[)}]?": r"\2",
    r"'([^']+)": r"\1",  # spreadsheets
    r"(\d{4}):(\d\d):(\d\d)\b(.*)": r"\1-\2-\3\4",  # cameras
    # Korea, Japan and China, and Central Europe
    r"(\d{4})(?:\. |\u5e74|\ub144 )(\d\d?)(?:\. |\u6708|\uc6d4 )(\d\d?)[.\u65e5\uc77c]?(.*)": (
        r"\1-\2-\3 \4"
    ),
    r"(\d\d?)\. (\d\d?)\. (\d{4})(.*)": r"\1.\2.\3\4",
    r"\[?(\d\d/[a-z]+/\d{4}):([^\]]+)\]?": r"\1 \2",  # web servers
    rf"{_MAIL} pst": r"\1 -0800",  # RFC 2822 defines them, in mail only
    rf"{_MAIL} cdt": r"\1 -0500",
}
_rewritten: Final = tuple(re.compile(form).fullmatch for form in _REWRITTEN)

# The text of a day ends or begins with its year.
_DATE: Final = (
    r"(?P<date>[a-z., ]*\d{4}[-/., ]+(?:\d\d?|[a-z]+)[-/., ]+\d\d?(?:st|nd|rd|th)?"
    r"|\d{8}|\d{4}-\d{3}|\d{4}-?w\d\d-?\d"
    r"|[a-z\d][a-z\d/., -]*?(?<!\d)\d{4}|[a-z]{6,9}, \d\d-[a-z]{3}-\d\d)"
)
_BETWEEN: Final = r"(?:,? at |(?<=\d)t|[ ,:_-]+)"
_CLOCK: Final = (  # an hour alone is not a time of day
    r"(?=\d\d?(?:[:.h]?\d\d| ?[ap]\.? ?m\b))(?P<hour>\d{1,2})(?:[:.h]?(?P<minute>\d\d)"
    r"(?:[:.]?(?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?)?)?"
    r"(?: ?(?P<half>[ap])\.? ?m\b\.?)?"
)
_DIGITS: Final = (  # a clock without separators
    r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?:[.,]?(?P<fraction>\d{1,9}))?"
)
_ZONE: Final = r"(?: ?(?P<zone>[a-z(\[+-].*))?"
# of a date without a time, where four digits after a hyphen may be the year
_DAY_ZONE: Final = r"(?: ?(?P<day_zone>z|utc|gmt|[+-]\d\d:\d\d|(?<= )[+-]\d{4}))?"

# of the C library: with the zone where Java, PostgreSQL and others have it
_C_DATE: Final = r"(?P<date>[a-z ,.]*\d\d?(?: [a-z]+)?)"
_C_ZONE: Final = r"(?: (?P<zone>[a-z]+|(?:gmt|utc)?[+-]\d\d:?\d\d))?"

# Where the time of day is, in the order in which they are tried.
_FORMS: Final = tuple(
    re.compile(form).fullmatch
    for form in (
        rf"(?P<date>\d{{8}}){_DIGITS}{_ZONE}",
        rf"{_DATE}{_BETWEEN}{_CLOCK}{_ZONE}",
        rf"{_C_DATE} {_CLOCK}{_C_ZONE} (?P<year>\d{{4}}){_DAY_ZONE}",
        rf"{_CLOCK}(?: (?P<zone>z|utc|gmt))?(?:,? on |[ ,]+)(?P<date>.+)",
        rf"(?P<date>.+?){_DAY_ZONE}",
    )
)
_NOON: Final = 12
_END_OF_DAY: Final = (24, 0, 0, 0)


def read(text: str, date_format: str | None) -> WrittenTime | Dropped | None:
    """Return the parts of a string; AMBIGUOUS_DATE if it is ambiguous, None if it is not a time.

    `date_format` (`dmy`, `mdy`) decides ambiguous days and months.
    """
    if len(text) > LONGEST:
        return None
    plain = " ".join(ascii_digits(nfc(text)).translate(_MINUS).lower().split())
    for has_form, written in zip(_rewritten, _REWRITTEN.values(), strict=True):
        if found := has_form(plain):
            plain = found.expand(written).strip()
    for has_form in _FORMS:
        if found := has_form(plain):
            return _written(found.groupdict(), date_format)
    return None


def _written(
    parts: Mapping[str, str | None], date_format: str | None
) -> WrittenTime | Dropped | None:
    from target_pinterest_capi.events import written_days  # noqa: PLC0415 - brings a library

    days = written_days.readings(" ".join(filter(None, (parts["date"], parts.get("year")))))
    if date_format is None and None not in days and days.day_first != days.month_first:
        return Dropped.AMBIGUOUS_DATE
    first, other = reversed(days) if date_format == "mdy" else days
    day = first or other
    try:
        clock = _clock(parts)
    except ValueError:
        return None
    zone_name = parts.get("zone") or parts.get("day_zone") or ""
    return WrittenTime(day, clock, zone_name) if day else None


def _clock(parts: Mapping[str, str | None]) -> timedelta | None:
    """Return the time since midnight, or None. Raises ValueError for an impossible one."""
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
    fraction = int((parts["fraction"] or "").ljust(6, "0")[:6])
    if (hour, minute, second, fraction) == _END_OF_DAY:
        return timedelta(days=1)
    time(hour, minute, second)  # raises where one is too large
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=fraction)


# Zones

_offset: Final = re.compile(
    r"(?:(?:utc|gmt|ut) ?)?([+-])(\d{1,2})(?::?([0-5]\d))?(?::?00)?"
    # what may repeat the zone: JavaScript's (Central European Time), Java's [Europe/Berlin], Go's
    # CET or +01, and the reading of its other clock
    r"(?: ?\(.*\)| ?\[.*\]| [a-z]{1,5}| [+-]\d{2,4})?(?: m=[+-][\d.]+)?"
).fullmatch
_utc: Final = re.compile(
    r"(?:z|utc|gmt|ut|zulu)(?: ?\(.*\)| ?\[.*\])?|\(?(?:utc|gmt|coordinated universal time)\)?"
).fullmatch
_named: Final = re.compile(r"[(\[]?([a-z_]+(?:/[a-z_0-9+-]+)+)[)\]]?").fullmatch
_LONGEST_OFFSET: Final = 18  # hours, of ISO 8601's users: Java
# Unambiguous abbreviations. CST, PST, IST, BST and others are used in several countries.
_ABBREVIATIONS: Final = {
    "est": -5, "edt": -4, "mst": -7, "mdt": -6, "pdt": -7, "wet": 0, "west": 1, "cet": 1,
    "cest": 2, "eet": 2, "eest": 3, "jst": 9,
}  # fmt: skip


def zone(written: str) -> tzinfo | None:
    """Return the zone in a time's text; None for an unknown or ambiguous one."""
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
    """Return the day and its time, midnight if it has none, without a zone."""
    return datetime.combine(written.day, time()) + (written.clock or timedelta())
