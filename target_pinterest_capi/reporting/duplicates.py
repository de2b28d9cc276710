"""What a report says of the ids of its events: which repeat, and which are not the record's own.

Sentences for the page and for a terminal. Counts nothing: `event_ids` does.
"""

from collections.abc import Iterator

from target_pinterest_capi.events.reasons import Skipped
from target_pinterest_capi.reporting.numbers import counted, number, percent
from target_pinterest_capi.reporting.report import NameCoverage, Report


def repeated_names(report: Report) -> list[NameCoverage]:
    """Return the event names whose events repeat ids."""
    return [name for name in report.delivered.by_event_name if name.repeated_ids]


def about_ids(report: Report) -> Iterator[str]:
    """Yield a sentence for whatever there is to say of all events of a run."""
    in_ledger = sum(row.events for row in report.reasons if row.reason == Skipped.IN_LEDGER)
    if in_ledger:
        repeat, them = ("repeats", "it") if in_ledger == 1 else ("repeat", "them")
        yield (
            f"{counted(in_ledger, 'event')} {repeat} the name and id of one that was delivered, in "
            f"this run or before, and the ledger kept {them} from being sent again."
        )
    derived = {
        name.event_name: name.derived_ids
        for name in report.delivered.by_event_name
        if name.derived_ids
    }
    if derived:
        total, events = sum(derived.values()), report.delivered.events
        names = ", ".join(f"{number(count)} {name}" for name, count in derived.items())
        yield (
            f"{number(total)} of {counted(events, 'event')} ({percent(total, events)}) came "
            f"without an event_id ({names}): theirs is derived from the record. Where the "
            "Pinterest tag sends the same events, map event_id to the id that the tag sends; "
            "otherwise Pinterest counts them twice."
        )
    if not (repeated_names(report) or report.constant_ids):
        yield "No delivered event of this run has the id of another."
    if not report.delivered.event_ids_exact:
        yield "Repeated ids are estimated: the run was too long to remember every id."
