"""Numbers, times and words for people: pure functions, the templates' filters."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from target_pinterest_capi.reporting.event_times import DAY, HOUR, WEEK

# Units of a duration, the largest first, each with its seconds.
UNITS: Final = (("d", DAY), ("h", HOUR), ("min", 60), ("s", 1))


def sentence(words: str) -> str:
    """Return a string with a capital at its start, unless it starts with the name of a field."""
    first = words.split(" ", 1)[0]
    return words if "_" in first else words[:1].upper() + words[1:]


def number(count: int) -> str:
    """Return a count with thousands separators."""
    return f"{count:,}"


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    noun = one if count == 1 else many or f"{one}s"
    return f"{number(count)} {noun}"


def money(value: Decimal, currency: str | None) -> str:
    """Return an amount with thousands separators and its currency."""
    return f"{value:,f} {currency}" if currency else f"{value:,f}"


def percent(part: int, whole: int) -> str:
    """Return a share. Only zero is 0%, and only everything is 100%."""
    if not part or not whole:
        return "0%"
    share = 100 * part / whole
    if share < 0.05:  # noqa: PLR2004 - would round to none
        return "<0.1%"
    if part < whole and share >= 99.5:  # noqa: PLR2004 - would round to all
        return f"{min(share, 99.9):.1f}%"
    return f"{share:.1f}%" if share < 9.95 else f"{share:.0f}%"  # noqa: PLR2004


def duration(seconds: float) -> str:
    """Return a duration in its two largest units, and tenths of a second below ten seconds."""
    if seconds < 10:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    rest = round(seconds)
    counts: list[tuple[int, str]] = []
    for unit, size in UNITS:
        count, rest = divmod(rest, size)
        if count or counts:
            counts.append((count, unit))
    largest = counts[:2]
    return " ".join(f"{count} {unit}" for count, unit in largest if count)


def moment(at: datetime) -> str:
    """Return a date and its time of day, UTC."""
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def period(start: datetime, width_seconds: int) -> str:
    """Return the name of an hour, a day, or some weeks, by when it starts."""
    if width_seconds == HOUR:
        return f"{start.day} {start:%b %Y, %H:%M}"
    if width_seconds == DAY:
        return f"{start:%a} {start.day} {start:%b %Y}"
    return f"{counted(width_seconds // WEEK, 'week')} from {start.day} {start:%b %Y}"


def longest_delay(seconds: int | None) -> str:
    """Return the name of a bucket's longest delay; `None` is the bucket without a limit."""
    if seconds is None:
        return "Longer"
    if seconds < DAY:
        return f"Up to {duration(seconds)}"
    return f"Up to {counted(seconds // DAY, 'day')}"
