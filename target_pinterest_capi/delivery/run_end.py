"""Where the report of a run goes once it has ended: to its file, and to the results.

What fails here is logged, and changes no exit code: the events have their outcomes by then.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from target_pinterest_capi.delivery.database_errors import DatabaseError

if TYPE_CHECKING:
    from target_pinterest_capi.reporting.customer_lists import CustomerListReport
    from target_pinterest_capi.reporting.report import NotFound, Report
    from target_pinterest_capi.reporting.report_file import FinishedRun
    from target_pinterest_capi.settings import Settings

_log: Final = logging.getLogger("target-pinterest-capi.delivery")


def wants_report(settings: "Settings") -> bool:
    """Return whether anything is made of a run's report."""
    return settings.report_path is not None or settings.results_url is not None


def needs_statistics(settings: "Settings") -> bool:
    """Return whether a run looks into each event that was delivered."""
    return wants_report(settings) or bool(settings.quality)


def end_run(
    run: "FinishedRun",
    record: Callable[["Report"], None],
    exit_code: int,
    stopped: str | None,
    *,
    customer_lists: Sequence["CustomerListReport"] = (),
    not_found: Sequence["NotFound"] = (),
) -> None:
    """Leave the report of a run that ended; `record` has it recorded in the results."""
    settings = run.settings
    if not wants_report(settings):
        return
    from target_pinterest_capi.reporting.report_file import make_report, write_report  # noqa: PLC0415 - only runs with a report need it

    report = make_report(run, exit_code, stopped, customer_lists, not_found)
    if settings.report_path is not None:
        try:
            write_report(report, settings.report_path)
        except OSError as error:
            _log.error(
                "The report cannot be written to report_path: %s.",
                error.strerror or type(error).__name__,
            )
    if settings.results_url is None:
        return
    try:
        record(report)
    except DatabaseError as error:
        _log.error("The end of the run is not in the results: %s.", error)
