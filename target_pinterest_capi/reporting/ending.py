"""How a run ended: the headline of its report, and whether something needs attention."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from target_pinterest_capi.reporting import numbers
from target_pinterest_capi.reporting.quality import LOW_QUALITY
from target_pinterest_capi.reporting.report import Report, Totals

SIGNALS: Final = 128  # a run that a signal ended exits with this and the signal's number


class Ending(NamedTuple):
    """How a run ended: `kind` is good, warn or bad."""

    kind: str
    title: str


ENDINGS: Final = {
    0: Ending("good", "Completed"),
    1: Ending("bad", "Stopped by an error"),
    3: Ending("bad", "Stopped: too many events failed"),
}
TOO_MUCH_REJECTED: Final = 3
NOTHING_MAPPED: Final = Ending("bad", "Stopped: no record was mapped")
STOPPED_AT_INVALID: Final = Ending("bad", "Stopped at the first invalid event")
BELOW_QUALITY: Final = Ending("bad", "Completed, but below the required quality")


def events_of(report: Report) -> Totals:
    """Return the totals of events only, without members of customer lists."""
    both, members = report.totals, report.members
    return Totals(
        delivered=both.delivered - members.delivered,
        invalid=both.invalid - members.invalid,
        rejected=both.rejected - members.rejected,
        skipped=both.skipped - members.skipped,
    )


def waiting_events(report: Report) -> int:
    """Return how many events wait for the next run, without members of customer lists."""
    return report.run.without_outcome - report.run.members_without_outcome


def headline(report: Report) -> str:
    """Return a line about the run's events, and members of customer lists if there are any."""
    if report.run.mode == "dry_run":
        return f"{numbers.counted(report.delivered.events, 'event')} would be sent"
    waiting = report.run.without_outcome
    verb = "accepted by Pinterest's check" if report.run.mode == "test" else "delivered"
    events, members = events_of(report), report.members
    more = f"; {numbers.number(waiting)} wait for the next run" if waiting else ""
    parts = [
        _share(events, "event", waiting_events(report)),
        _share(members, "list member", report.run.members_without_outcome),
    ]
    said = " and ".join(filter(None, parts))
    if not said:
        return "Nothing was delivered" if report.run.exit_code else "Nothing to deliver"
    if said == "The one event":
        return f"{said} was {verb}{more}"
    return f"{said} {verb}{more}"


def _share(totals: Totals, noun: str, waiting: int) -> str:
    """Return the share of events that were delivered; empty if there were none."""
    attempted = totals.delivered + totals.invalid + totals.rejected + waiting
    if totals.delivered < attempted:
        return f"{numbers.number(totals.delivered)} of {numbers.counted(attempted, noun)}"
    if attempted == 1:
        return f"The one {noun}"
    return f"All {numbers.counted(attempted, noun)}" if attempted else ""


def ending(report: Report) -> Ending:
    """Return how a run ended."""
    code = report.run.exit_code
    if code == TOO_MUCH_REJECTED:
        return _ending_with_failures(report)
    failing = " and ".join(_failing(report))
    if not code and failing:
        return Ending("warn", f"Completed, but some {failing} need attention")
    if code > SIGNALS:
        return Ending("warn", "Interrupted")
    return ENDINGS.get(code, Ending("bad", "Stopped"))


def _ending_with_failures(report: Report) -> Ending:
    """Return how a run ended with exit code 3, which has several causes."""
    if report.run.stopped == LOW_QUALITY:
        return BELOW_QUALITY
    if report.not_found and report.totals.skipped == _all_events(report):
        return NOTHING_MAPPED
    if report.run.settings.get("on_invalid") == "fail":
        return STOPPED_AT_INVALID
    return ENDINGS[TOO_MUCH_REJECTED]


def _failing(report: Report) -> Iterator[str]:
    """Yield what was invalid or rejected: events, members of customer lists, or both."""
    for totals, noun in ((events_of(report), "events"), (report.members, "list members")):
        if totals.invalid + totals.rejected:
            yield noun


def _all_events(report: Report) -> int:
    totals = report.totals
    return totals.delivered + totals.invalid + totals.rejected + totals.skipped
