"""The interface of a run's results, for code that does not open them: contents and errors.

The outcome of an event is recorded before the event counts, so no STATE passes an event without it;
except if the results fail for delivered events, which the ledger then prevents from being sent
again. Never counts and never sends. Of a record it has only the `event_id`, and the key if plain
keys are configured.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, Protocol

from target_pinterest_capi.delivery.database_errors import DatabaseError
from target_pinterest_capi.delivery.dead_letters import DeadLetter
from target_pinterest_capi.delivery.ledger import RENEWAL_SECONDS
from target_pinterest_capi.events.event import Event
from target_pinterest_capi.settings.values import EVENTS_OF_USUAL

if TYPE_CHECKING:
    from target_pinterest_capi.reporting.report import Report
    from target_pinterest_capi.settings import Settings

Program = Literal["target", "replay", "spark"]

_log: Final = logging.getLogger("target-pinterest-capi.delivery")


class ResultsError(DatabaseError):
    """The database at `results_url` cannot be used."""

    place = "the results at results_url"


class PendingRows(Protocol):
    """Rows that are being written."""

    @property
    def has_ended(self) -> bool:
        """Whether `result` does not wait."""

    def result(self) -> None:
        """Wait until they are written. Raises `ResultsError` if they are not."""


class Results(Protocol):
    """Rows of runs and of events, as one run sees them.

    Belongs to one run, and is called on that run's thread. Raises `ResultsError` if it fails; what
    was recorded survives the end of this process.
    """

    def begin_run(self, program: Program) -> None:
        """Add the run's row, and delete what is out of date."""

    def has_failed_before(self, program: Program) -> bool | None:
        """Return whether the last run of its kind failed; None if there was none."""

    def usual_events(self, program: Program) -> Mapping[str, float]:
        """Return how many events the last runs of its kind delivered, by name."""

    def record_delivered(self, events: Sequence[Event], http_status: int) -> PendingRows:
        """Start to add a row for each event of a request that Pinterest accepted."""

    def record_failed(self, letters: Sequence[DeadLetter]) -> None:
        """Add a row for each event or record that was invalid or rejected."""

    def show_alive(self) -> None:
        """Prevent other runs from considering this one dead."""

    def end_run(self, report: "Report") -> None:
        """Complete the run's row, and add its numbers."""

    def close(self) -> None:
        """Close the database. Never raises."""


class RunResults:
    """What a run records, if anything. The database is opened when it is first needed.

    Only live runs have rows of events, because nothing arrives in other modes. `clock` is monotonic
    seconds.
    """

    def __init__(
        self,
        settings: "Settings",
        open_results: Callable[[], Results],
        clock: Callable[[], float],
    ) -> None:
        self.is_wanted = settings.results_url is not None
        self._records_failed = self.is_wanted and settings.mode == "live"
        self._records_delivered = self._records_failed and settings.results_events == "all"
        self._open_results = open_results
        self._clock = clock
        self._opened: Results | None = None
        self._due_at: float | None = None
        self._without_row: list[tuple[Sequence[Event], int]] = []  # delivered, with HTTP status
        self.has_failed_before: bool | None = None  # the last run of its kind, if any
        self.usual_events: Mapping[str, float] = {}
        self._wants_usual = any(EVENTS_OF_USUAL in asked for asked in settings.quality.values())

    def begin_run(self, program: Program) -> None:
        """Add the run's row. Raises `ResultsError`, like all methods that record."""
        if self.is_wanted:
            self._results.begin_run(program)
            self.has_failed_before = self._results.has_failed_before(program)
            if self._wants_usual:
                self.usual_events = self._results.usual_events(program)
            self._due_at = self._clock() + RENEWAL_SECONDS

    def record_delivered(self, events: Sequence[Event], http_status: int) -> Iterator[PendingRows]:
        """Record events of a request that Pinterest accepted, if each of them is asked for.

        Yields the rows while they are being written, and then waits for them.
        """
        if not self._records_delivered or not events:
            return
        try:
            rows = self._results.record_delivered(events, http_status)
            yield rows
            rows.result()
        except ResultsError:
            self._without_row.append((events, http_status))
            raise

    def record_failed(self, letters: Sequence[DeadLetter]) -> None:
        """Record what was invalid or rejected; an entry can have its own mode."""
        live = [letter for letter in letters if letter.mode == "live"]
        if self._records_failed and live:
            self._results.record_failed(live)

    def poll(self) -> None:
        """Show that the run is alive, when it is time."""
        if self._due_at is not None and self._clock() >= self._due_at:
            self._due_at = self._clock() + RENEWAL_SECONDS
            self._results.show_alive()

    def next_due_at(self) -> float | None:
        """Return when to poll, or None."""
        return self._due_at

    def end_run(self, report: "Report") -> None:
        """Complete the run's row."""
        if self._opened is not None:
            self._opened.end_run(report)

    def close(self) -> None:
        """Close the database, after another try to write the rows that failed."""
        self._due_at = None
        self._add_missing_rows()
        if self._opened is not None:
            self._opened.close()

    def _add_missing_rows(self) -> None:
        """Add the rows that failed: the next run adds none for events in the ledger."""
        try:
            while self._without_row:
                self._results.record_delivered(*self._without_row[0]).result()
                del self._without_row[0]
        except ResultsError as error:
            number = sum(len(events) for events, _ in self._without_row)
            _log.error("%d delivered events have no row in the results: %s.", number, error)

    @property
    def _results(self) -> Results:
        if self._opened is None:
            self._opened = self._open_results()
        return self._opened
