"""Days in strings, read by python-dateutil with limits that leave it nothing to guess.

Owns which words and readings the library may use. A string has a day, a month and a year of four
digits, and nothing else except the right weekday. Without limits the library uses today's date for
missing parts and this century for two digits. `dates` imports this module for the first text that
needs it, because importing the library takes 0.1 s.
"""

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from dateutil import parser

_FIRST_YEAR: Final = 1000  # of four digits


class _Words(parser.parserinfo):
    """The words that a date can have. Hours, zones and halves of the day are not included."""

    JUMP = [" ", ".", ",", "-", "/", "of", "the", "st", "nd", "rd", "th"]  # noqa: RUF012
    WEEKDAYS: Any = [  # noqa: RUF012
        ("Mon", "Monday"),
        ("Tue", "Tues", "Tuesday"),
        ("Wed", "Weds", "Wednesday"),
        ("Thu", "Thur", "Thurs", "Thursday"),
        ("Fri", "Friday"),
        ("Sat", "Saturday"),
        ("Sun", "Sunday"),
    ]
    HMS: Any = []  # noqa: RUF012
    AMPM: Any = []  # noqa: RUF012
    PERTAIN: list[str] = []  # noqa: RUF012

    def validate(self, res: Any) -> bool:
        """Return whether what was found is exactly one whole day."""
        if None in (res.year, res.month, res.day) or res.hour is not None:
            return False
        if not res.century_specified or res.year < _FIRST_YEAR:
            return False
        weekday = date(res.year, res.month, res.day).weekday()
        return res.weekday in (None, weekday)


_read: Final = parser.parser(_Words()).parse
_UNUSED: Final = datetime(1, 1, 1)  # noqa: DTZ001 - for parts that are missing, which none may be
_is_date: Final = re.compile(r"[a-z0-9 ,./-]+").fullmatch
_has_fraction: Final = re.compile(r"(?<![\d.])\d+\.\d+(?![\d.])").search
_year_is_first: Final = re.compile(r"\D*\d{4}").match
_is_iso: Final = re.compile(r"\d{4}-\d{3}|\d{4}-?w\d\d-?\d").fullmatch  # by days or weeks
# RFC 850: the weekday decides the century of a year with two digits.
_short_year: Final = re.compile(r"([a-z]{6,9}, \d\d-[a-z]{3}-)(\d\d)").fullmatch
_CENTURIES: Final = ("19", "20")


class DayReadings(NamedTuple):
    """The days that a string can mean: None if it is not a day in that order."""

    day_first: date | None
    month_first: date | None


@lru_cache(maxsize=1024)  # the records of a run share their days
def readings(text: str) -> DayReadings:
    """Return the day that a string in lower case means, with the day and with the month first."""
    if not _is_date(text) or _has_fraction(text) or ("-" in text and "/" in text):
        return DayReadings(None, None)
    if found := _short_year(text):
        ends = [readings(f"{found[1]}{century}{found[2]}") for century in _CENTURIES]
        return next(filter(any, ends), DayReadings(None, None))
    if _is_iso(text):
        day = _iso_day(text)
        return DayReadings(day, day)
    month_first = _day(text, day_first=False)
    if _year_is_first(text):
        return DayReadings(month_first, month_first)
    return DayReadings(_day(text, day_first=True), month_first)


def _iso_day(text: str) -> date | None:
    try:
        return parser.isoparse(text.upper()).date()
    except ValueError:
        return None


def _day(text: str, *, day_first: bool) -> date | None:
    try:
        return _read(text, default=_UNUSED, ignoretz=True, dayfirst=day_first).date()
    except (ValueError, OverflowError):
        return None
