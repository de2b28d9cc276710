"""Where the report of a run goes at its end: to files, the results, and a webhook.

A failure here is logged and changes no exit code, because the events already have their outcomes.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from target_pinterest_capi.delivery.database_errors import DatabaseError

if TYPE_CHECKING:
    from target_pinterest_capi.reporting.customer_lists import CustomerListReport
    from target_pinterest_capi.reporting.report import NotFound, Report
    from target_pinterest_capi.reporting.report_file import FinishedRun
    from target_pinterest_capi.reporting.trend import RunNumbers
    from target_pinterest_capi.settings import Settings

# Altogether: a container is killed ten seconds after its grace time.
NOTIFY_SECONDS: Final = 8.0
_log: Final = logging.getLogger("target-pinterest-capi.delivery")


def wants_report(settings: "Settings") -> bool:
    """Return whether a run's report is needed for anything."""
    is_exported = settings.telemetry != "none" or settings.notify_url is not None
    places = (settings.report_path, settings.results_url, settings.metrics_path)
    return is_exported or any(place is not None for place in places)


def end_run(
    run: "FinishedRun",
    record: Callable[["Report"], None],
    exit_code: int,
    stopped: str | None,
    *,
    customer_lists: Sequence["CustomerListReport"] = (),
    not_found: Sequence["NotFound"] = (),
    has_failed_before: bool | None = None,
) -> None:
    """Write the report of a run that ended; `record` adds it to the results.

    `has_failed_before`: whether the run before it failed, if that is known.
    """
    settings = run.settings
    if not wants_report(settings):
        return
    # Only runs with a report need it.
    from target_pinterest_capi.reporting.report_file import make_report  # noqa: PLC0415

    report = make_report(run, exit_code, stopped, customer_lists, not_found)
    _write_files(settings, report)
    if settings.results_url is not None:
        try:
            record(report)
        except DatabaseError as error:
            _log.error("The end of the run is not in the results: %s.", error)
    if run.telemetry is not None:
        run.telemetry.end_run(report)
    if _is_news(settings, exit_code, has_failed_before=has_failed_before):
        _notify(settings, report)


def _write_files(settings: "Settings", report: "Report") -> None:
    """Write the configured files, and log the ones that cannot be written."""
    for setting, what, write in (
        ("report_path", "report", _write_report),
        ("metrics_path", "metrics", _write_metrics),
    ):
        path = getattr(settings, setting)
        if path is None:
            continue
        try:
            write(report, path, settings)
        except OSError as error:
            why = error.strerror or type(error).__name__
            _log.error("The %s cannot be written to %s: %s.", what, setting, why)


def _write_report(report: "Report", path: str, settings: "Settings") -> None:
    # Only runs with a report need it.
    from target_pinterest_capi.reporting.report_file import is_page, write_report  # noqa: PLC0415

    write_report(report, path, _earlier_runs(report, settings) if is_page(path) else ())


def _earlier_runs(report: "Report", settings: "Settings") -> Sequence["RunNumbers"]:
    """Return the runs in the results that a page compares the run with."""
    if settings.results_url is None:
        return ()
    # Only the results need SQLAlchemy.
    from target_pinterest_capi.delivery.database import UnusableError  # noqa: PLC0415
    from target_pinterest_capi.delivery.run_history import find_earlier_runs  # noqa: PLC0415

    try:
        return find_earlier_runs(settings.results_url.get_secret_value(), report.run)
    except UnusableError as error:
        _log.error("The page in report_path has no trend: the results cannot be read: %s.", error)
        return ()


def _write_metrics(report: "Report", path: str, settings: "Settings") -> None:  # noqa: ARG001 - called like _write_report
    # Only runs with metrics need prometheus_client.
    from target_pinterest_capi.reporting.metrics_file import write_metrics  # noqa: PLC0415

    if not write_metrics(report, path):
        _log.warning("metrics_path had other contents: its counters start again at 0.")


def _is_news(settings: "Settings", exit_code: int, *, has_failed_before: bool | None) -> bool:
    """Return whether `notify_url` gets a notification of how a run ended."""
    if settings.notify_url is None:
        return False
    has_failed = exit_code != 0
    match settings.notify_on:
        case "always":
            return True
        case "failure":
            return has_failed
        case "change":
            return has_failed != bool(has_failed_before)


def _notify(settings: "Settings", report: "Report") -> None:
    # Only runs with a notification need it.
    from target_pinterest_capi.delivery.webhook import post  # noqa: PLC0415
    from target_pinterest_capi.reporting.notification import encode_notification, form_of  # noqa: PLC0415

    assert settings.notify_url is not None  # noqa: S101 - else nothing is news
    url = settings.notify_url.get_secret_value()
    form = form_of(url) if settings.notify_format == "auto" else settings.notify_format
    body = encode_notification(report, settings.report_path, form)
    problem = post(url, body, NOTIFY_SECONDS)
    if problem:
        _log.error(
            "The notification did not arrive at %s of notify_url: %s.",
            urlsplit(url).hostname,
            problem,
        )
