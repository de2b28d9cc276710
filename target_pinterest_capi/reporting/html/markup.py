"""What the page is made of: safe markup, numbers as people read them, bars and the chart. Pure; text in is always escaped.

`Markup` is text that is safe as it stands; whatever else is put into an element is escaped on the way.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final, NamedTuple

from target_pinterest_capi.reporting.event_times import DAY, HOUR, WEEK

TICKS: Final = 7  # labels below a chart, at most
# Widths between two labels, in seconds.
STEPS: Final = (
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    WEEK,
    2 * WEEK,
    4 * WEEK,
    13 * WEEK,
    52 * WEEK,
)
LAST_LABEL: Final = 0.93  # of the width: what begins further right would stick out
FIRST_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | Markup


def text(content: Content) -> Markup:
    """Give content as HTML: escaped, unless it is that already."""
    return content if isinstance(content, Markup) else Markup(escape(content, quote=True))


def join(parts: Iterable[Content], between: str = "") -> Markup:
    """Put parts together."""
    return Markup(between.join(text(part) for part in parts))


def tag(name: str, *content: Content, **attributes: str) -> Markup:
    """Give an element. An attribute's trailing underscore is cut and its others are dashes: `class_`, `data_of`, `aria_label`."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{given}>{join(content)}</{name}>")


def section(title: str, *content: Content) -> Markup:
    """Give a section that its title names."""
    name = anchor(title)
    return tag("section", tag("h2", title, id=name), *content, class_="card", aria_labelledby=name)


def anchor(title: str) -> str:
    """Give the id of the section of a title."""
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())


def prose(words: str) -> Markup:
    """Give plain words; what stands between backticks is code."""
    return join(
        tag("code", part) if place % 2 else part for place, part in enumerate(words.split("`"))
    )


def sentence(words: str) -> str:
    """Give words with a capital at their start."""
    return words[:1].upper() + words[1:]


# Numbers and times


def number(count: int) -> str:
    """Give a count with its thousands apart."""
    return f"{count:,}"


def counted(count: int, one: str, many: str = "") -> str:
    """Give a count with its noun."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def percent(part: int, whole: int) -> str:
    """Give a share. 0 and 100 are said of nothing less than none and all."""
    if not whole or not part:
        return "0%"
    share = 100 * part / whole
    if part < whole and share >= 99.5:  # noqa: PLR2004 - would round to all
        return "99.9%" if share >= 99.85 else f"{share:.1f}%"  # noqa: PLR2004
    return "<0.1%" if share < 0.05 else f"{share:.1f}%" if share < 9.95 else f"{share:.0f}%"  # noqa: PLR2004


def duration(seconds: float) -> str:
    """Give a duration in its two largest units."""
    if seconds < 10:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    whole = round(seconds)
    units = (("d", DAY), ("h", HOUR), ("min", 60), ("s", 1))
    sizes = [
        (whole % before // size, name)
        for (name, size), before in zip(units, (whole + 1, DAY, HOUR, 60), strict=True)
    ]
    first = next(position for position, (count, _) in enumerate(sizes) if count)
    return " ".join(f"{count} {name}" for count, name in sizes[first : first + 2] if count)


def moment(at: datetime) -> str:
    """Give a time of day and its date, UTC."""
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


# Bars


def bar(part: int, whole: int) -> Markup:
    """Give a bar; the number that it shows stands beside it, so it is hidden from screen readers."""
    width = f"width:{100 * part / whole:.2f}%" if whole else "width:0"
    return tag("span", tag("i", style=width), class_="track", aria_hidden="true")


class Column(NamedTuple):
    """One column of a chart."""

    start: datetime
    value: int


def columns(filled: Sequence[Column], width_seconds: int, title: str, unit: str) -> Markup:
    """Give a column chart over time. `filled` are the columns that are not empty, in order, each `width_seconds` wide."""
    begin = filled[0].start
    slots = round((filled[-1].start - begin).total_seconds() / width_seconds) + 1
    top = nice_top(max(column.value for column in filled))
    marks = [
        Markup(f'<line x1="0" x2="100%" y1="{100 * step / 2:g}%" y2="{100 * step / 2:g}%"/>')
        for step in range(3)
    ]
    for column in filled:
        slot = (column.start - begin).total_seconds() / width_seconds
        height = 100 * column.value / top
        shape = f'x="{100 * (slot + 0.08) / slots:.3f}%" y="{100 - height:.2f}%" width="{84 / slots:.3f}%" height="{height:.2f}%"'
        hint = tag("title", f"{period(column.start, width_seconds)}: {number(column.value)} {unit}")
        marks.append(Markup(f'<rect {shape} rx="1.5">{hint}</rect>'))
    drawing = Markup(
        f'<svg role="img" aria-label="{escape(title, quote=True)}">{join(marks)}</svg>'
    )
    labels = [tag("span", number(value)) for value in (top, top // 2, 0)]
    return tag(
        "div",
        tag("div", *labels, class_="scale", aria_hidden="true"),
        drawing,
        _days(begin, slots, width_seconds),
        class_="chart",
    )


def _days(begin: datetime, slots: int, width_seconds: int) -> Markup:
    """Give the labels below a chart, each at the beginning of what it names; every second one can go where it is narrow."""
    span = slots * width_seconds
    step = next(
        (step for step in STEPS if step >= width_seconds and span / step <= TICKS), STEPS[-1]
    )
    while span / step > TICKS:
        step *= 2
    late = (begin - FIRST_MONDAY) % timedelta(seconds=step)
    at = begin if not late else begin + timedelta(seconds=step) - late
    made: list[Markup] = []
    midnights = step < DAY and span > DAY  # these stay where there is less room
    while (place := (at - begin).total_seconds() / span) < LAST_LABEL:
        second = {"class_": "second"} if (at.hour if midnights else len(made) % 2) else {}
        words = (
            f"{at:%H:%M}"
            if step < DAY and at.hour
            else f"{at.day} {at:%b}"
            if step < 13 * WEEK
            else f"{at:%b %Y}"
        )
        made.append(tag("span", words, style=f"left:{100 * place:.2f}%", **second))
        at += timedelta(seconds=step)
    return tag("div", *made, class_="days", aria_hidden="true")


def period(start: datetime, width_seconds: int) -> str:
    """Name a column's time."""
    if width_seconds == HOUR:
        return f"{start.day} {start:%b %Y, %H:%M}"
    if width_seconds == DAY:
        return f"{start:%a} {start.day} {start:%b %Y}"
    return f"{counted(width_seconds // WEEK, 'week')} from {start.day} {start:%b %Y}"


def nice_top(highest: int) -> int:
    """Give the round, even number that a scale ends at."""
    size = 2
    while True:
        for step in (1, 2, 3, 5):
            if highest <= step * size:
                return step * size
        size *= 10
