"""The part of the page about the events that were delivered: match keys, when they happened, how soon Pinterest had them, ids."""

from collections.abc import Iterable, Sequence
from typing import Final

from target_pinterest_capi.reporting.coverage import COMPONENTS
from target_pinterest_capi.reporting.event_times import HOUR
from target_pinterest_capi.reporting.html.markup import (
    Column,
    Content,
    Markup,
    bar,
    columns,
    counted,
    number,
    percent,
    period,
    section,
    tag,
)
from target_pinterest_capi.reporting.report import (
    ComponentCoverage,
    Delivered,
    NameCoverage,
    Report,
)

PANELS: Final = 5  # event names shown at once, besides all of them together
DELAYS: Final = {
    60: "1 min",
    300: "5 min",
    900: "15 min",
    3600: "1 h",
    21_600: "6 h",
    86_400: "1 day",
    259_200: "3 days",
    604_800: "7 days",
}
UNITS: Final = {3600: "an hour", 86_400: "a day", 604_800: "a week"}


def sections(report: Report) -> Iterable[Markup]:
    """Give the sections; none where nothing was delivered."""
    seen = report.delivered
    if not seen.events:
        return
    yield _coverage(seen)
    yield _over_time(seen)
    if seen.basis == "delivered":
        yield _delays(seen)
    yield _ids(seen, has_ledger=report.run.settings.get("ledger") is True)


# Match keys


def _coverage(seen: Delivered) -> Markup:
    panels = [_panel(entry) for entry in seen.by_event_name]
    if len(panels) > 1:
        panels.insert(0, _panel(_together(seen)))
    shown, rest = panels[: PANELS + 1], panels[PANELS + 1 :]
    more = (
        tag(
            "details",
            tag("summary", f"{counted(len(rest), 'more event name')}"),
            tag("div", *rest, class_="panels"),
        )
        if rest
        else ""
    )
    about = tag(
        "p",
        "The share of events that carry each component of Pinterest's event quality score. The more of them, the more events can "
        "be matched to people. Order id, value and products belong to purchases: a page visit without them lacks nothing.",
        class_="soft",
    )
    rows = [
        tag(
            "tr",
            tag("th", component.title, scope="row"),
            tag("td", tag("code", component.name)),
            tag("td", *_codes(component.fields)),
            tag("td", component.about),
        )
        for component in COMPONENTS
    ]
    heads = tag(
        "tr",
        *(
            tag("th", head, scope="col")
            for head in ("Here", "Pinterest's name", "Map", "What it is good for")
        ),
    )
    key = tag(
        "div",
        tag("table", tag("thead", heads), tag("tbody", *rows)),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label="What the components are",
    )
    legend = tag("details", tag("summary", "What these are, and which field gives each"), key)
    return section("Match keys", about, tag("div", *shown, class_="panels"), more, legend)


def _codes(fields: Sequence[str]) -> list[Content]:
    made: list[Content] = []
    for field in fields:
        made += [" or " if made else "", tag("code", field)]
    return made


def _together(seen: Delivered) -> NameCoverage:
    """Put all names together."""
    sums = {
        component.name: sum(
            entry.components[component.name].events
            for entry in seen.by_event_name
            if component.name in entry.components
        )
        for component in COMPONENTS
    }
    return NameCoverage(
        event_name="All events",
        events=seen.events,
        components={
            name: ComponentCoverage(events=events, coverage=round(100 * events / seen.events, 2))
            for name, events in sums.items()
        },
        repeated_ids=0,
        constant_id=False,
    )


def _panel(entry: NameCoverage) -> Markup:
    """Give the bars of one event name: a table, so that they can be read without being seen."""
    rows = [
        _bar_row(
            component.title, carried.events, entry.events, percent(carried.events, entry.events)
        )
        for component in COMPONENTS
        if (carried := entry.components.get(component.name)) is not None
    ]
    caption = tag(
        "caption",
        entry.event_name,
        tag("span", f" · {counted(entry.events, 'event')}", class_="soft"),
    )
    return tag("table", caption, tag("tbody", *rows), class_="bars")


