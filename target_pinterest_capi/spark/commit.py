"""The reports of a write's tasks, combined.

Owns counts, the verdict over all tasks, the log's lines and the run's report. Never sends anything,
and never sees a row: tasks report numbers and names.
"""

import logging  # noqa: I001
import sys
import time
from collections.abc import Sequence
from typing import Final

from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.delivery.rejection_limit import RejectionLimit
from target_pinterest_capi.delivery.run import ExitCode
from target_pinterest_capi.delivery.run_end import end_run
from target_pinterest_capi.reporting.counters import Counters, RequestCounts
from target_pinterest_capi.reporting.delivered_statistics import DeliveredStatistics
from target_pinterest_capi.reporting.quality import log_quality
from target_pinterest_capi.reporting.report import NotFound, Report
from target_pinterest_capi.reporting.summary import (
    LOST,
    about_delivery,
    about_names,
    in_words,
    numbers_of,
    pairs,
)
from target_pinterest_capi.settings import Settings
from target_pinterest_capi.settings.event_names import known_event_names
from target_pinterest_capi.spark.task import TaskCommit

log: Final = logging.getLogger("target-pinterest-capi.spark")


class RefusedError(Exception):
    """The write is done but fails, because too much was refused; says how much, and what to do."""


class CommitSummary:
    """The sum of what the tasks of a write report, in the form that a report needs.

    `not_found` are columns that the mappings read but that do not exist. `now` is in Unix seconds.
    """

    def __init__(
        self,
        settings: Settings,
        messages: Sequence[TaskCommit | None],
        job_id: str,
        *,
        not_found: Sequence[NotFound] = (),
        now: float | None = None,
    ) -> None:
        self._not_found = not_found
        done = [message for message in messages if message is not None]
        self.settings = settings
        self.run_id = done[0].job_id if done else job_id
        self.partitions, self.unfinished = len(messages), len(messages) - len(done)
        now = time.time() if now is None else now
        self.seconds = max(0.0, now - min([message.started_at for message in done], default=now))
        self.sequence = sum(message.records for message in done)
        self.states_written = 0
        self.telemetry = None  # Spark has its own
        self.usual_events: dict[str, float] = {}  # a write has no results before its end
        self.without_outcome = 0  # a task that leaves any is repeated, or fails the write
        self.members_without_outcome = 0
        self.dead_letters_written = sum(message.dead_letters for message in done)
        self.requests = RequestCounts(
            sent=sum(message.requests.sent for message in done),
            repeated=sum(message.requests.repeated for message in done),
            bisecting=sum(message.requests.bisecting for message in done),
        )
        self.tally = Counters(known_event_names(settings))
        self.observations = (
            DeliveredStatistics(known_event_names(settings)) if settings.has_statistics else None
        )
        for message in done:
            self.tally.merge(message.tally)
            if self.observations is not None and message.observations is not None:
                self.observations.merge(message.observations)
        self._stopped = next(
            (message.stopped for message in done if message.stopped is not None), None
        )

    @property
    def refused(self) -> str | None:
        """Return why the write failed although its tasks did not, or None."""
        if self._stopped is not None:
            return self._stopped
        limit = RejectionLimit(self.settings.max_rejected_ratio)
        if not limit.is_reached(self.tally):
            return None
        return f"{limit.describe(self.tally, 'the dead letters')}."

    def commit(self) -> None:
        """End a write whose tasks have all finished.

        Raises `RefusedError` if it failed; then `abort` follows.
        """
        if self.refused is not None:
            raise RefusedError(self.refused)
        self._log_end("Done", None, ExitCode.OK)

    def abort(self) -> None:
        """End a failed write: report what was delivered nevertheless."""
        why = self.refused or f"{self.unfinished} of {self.partitions} partitions did not finish."
        code = ExitCode.TOO_MUCH_REJECTED if self.refused is not None else ExitCode.ERROR
        more = (
            "Without a ledger, a repeat sends them again."
            if self.settings.ledger_url is None
            else "With the ledger, a repeat skips them, and all other events that had a response."
        )
        delivered = self.tally.total(Outcome.DELIVERED)
        self._log_end(
            "Aborted",
            f"{why} {delivered} events of the finished partitions are at Pinterest "
            f"and stay there. {more}",
            code,
        )

    def _log_end(self, end: str, why: str | None, code: ExitCode) -> None:
        _log_somewhere()
        for row in self.tally.outcomes():
            log.log(
                logging.WARNING if row.outcome in LOST else logging.INFO,
                "%s (%s): %s %s %d",
                *row.origin.shown,
                row.outcome,
                row.reason,
                row.number,
            )
        for line in about_delivery(self.tally):
            log.warning("%s", line)
        for line in about_names(self.tally):
            log.info("%s", line)
        if self.observations is not None:
            log_quality(log, self.settings, self.observations, self.usual_events)
        log.info(
            "%s, of %d partitions; %s",
            in_words(self, end),
            self.partitions - self.unfinished,
            pairs(numbers_of(self, int(code))),
        )
        if why is not None:
            log.error("%s", why)
        end_run(self, self._record, int(code), why, not_found=self._not_found)

    def _record(self, report: Report) -> None:
        """Add the run to the results, in which its tasks have recorded their events."""
        # SQLAlchemy takes 0.1 s to import.
        from target_pinterest_capi.delivery.results_database import ResultsDatabase  # noqa: PLC0415

        assert self.settings.results_url is not None  # noqa: S101 - else nothing is recorded
        results = ResultsDatabase(
            self.settings.results_url.get_secret_value(), self.settings, self.run_id
        )
        try:
            results.add_run("spark", report)
        finally:
            results.close()


def _log_somewhere() -> None:
    """Log to stderr if logging is not configured: Python has none in the driver's process."""
    if not logging.getLogger().handlers:
        logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    log.setLevel(min(logging.INFO, log.getEffectiveLevel()))
