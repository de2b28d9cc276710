"""Everything that was not delivered as intended: each reason with total, places and advice."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from target_pinterest_capi.reporting.report import ReasonCount, Report, ValueCount

NOTHING_TO_DO: Final = "Nothing to do."


class Place(NamedTuple):
    """Where a reason occurred, and how often: stream, entry, and event name or field."""

    parts: Sequence[str]
    total: int

    @property
    def name(self) -> str:
        """All of it on one line."""
        return " · ".join(self.parts)


class Cause(NamedTuple):
    """One reason over all its places, the largest first.

    `outcome` is empty if the events were sent nevertheless.
    """

    words: str
    advice: str
    total: int
    places: Sequence[Place]
    outcome: str = ""

    @property
    def anchor(self) -> str:
        """The id of its place on the page, for links."""
        return "-".join(("why", self.outcome or "value", *re.findall(r"\w+", self.words)[:12]))


class Causes(NamedTuple):
    """The causes by their effect on the events."""

    failed: Sequence[Cause]
    dropped: Sequence[Cause]
    doubtful: Sequence[Cause]
    warnings: Sequence[Cause]
    skipped: Sequence[Cause]


def find_causes(report: Report) -> Causes:
    """Return the causes in a report.

    Those that need action come first, then the more frequent ones.
    """
    return Causes(
        failed=_causes(row for row in report.reasons if row.outcome != "skipped"),
        dropped=_causes(row for row in report.values if not row.sent),
        doubtful=_causes(row for row in report.values if row.sent),
        warnings=[
            Cause(
                row.message,
                "Pinterest's message. The events were delivered.",
                row.events,
                [Place((name,), events) for name, events in row.event_names.items()],
            )
            for row in report.warnings
        ],
        skipped=_causes(row for row in report.reasons if row.outcome == "skipped"),
    )


def urgent_causes(causes: Causes) -> list[Cause]:
    """Return what needs action: lost events, then values, then doubtful ones."""
    found = [*causes.failed, *causes.dropped, *causes.doubtful, *causes.warnings]
    return [cause for cause in found if cause.advice != NOTHING_TO_DO]


def _causes(rows: Iterable[ReasonCount | ValueCount]) -> list[Cause]:
    groups: defaultdict[tuple[str, str], list[ReasonCount | ValueCount]] = defaultdict(list)
    for row in rows:
        groups[_outcome(row), row.reason].append(row)
    causes = [_cause(outcome, reason, found) for (outcome, reason), found in groups.items()]
    return sorted(causes, key=_urgency)


def _cause(outcome: str, reason: str, rows: Sequence[ReasonCount | ValueCount]) -> Cause:
    places = sorted(map(_place, rows), key=lambda place: -place.total)
    total = sum(place.total for place in places)
    return Cause(_words(reason), rows[0].advice, total, places, outcome)


def _urgency(cause: Cause) -> tuple[bool, int]:
    return cause.advice == NOTHING_TO_DO, -cause.total


def _outcome(row: ReasonCount | ValueCount) -> str:
    return row.outcome if isinstance(row, ReasonCount) else ""


def _place(row: ReasonCount | ValueCount) -> Place:
    if isinstance(row, ReasonCount):
        name = row.event_name or row.field
        total = row.events
    else:
        name = row.field
        total = row.values
    parts = [part for part in (row.stream, row.mapping, name) if part]
    return Place(parts, total)


def _words(reason: str) -> str:
    """Return a reason's name as words; a sentence stays one."""
    return reason if " " in reason else reason.replace("_", " ")