def _bar_row(about: str, part: int, whole: int, words: str, kind: str = "") -> Markup:
    cells = (
        tag("th", about, scope="row"),
        tag("td", bar(part, whole)),
        tag("td", words, class_="number" if part else "number none"),
    )
    return tag("tr", *cells, **({"class_": kind} if kind else {}))


# Times


def _over_time(seen: Delivered) -> Markup:
    filled = [Column(bucket.start, bucket.events) for bucket in seen.over_time]
    unit = UNITS.get(seen.bucket_seconds, "several weeks")
    first, last = (period(column.start, seen.bucket_seconds) for column in (filled[0], filled[-1]))
    peak = max(filled, key=lambda column: column.value)
    most = f"{number(peak.value)} ({period(peak.start, seen.bucket_seconds)})"
    words = (
        f"{counted(seen.events, 'event')} from {first} to {last}; the most in a column are {most}."
    )
    rows = [
        tag(
            "tr",
            tag("th", period(column.start, seen.bucket_seconds), scope="row"),
            tag("td", number(column.value), class_="number"),
        )
        for column in filled
    ]
    heads = tag(
        "tr", tag("th", "Time, UTC", scope="col"), tag("th", "Events", scope="col", class_="number")
    )
    return section(
        "When they happened",
        tag("p", f"Events by event_time, {unit} in a column, UTC. {words}", class_="soft"),
        columns(
            filled,
            seen.bucket_seconds,
            f"Events over time: {words} The table below has every number.",
            "events",
        ),
        tag(
            "details",
            tag("summary", "The same as a table"),
            tag("table", tag("thead", heads), tag("tbody", *rows), class_="narrow"),
        ),
    )


def _delays(seen: Delivered) -> Markup:
    delays = seen.delays
    highest = max(bucket.events for bucket in delays.buckets)
    rows = [
        _bar_row(
            f"Up to {DELAYS.get(bucket.up_to_seconds, bucket.up_to_seconds)}"
            if bucket.up_to_seconds is not None
            else "Longer",
            bucket.events,
            highest,
            f"{number(bucket.events)} · {percent(bucket.events, seen.events)}",
            "late" if bucket.up_to_seconds is None or bucket.up_to_seconds > HOUR else "",
        )
        for bucket in delays.buckets
    ]
    words = (
        f"{percent(delays.within_an_hour, seen.events)} of the events were at Pinterest within the hour. Later ones, in the "
        "other colour, are reported as offline events."
    )
    caption = tag("caption", "From the event to Pinterest's answer")
    return section(
        "How soon Pinterest had them",
        tag("p", words, class_="soft"),
        tag("table", caption, tag("tbody", *rows), class_="bars wide"),
    )


# Ids


def _ids(seen: Delivered, *, has_ledger: bool) -> Markup:
    repeated = [entry for entry in seen.by_event_name if entry.repeated_ids or entry.constant_id]
    about = "" if seen.event_ids_exact else " Estimated: the run was too long to remember every id."
    if not repeated:
        words = f"No delivered event of this run has the id of another.{about}"
        return section("Event ids", tag("p", words, class_="soft"))
    rows = [
        tag(
            "tr",
            tag("th", entry.event_name, scope="row"),
            tag("td", f"{number(entry.repeated_ids)} of {number(entry.events)}", class_="number"),
            tag(
                "td",
                "the same id for all"
                if entry.constant_id
                else percent(entry.repeated_ids, entry.events),
                class_="number",
            ),
        )
        for entry in repeated
    ]
    heads = ("Event", "Repeat an earlier id", "Share")
    head = tag(
        "tr",
        *(
            tag("th", words, scope="col", **({"class_": "number"} if place else {}))
            for place, words in enumerate(heads)
        ),
    )
    advice = "" if has_ledger else " With ledger_url such repeats are not sent at all."
    words = (
        "Events with the name and the id of an earlier one of this run: Pinterest removes such repeats, except of offline events. "
        f"Where many repeat, check the column that event_id is mapped to.{advice}{about}"
    )
    return section(
        "Event ids",
        tag("p", words, class_="soft"),
        tag("table", tag("thead", head), tag("tbody", *rows), class_="wraps"),
    )
