"""Creates the report of a run, and writes it to the file in `report_path`.

The file, JSON or a page, is replaced atomically. Nothing in it is secret or personal.
"""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from target_pinterest_capi import __version__
from target_pinterest_capi.events.redaction import shown_path
from target_pinterest_capi.files.durable import replace_file
from target_pinterest_capi.reporting import report
from target_pinterest_capi.reporting.composition import RunFacts, compose
from target_pinterest_capi.reporting.customer_lists import CustomerListReport
from target_pinterest_capi.reporting.delivered_statistics import DeliveredStatistics
from target_pinterest_capi.reporting.quality import find_shortfalls
from target_pinterest_capi.settings.values import is_loopback

if TYPE_CHECKING:
    from target_pinterest_capi.reporting.counters import Counters, RequestCounts
    from target_pinterest_capi.reporting.trend import RunNumbers
    from target_pinterest_capi.settings import Settings

# Settings that affect a run and are not confidential. A test checks that all others are omitted on
# purpose.
REPORTED_SETTINGS: Final = (
    "timezone",
    "default_country",
    "date_format",
    "postal_code",
    "external_id",
    "url_query",
    "max_event_age_days",
    "on_invalid",
    "on_low_quality",
    "max_rejected_ratio",
    "on_uncertain",
    "ledger_retention_days",
    "results_events",
    "notify_on",
    "notify_format",
    "telemetry",
    "results_retention_days",
    "batch_size_rows",
    "batch_max_bytes",
    "batch_wait_seconds",
    "max_in_flight",
    "max_requests_per_minute",
    "request_timeout_seconds",
    "max_retry_seconds",
    "shutdown_grace_seconds",
    "list_batch_size",
    "list_wait_seconds",
    "validate_records",
)
LEDGER: Final = "ledger"  # whether there is one
_CUT: Final = "…"


class ReportReceiver(Protocol):
    """Gets the report of a run that has ended."""

    def end_run(self, report: report.Report) -> None:
        """Handle the report. Raises nothing."""


class FinishedRun(Protocol):
    """What a report needs from a run that has ended, in one process or in several."""

    settings: "Settings"
    tally: "Counters"
    observations: "DeliveredStatistics | None"
    run_id: str
    sequence: int
    states_written: int

    @property
    def usual_events(self) -> Mapping[str, float]:
        """How many events earlier runs delivered, by name; empty if that is not known."""

    @property
    def telemetry(self) -> "ReportReceiver | None":
        """The exporter of the report, if there is one."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def requests(self) -> "RequestCounts":
        """How many requests were sent, and why."""

    @property
    def without_outcome(self) -> int:
        """How many events and operations of lists have no outcome."""

    @property
    def members_without_outcome(self) -> int:
        """How many of them are operations of lists."""

    @property
    def dead_letters_written(self) -> int:
        """How many dead letters are durable."""


def make_report(
    run: FinishedRun,
    exit_code: int,
    stopped: str | None,
    customer_lists: Sequence[CustomerListReport] = (),
    not_found: Sequence[report.NotFound] = (),
) -> report.Report:
    """Return the report of a run that ended with `exit_code`; `stopped` is why it stopped early."""
    requests = run.requests
    statistics = run.observations or DeliveredStatistics()
    facts = RunFacts(
        _run_section(run, exit_code, stopped),
        (requests.sent, requests.repeated, requests.bisecting),
        customer_lists,
        not_found,
        list(find_shortfalls(run.settings.quality, statistics, run.usual_events)),
    )
    return compose(facts, run.tally, statistics)


def is_page(path: str) -> bool:
    """Return whether the report at a path is a page, by the path's ending."""
    return path.casefold().endswith(".html")


def write_report(made: report.Report, path: str, earlier: Sequence["RunNumbers"] = ()) -> None:
    """Write a report in the format for the path's ending. Raises `OSError`.

    A page compares the run with `earlier` ones.
    """
    if is_page(path):
        # Only a page needs Jinja.
        from target_pinterest_capi.reporting.html import page  # noqa: PLC0415

        content = page.page(made, earlier).encode()
    else:
        content = report.encode(made)
    replace_file(Path(path), content)


def _run_section(run: FinishedRun, exit_code: int, stopped: str | None) -> report.RunSection:
    seconds = run.seconds
    ended_at = datetime.now(UTC)
    settings = run.settings
    host = urlsplit(settings.api_url).hostname or ""
    return report.RunSection(
        id=run.run_id,
        ad_account_id=settings.ad_account_id,
        mode=settings.mode,
        api=host,
        is_sandbox=is_loopback(host),
        started_at=ended_at - timedelta(seconds=seconds),
        ended_at=ended_at,
        seconds=round(seconds, 3),
        exit_code=exit_code,
        stopped=None if stopped is None else _without_paths(stopped, settings),
        records=run.sequence,
        states_written=run.states_written,
        without_outcome=run.without_outcome,
        members_without_outcome=run.members_without_outcome,
        dead_letters_written=run.dead_letters_written,
        dead_letters=_file_name(settings.dead_letter_path),
        versions={
            "target-pinterest-capi": __version__,
            "singer-sdk": metadata.version("singer-sdk"),
            "python": platform.python_version(),
        },
        settings=_settings(settings),
    )


def _settings(settings: "Settings") -> dict[str, Any]:
    return {
        **{name: getattr(settings, name) for name in REPORTED_SETTINGS},
        LEDGER: settings.ledger_url is not None,
    }


def _file_name(path: str) -> str:
    """Return the last part of a path, so that no person's home is named.

    A URL may have a key: only its scheme is returned.
    """
    scheme, is_url, _ = path.partition("://")
    return f"{scheme}://{_CUT}" if is_url else Path(path).name


def _without_paths(words: str, settings: "Settings") -> str:
    path = settings.dead_letter_path
    return words.replace(shown_path(path), _file_name(path))
