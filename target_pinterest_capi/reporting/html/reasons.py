"""The part of the page about what did not go as meant: every reason with its count, its places and what to do about it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from target_pinterest_capi.reporting.html.markup import (
    Markup,
    join,
    number,
    prose,
    section,
    sentence,
    tag,
)
from target_pinterest_capi.reporting.report import ReasonCount, Report, ValueCount

SHOWN: Final = 6  # places of one reason that are listed at once
NOTHING_TO_DO: Final = "Nothing to do."


class _Why(NamedTuple):
    """One reason over all places: `tone` is an outcome's, or empty."""

    reason: str
    advice: str
    total: int
    places: Sequence[tuple[str, int]]
    tone: str = ""


def sections(report: Report) -> Iterable[Markup]:
    """Give the section; none where nothing is to be told."""
    failed = _by_reason([row for row in report.reasons if row.outcome != "skipped"])
    skipped = _by_reason([row for row in report.reasons if row.outcome == "skipped"])
    values = [row for row in report.values if not row.sent]
    doubtful = [row for row in report.values if row.sent]
    warnings = [
        _Why(row.message, "In Pinterest's words. The events count.", row.events, ())
        for row in report.warnings
    ]
    parts = (
        ("Events that were not delivered", _letters(report), failed),
        (
            "Values left out",
            "Their events went without them, which makes them harder to match.",
            _values(values),
        ),
        ("Sent, but perhaps not as meant", "", _values(doubtful)),
        (
            "Pinterest's warnings",
            "Pinterest processed these events and remarked on them.",
            warnings,
        ),
        ("Left out on purpose", "By your settings, or since they were delivered before.", skipped),
    )
    made = [
        join(
            [
                tag("h3", title),
                tag("p", about, class_="soft small") if about else "",
                tag("div", *map(_why, whys), class_="reasons"),
            ]
        )
        for title, about, whys in parts
        if whys
    ]
    if made:
        yield section("What to do", *made)


def _letters(report: Report) -> str:
    written = report.run.dead_letters_written
    return (
        f"Each has a line in the dead letters, {report.run.dead_letters}, with its reason and its key."
        if written
        else ""
    )


def _by_reason(rows: Iterable[ReasonCount]) -> list[_Why]:
    groups: defaultdict[tuple[str, str], list[ReasonCount]] = defaultdict(list)
    for row in rows:
        groups[row.outcome, row.reason].append(row)
    whys = [
        _Why(
            reason,
            found[0].advice,
            sum(row.events for row in found),
            [
                (" · ".join(filter(None, (row.stream, row.mapping, row.event_name))), row.events)
                for row in found
            ],
            outcome,
        )
        for (outcome, reason), found in groups.items()
    ]
    return sorted(whys, key=lambda why: (why.advice == NOTHING_TO_DO, -why.total))


def _values(rows: Iterable[ValueCount]) -> list[_Why]:
    groups: defaultdict[str, list[ValueCount]] = defaultdict(list)
    for row in rows:
        groups[row.reason].append(row)
    whys = [
        _Why(
            reason,
            found[0].advice,
            sum(row.values for row in found),
            [
                (" · ".join(filter(None, (row.stream, row.mapping, row.field))), row.values)
                for row in found
            ],
        )
        for reason, found in groups.items()
    ]
    return sorted(whys, key=lambda why: -why.total)


def _why(why: _Why) -> Markup:
    places = [
        tag("li", tag("b", number(count)), f" {place}")
        for place, count in sorted(why.places, key=lambda place: -place[1])
    ]
    listed = tag("ul", *places[:SHOWN]) if places else ""
    rest = (
        tag("details", tag("summary", f"{len(places) - SHOWN} more"), tag("ul", *places[SHOWN:]))
        if len(places) > SHOWN
        else ""
    )
    words = tag(
        "div", tag("h4", sentence(_worded(why.reason))), tag("p", prose(why.advice)), listed, rest
    )
    return tag("div", tag("strong", number(why.total)), words, class_=f"reason {why.tone}".rstrip())


def _worded(reason: str) -> str:
    """Give a reason's name as words; a sentence stays one."""
    return reason if " " in reason else reason.replace("_", " ")
