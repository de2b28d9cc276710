"""How a run ended: the headline of its report, and whether something needs attention."""

from typing import Final, NamedTuple

from target_pinterest_capi.reporting import numbers
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


def events_of(report: Report) -> Totals:
    """Return the totals of events only, without members of customer lists."""
    both, members = report.totals, report.members
    return Totals(
        delivered=both.delivered - members.delivered,
        invalid=both.invalid - members.invalid,
        rejected=both.rejected - members.rejected,
        skipped=both.skipped - members.skipped,
    )


def headline(report: Report) -> str:
    """Return a line about the run's events, and members of customer lists if there are any."""
    if report.run.mode == "dry_run":
        return f"{numbers.counted(report.delivered.events, 'event')} would be sent"
    waiting = report.run.without_outcome
    verb = "accepted by Pinterest's check" if report.run.mode == "test" else "delivered"
    events, members = events_of(report), report.members
    more = f"; {numbers.number(waiting)} wait for the next run" if waiting else ""
    parts = [
        _share(totals, noun, waiting if noun == "event" else 0)
        for totals, noun in ((events, "event"), (members, "list member"))
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
    if code == TOO_MUCH_REJECTED and report.totals.skipped == _all_events(report):
        return NOTHING_MAPPED if report.not_found else ENDINGS[code]
    if not code and report.totals.rejected + report.totals.invalid:
        return Ending("warn", "Completed, but some events need attention")
    if code > SIGNALS:
        return Ending("warn", "Interrupted")
    return ENDINGS.get(code, Ending("bad", "Stopped"))


def _all_events(report: Report) -> int:
    totals = report.totals
    return totals.delivered + totals.invalid + totals.rejected + totals.skipped
