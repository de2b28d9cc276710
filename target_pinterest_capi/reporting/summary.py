"""A run's log lines at its end: each outcome and reason with advice, then the totals."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.outcomes import Outcome, advice_about
from target_pinterest_capi.events.reasons import Skipped
from target_pinterest_capi.events.redaction import shown_name, shown_path
from target_pinterest_capi.reporting.customer_lists import CustomerListReport
from target_pinterest_capi.reporting.event_ids import about_constant_id
from target_pinterest_capi.reporting.quality import LOW_QUALITY

LOST: Final = (Outcome.INVALID, Outcome.REJECTED)

if TYPE_CHECKING:
    from target_pinterest_capi.reporting.counters import Counters, NoteCount, OutcomeCount
    from target_pinterest_capi.reporting.report_file import FinishedRun


def log_summary(
    logger: logging.Logger,
    run: "FinishedRun",
    lists: Iterable[CustomerListReport],
    exit_code: int,
    failure: str | None = None,
) -> None:
    """Log what became of every record of a run, and of its customer lists.

    `failure` is why it failed; a run that was complete has not stopped.
    """
    is_done = not exit_code or failure == LOW_QUALITY
    tally = run.tally
    for row in tally.outcomes():
        reason = f" {row.reason}" if row.reason else ""
        line = f"{_named(row.origin)}: {row.outcome}{reason} {row.number}{_advice(row.reason)}"
        level = logging.WARNING if row.outcome in LOST else logging.INFO
        logger.log(level, "%s", line, extra=_members(row))
    for note in tally.notes():
        line = (
            f"{_named(note.origin)}: {shown_name(note.field)} {note.reason} {note.number}"
            f"{_advice(note.reason)}"
        )
        logger.warning("%s", line, extra=_members(note))
    for message, number in tally.warnings().items():
        logger.warning("Pinterest warned about %d delivered events: %s", number, message)
    for line in about_delivery(tally):
        logger.warning("%s", line)
    for line in about_names(tally):
        logger.info("%s", line)
    for report in lists:
        for line in report.lines():
            logger.info("%s", line, extra={"customer_list": report.name})
        if report.warning() is not None:
            logger.warning("%s", report.warning(), extra={"customer_list": report.name})
    numbers = numbers_of(run, exit_code)
    has_lost = any(row.outcome in LOST for row in tally.outcomes())
    logger.log(
        logging.WARNING if exit_code or has_lost else logging.INFO,
        "%s%s; %s",
        in_words(run, "Done" if is_done else "Stopped"),
        f", dead letters in {shown_path(run.settings.dead_letter_path)}"
        if run.dead_letters_written
        else "",
        pairs(numbers),
        extra=numbers,
    )


def numbers_of(run: "FinishedRun", exit_code: int) -> dict[str, object]:
    """Return the numbers of a run by the names that they have in the results' table of runs."""
    requests = run.requests
    return {
        "run_id": run.run_id,
        "exit_code": exit_code,
        "seconds": round(run.seconds, 3),
        "records": run.sequence,
        **run.tally.by_outcome(),
        "without_outcome": run.without_outcome,
        "requests": requests.sent,
        "requests_repeated": requests.repeated,
        "requests_bisecting": requests.bisecting,
        "states_written": run.states_written,
        "dead_letters_written": run.dead_letters_written,
    }


def pairs(numbers: Mapping[str, object]) -> str:
    """Return numbers by name as logfmt, for programs that read a log without JSON."""
    return " ".join(f"{name}={value}" for name, value in numbers.items())


def in_words(run: "FinishedRun", end: str) -> str:
    """Return what a run came to, for people."""
    outcomes = ", ".join(f"{count} {name}" for name, count in run.tally.by_outcome().items())
    waiting = f", {run.without_outcome} wait for the next run" if run.without_outcome else ""
    return f"{end} after {run.sequence} records: {outcomes}{waiting}"


def about_delivery(tally: "Counters") -> Iterator[str]:
    """Yield a line for each problem with delivered events."""
    if tally.tested:
        yield (
            f"{tally.tested} events were sent to Pinterest as tests and not recorded: the mode of "
            "their mapping entries is test."
        )
    written = sum(row.number for row in tally.outcomes() if row.reason == Skipped.WRITTEN_TO_CSV)
    if written:
        yield (
            f"{written} events are too old for the API and not at Pinterest: upload the CSV files "
            "in old_events_path in Ads Manager before the events are 30 days old."
        )
    if tally.unnamed:
        yield (
            f"{tally.unnamed.total()} events of up to 30 days are not in the CSV files, because "
            f"old_events_names has no name for {', '.join(tally.unnamed)}: copy the names from the "
            "template in Ads Manager, and replay the dead letters."
        )
    if tally.late_online:
        yield (
            f"{tally.late_online} web and app events reached Pinterest over an hour after they "
            "happened, and are reported as offline there: run the pipeline more often."
        )
    yield from about_ids(tally)


def about_ids(tally: "Counters") -> Iterator[str]:
    """Yield a line for each name whose events all have the same id."""
    for name, number in tally.constant_ids().items():
        yield about_constant_id(name, str(number))


def about_names(tally: "Counters") -> Iterator[str]:
    """Yield a line if events have names that may be values; it does not show them."""
    if tally.unknown_names:
        yield (
            f"{tally.unknown_names} events have a name that is neither one of Pinterest's nor in "
            "the settings. Pinterest knows it only if it is defined in the ad account: translate "
            "it with event_names."
        )


def _named(origin: Origin) -> str:
    stream, mapping = origin.shown
    return f"{stream} ({mapping})" if mapping else stream


def _members(row: "OutcomeCount | NoteCount") -> dict[str, Any]:
    """Return the members that a JSON log adds to the line of a row."""
    return row._replace(origin=row.origin.shown)._asdict()


def _advice(reason: str) -> str:
    """Return the advice for a reason, in parentheses, or an empty string."""
    advice = advice_about(reason)
    return f" ({advice})" if advice else ""
