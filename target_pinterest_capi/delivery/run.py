"""One run: every record from arrival to exactly one outcome, and STATE once it is valid.

The entry points (the Singer target, replay, Spark) hand over events, invalid records and STATE;
deliveries, the acknowledger and checkpoints do the rest. Everything runs on the caller's thread;
nothing here blocks except `wait` and `finish`.
"""

import logging
import random
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from target_pinterest_capi.delivery.acknowledgement import Acknowledger
from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.checkpoints import Checkpoints
from target_pinterest_capi.delivery.database_errors import DatabaseError
from target_pinterest_capi.delivery.dead_letters import DeadLetter
from target_pinterest_capi.delivery.deduplication import Deduplication
from target_pinterest_capi.delivery.delivery import Delivery
from target_pinterest_capi.delivery.event_delivery import EventDelivery, EventSender
from target_pinterest_capi.delivery.exit_codes import ExitCode as ExitCode  # noqa: PLC0414 - entry points import both from here
from target_pinterest_capi.delivery.exit_codes import RunStopped as RunStopped  # noqa: PLC0414
from target_pinterest_capi.delivery.ledger import Ledger
from target_pinterest_capi.delivery.old_event_delivery import OldEventDelivery
from target_pinterest_capi.delivery.old_event_rows import too_old
from target_pinterest_capi.delivery.rejection_limit import RejectionLimit
from target_pinterest_capi.delivery.results import Program, Results, RunResults
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.delivery.worker_pool import StartWorkers, WorkerPool
from target_pinterest_capi.events.event import Event, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.keys import key_of
from target_pinterest_capi.events.outcomes import Outcome, counted_reason
from target_pinterest_capi.events.reasons import Invalid, NotWritten, Reason, Skipped
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.files.line_file import LineFile
from target_pinterest_capi.reporting.counters import RequestCounts, sum_of_requests
from target_pinterest_capi.reporting.progress import ProgressReporter, Snapshot

if TYPE_CHECKING:
    from target_pinterest_capi.delivery.telemetry import Telemetry
    from target_pinterest_capi.pinterest.client import Attempt
    from target_pinterest_capi.settings import Settings

NOTHING_MAPPED: Final = (
    "No record was mapped, and an entry of mappings or customer_lists matched no stream. No "
    "STATE was written: correct the name of its stream and run again, to read the same records."
)
_UNNAMED: Final = (NotWritten.NO_COLUMN, NotWritten.NO_NAME)
_FILTERED: Final = (Skipped.STREAM_MAP, Skipped.MELTANO_TEST)
STATE_INTERVAL_SECONDS: Final = 1.0  # Meltano saves every STATE line with database commits

_log: Final = logging.getLogger("target-pinterest-capi.delivery")


class Run:
    """Delivers events, and gives every record its outcome. `clock` is monotonic seconds.

    `began_at` is the run's time for expressions, by default now.

    `write_state` writes a STATE's value completely, or raises an `OSError`, which ends the run.
    `ledger` is used instead of the one at `ledger_url`. `part_of` is the id of the run in the
    results if this one does a part of it.
    """

    def __init__(
        self,
        settings: "Settings",
        write_state: Callable[[bytes], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        began_at: datetime | None = None,
        run_id: str | None = None,
        client: EventSender | None = None,
        wake: Wakeup | None = None,
        rng: random.Random | None = None,
        start_workers: StartWorkers = WorkerPool,
        open_lines: Callable[[str], LineFile] = LineFile,
        checkpoints: Checkpoints | None = None,
        rejection_limit: RejectionLimit | None = None,
        ledger: Ledger | None = None,
        part_of: str | None = None,
    ) -> None:
        self.settings = settings
        self.run_id = run_id or uuid.uuid4().hex[:12]
        self.wake = wake or Wakeup()
        self.started_at = clock()
        self.began_at = began_at or datetime.now(UTC)
        self._clock = clock
        self._write_state = write_state
        self._checkpoints = checkpoints or Checkpoints()
        deduplication = None
        if settings.mode == "live" and (ledger or settings.ledger_url):
            deduplication = Deduplication(lambda: ledger or self._open_ledger(), clock)
        self.results = RunResults(
            settings, lambda: self._open_results(part_of or self.run_id), clock
        )
        self._acknowledger = Acknowledger(
            settings,
            self.run_id,
            deduplication,
            submit=self._submit_repeat,
            hold_at=self._checkpoints.hold_at,
            seconds_left=self.grace_seconds_left,
            clock=clock,
            open_lines=open_lines,
            rejection_limit=rejection_limit,
            results=self.results,
        )
        self.telemetry = self._open_telemetry()
        self.tally = self._acknowledger.tally
        self.observations = self._acknowledger.observations
        self._events = EventDelivery(
            settings,
            self._acknowledger,
            deduplication,
            clock=clock,
            wake=self.wake,
            client=client,
            rng=rng,
            start_workers=start_workers,
            observe=self.observe_request,
        )
        self._deliveries: list[Delivery] = [self._events]
        self._attached: list[Delivery] = []
        self._old_events: OldEventDelivery | None = None
        if settings.old_events_path is not None:
            self._old_events = OldEventDelivery(
                settings,
                self.run_id,
                self._acknowledger,
                deduplication,
                clock=clock,
                seconds_left=self.grace_seconds_left,
            )
            self._deliveries.append(self._old_events)
        # The short way of an event; None if more is asked of each.
        self.collect_event: Callable[[Event, int], bool] | None = self._events.collect_event
        if settings.mode == "dry_run" or self._old_events is not None:
            self.collect_event = None
        self._state_due_at = float("-inf")
        self._can_write_state = True
        self._failed_at: int | None = None  # the record that `on_invalid: fail` stopped at
        self._deadline: float | None = None
        # Whether the grace time of a signal, or of a stop, has begun. Asked for every record.
        self.is_interrupted = False
        self._stop: RunStopped | None = None
        self.watch: ProgressReporter | None = None  # polled during the run
        self.sequence = 0  # records that have arrived; what is handed over belongs to the last one
        self.states_written = 0
        # Whether entries of the configuration have matched no stream so far; an entry point that
        # knows sets it.
        self.has_unmet_entries: Callable[[], bool] = lambda: False
        self._without_entry = 0  # records that no entry selects
        self._filtered = 0  # records that were dropped before any entry saw them

    def begin(self, program: Program) -> None:
        """Begin a run of a program, with a row in the results. Raises `RunStopped` if they fail."""
        self._record(lambda: self.results.begin_run(program))

    # What arrives

    def handle(self, result: Event | InvalidRecord | SkippedRecord) -> None:
        """Handle the result of mapping the current record.

        Raises `RunStopped` if the run must stop.
        """
        if isinstance(result, Event):
            self.deliver_event(result)
        elif isinstance(result, InvalidRecord):
            self.handle_invalid(result)
        else:
            self.skip_record(result)

    def deliver_event(self, event: Event) -> None:
        """Deliver an event of the current record."""
        if self.collect_event is not None and self.collect_event(event, self.sequence):
            return
        if self._old_events is not None and self._old_events.is_old(event):
            self.handle_old_event(event)
        elif len(event.body) > self._events.max_event_bytes:
            self.handle_invalid(
                InvalidRecord(
                    event.origin,
                    Invalid.EVENT_TOO_LARGE,
                    detail="batch_max_bytes",
                    key=key_of(event),
                )
            )
        elif event.account.mode == "dry_run":
            self.skip_unsent(event.origin, Skipped.DRY_RUN)
            self.tally.examine_events([event])
            if self.observations is not None and self.settings.mode == "dry_run":
                self.observations.count_events([event])
        else:
            self._events.add_event(event, self.sequence)

    def handle_old_event(self, event: Event) -> None:
        """Handle an event of the current record that is too old for the API."""
        if self._old_events is None:
            self.handle_invalid(too_old(event))
            return
        record = self._old_events.add_event(event, self.sequence)
        if record is not None:
            self.handle_invalid(record, event if record.detail is not None else None)

    def handle_invalid(self, record: InvalidRecord, event: Event | None = None) -> None:
        """Handle a current record that cannot become an event, or one that can be tried again.

        Raises `RunStopped` with `on_invalid: fail`, and if the ledger, which is asked about old
        events, fails.
        """
        if self._failed_at is not None:
            return
        if record.repeat_of is not None and self._events.is_known(*record.repeat_of):
            self.skip_record(SkippedRecord(record.origin, Skipped.IN_LEDGER))
            return
        if self.settings.on_invalid == "fail" and record.reason is not Invalid.EVENT_TOO_OLD:
            self._fail_on(record)
        if record.field and record.detail in _UNNAMED:
            self.tally.unnamed[record.field] += 1
        self.add_dead_letter(
            DeadLetter(
                self.sequence,
                record.origin,
                Outcome.INVALID,
                record.reason,
                record.detail,
                record.field,
                record.key,
                ad_account_id=None if event is None else event.account.ad_account_id,
                event=None if event is None else event.body,
            )
        )

    def _fail_on(self, record: InvalidRecord) -> None:
        self._failed_at = self.sequence  # never acknowledged; everything before it is still sent
        where = f", field {shown_name(record.field)}" if record.field else ""
        self._stop = RunStopped(
            "on_invalid is fail, and a record of stream "
            f"{record.origin.shown.stream!r} is invalid: "
            f"{record.reason}{where} ({record.reason.advice}) "
            f"It is record {self.sequence} of the input; STATE stays before it.",
            ExitCode.TOO_MUCH_REJECTED,
        )
        raise self._stop

    def skip_record(self, record: SkippedRecord) -> None:
        """Count the current record as dropped by configuration."""
        self._without_entry += record.reason is Skipped.NO_MAPPING
        self._filtered += record.reason in _FILTERED
        reason = counted_reason(record.reason, record.name)
        self.tally.count_outcome(record.origin, Outcome.SKIPPED, reason)

    def skip_unsent(self, origin: Origin, reason: Reason) -> None:
        """Count what would have been sent in mode live."""
        self._acknowledger.skip_unsent(origin, reason)

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """Add an invalid or rejected record of any delivery."""
        self._acknowledger.add_dead_letter(letter)

    def attach(self, delivery: Delivery) -> None:
        """Add the delivery of customer lists to this run."""
        self._deliveries.append(delivery)
        self._attached.append(delivery)

    def add_state(self, value: bytes) -> None:
        """Add the value of a STATE message that came after the records so far.

        After an interruption none is added, because records before it may be missing.
        """
        if self.settings.mode == "live" and not self.is_interrupted:
            self._checkpoints.add_state(value, self.sequence)

    def stop(self, message: str) -> None:
        """Stop before the input ends: nothing more is sent. Raises `RunStopped`."""
        self._stop_with(RunStopped(message), raise_now=True)

    # Progress

    @property
    def has_room(self) -> bool:
        """Whether more records may be read; if not, wait until requests in flight end."""
        # A list is faster than a generator here.
        return all([delivery.has_room for delivery in self._deliveries])  # noqa: C419

    @property
    def observe_request(self) -> "Callable[[Attempt], None] | None":
        """The function that gets each request to Pinterest that has ended, if there is one."""
        return None if self.telemetry is None else self.telemetry.record_request

    @property
    def usual_events(self) -> Mapping[str, float]:
        """How many events earlier runs delivered, by name, if a quality gate needs it."""
        return self.results.usual_events

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return self._clock() - self.started_at

    @property
    def requests(self) -> RequestCounts:
        """How many requests were sent, of events and of customer lists, and why."""
        return sum_of_requests([delivery.requests for delivery in self._deliveries])

    @property
    def without_outcome(self) -> int:
        """How many events and list operations have no outcome: the next run reads them again."""
        failed = self._failed_at is not None
        return self._undecided() + self._acknowledger.waiting + failed

    @property
    def members_without_outcome(self) -> int:
        """How many of them are operations of lists."""
        return sum(delivery.undecided for delivery in self._attached)

    def snapshot(self) -> Snapshot:
        """Return the run's progress."""
        return Snapshot(
            records=self.sequence,
            requests=self.requests.sent,
            oldest_unsettled=self._oldest_unsettled(),
            **self.tally.by_outcome(),
        )

    @property
    def dead_letters_written(self) -> int:
        """How many dead letters are durable."""
        return self._acknowledger.dead_letters.written

    def poll(self) -> None:
        """Read responses, send what is due, write STATE that became valid. Never waits.

        Raises `RunStopped` when the run must stop, also if dead letters or STATE fail.
        """
        now = self._clock()
        if self.watch is not None:
            self.watch.poll(now)
        self._record(self.results.poll)
        for delivery in self._deliveries:
            delivery.poll()
        due = self._acknowledger.dead_letters.due_at()
        if due is not None and now >= due:
            self._flush_letters()
        if self._checkpoints.is_waiting and now >= self._state_due_at:
            self._checkpoint(now)
        self._check_breaker()

    def seconds_until_due(self) -> float | None:
        """Return how long nothing is due; None if only input or a response can help."""
        times = [
            self._acknowledger.dead_letters.due_at(),
            self.results.next_due_at(),
            *(delivery.next_due_at() for delivery in self._deliveries),
        ]
        if self._deadline is not None:
            times.append(self._deadline)
        if self.watch is not None:
            times.append(self.watch.next_due_at())
        now = self._clock()
        if self._checkpoints.is_waiting and now < self._state_due_at:
            times.append(self._state_due_at)
        due = [at - now for at in times if at is not None]
        return max(0.0, min(due)) if due else None

    def wait(self) -> None:
        """Wait until something is due, a response arrives, or a signal."""
        self.wake.wait(self.seconds_until_due())

    def grace_seconds_left(self) -> float | None:
        """Return how much of the grace time is left; None if it has not begun."""
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def interrupt(self) -> None:
        """Begin the grace time: `finish` ends within it. Safe to call in a signal handler.

        Only the first call ends a wait: a run that stopped calls it each time that it polls.
        """
        if self._deadline is None:
            self._deadline = self._clock() + self.settings.shutdown_grace_seconds
            self.is_interrupted = True
            self.wake.set()

    def finish(self) -> RunStopped | None:
        """Send what is open, wait for every response, and write the last valid STATE.

        Ends early if the run stopped or its grace time is over; STATE then stays before what is not
        acknowledged. Returns why the run stopped, if it did.
        """
        for delivery in self._deliveries:
            delivery.flush()
        self._drain()
        try:
            self._acknowledger.flush()
        except RunStopped as stop:
            self._stop = self._stop or stop
        self._check_breaker(finishing=True)
        self._checkpoint(self._clock())
        return self._stop

    def close(self) -> None:
        """Close files and connections."""
        self._acknowledger.dead_letters.close()
        for delivery in self._deliveries:
            delivery.close()
        self.results.close()

    @property
    def _is_idle(self) -> bool:
        return all(delivery.is_idle for delivery in self._deliveries)

    def _drain(self) -> None:
        while not self._is_idle:
            try:
                self.poll()
            except RunStopped as stop:
                # Responses in flight may acknowledge events that Pinterest has: wait for them, but
                # not for long.
                self._stop = self._stop or stop
                self.interrupt()
                if not any(delivery.in_flight for delivery in self._deliveries):
                    return
            if self._is_idle or (self._deadline is not None and self._clock() >= self._deadline):
                return
            self.wait()

    def _record(self, record: Callable[[], None]) -> None:
        """Let the results record something; the run stops if they fail."""
        try:
            record()
        except DatabaseError as error:
            self._stop_with(RunStopped(error.stop_message), raise_now=True)

    def _flush_letters(self) -> None:
        """Make dead letters durable; a failure ends the run, even if a later try would succeed."""
        try:
            self._acknowledger.flush()
        except RunStopped as stop:
            self._stop_with(stop, raise_now=True)

    def _submit_repeat(self, batch: Batch) -> None:
        self._events.submit_repeat(batch)

    # STATE, and when to stop

    def _undecided(self) -> int:
        return sum(delivery.undecided for delivery in self._deliveries)

    def _oldest_unsettled(self) -> int | None:
        sequences = (
            self._acknowledger.oldest_sequence(),
            self._failed_at,
            *(delivery.oldest_sequence() for delivery in self._deliveries),
        )
        return min((number for number in sequences if number is not None), default=None)

    def _checkpoint(self, now: float) -> None:
        if not self._can_write_state or self._maps_nothing():
            return
        value = self._checkpoints.pop_newest_true(
            self._oldest_unsettled(), pass_held=not self._acknowledger.is_over_limit
        )
        if value is None:
            return
        try:
            self._write_state(value)
        except OSError as error:
            self._fail_state(error)
        else:
            self._state_due_at = now + STATE_INTERVAL_SECONDS
            self.states_written += 1

    def _fail_state(self, error: OSError) -> None:
        """Stop the run, and write no STATE after one that may be cut: they would run together."""
        self._can_write_state = False
        stop = RunStopped(
            f"STATE could not be written to stdout: {error.strerror or type(error).__name__}. "
            "Its last line may be cut, and nothing more is read or sent: check what reads "
            "stdout, and run again from the last complete line.",
        )
        if self._stop is not None:
            _log.error("%s", stop)  # in addition to the reason that the run already has
        self._stop_with(stop, raise_now=False)  # `poll` raises it next, `finish` returns it

    def _check_breaker(self, *, finishing: bool = False) -> None:
        at_end = finishing and self._deadline is None  # an interrupted run has not seen its end
        for stopped in [delivery.stopped for delivery in self._deliveries]:
            if stopped is not None:
                self._stop_with(RunStopped(stopped.message), raise_now=not finishing)
        if self._acknowledger.has_too_much_rejected(self._undecided(), at_end=at_end):
            self._stop_with(self._too_much_rejected(), raise_now=not finishing)
        if at_end and self._maps_nothing():
            self._stop_with(RunStopped(NOTHING_MAPPED, ExitCode.TOO_MUCH_REJECTED), raise_now=False)

    def _maps_nothing(self) -> bool:
        """Return whether no record was mapped, perhaps because the name of a stream is wrong.

        A STATE past such records would lose them: with the name corrected, the next run would not
        read them.
        """
        if not self._without_entry or self._without_entry + self._filtered < self.sequence:
            return False
        return self.has_unmet_entries()

    def _too_much_rejected(self) -> RunStopped:
        where = "No STATE was written past them."
        if self._checkpoints.has_passed_held:
            where = (
                "STATE is past some of them, because it was written while their share was "
                "lower; it stays before the others."
            )
        message = f"{self._acknowledger.describe_rejected()}. {where}"
        return RunStopped(message, ExitCode.TOO_MUCH_REJECTED)

    def _stop_with(self, stop: RunStopped, *, raise_now: bool) -> None:
        self._stop = self._stop or stop
        for delivery in self._deliveries:
            delivery.stop(str(stop))
        if raise_now:
            raise self._stop

    def _open_telemetry(self) -> "Telemetry | None":
        if self.settings.telemetry == "none":
            return None
        # It takes 0.3 s to import.
        from target_pinterest_capi.delivery.telemetry import open_telemetry  # noqa: PLC0415

        return open_telemetry(self.settings, self.run_id)

    def _open_ledger(self) -> Ledger:
        # SQLAlchemy takes 0.1 s to import.
        from target_pinterest_capi.delivery.event_ledger import EventLedger  # noqa: PLC0415

        url = self.settings.ledger_url
        assert url is not None  # noqa: S101 - else there is no deduplication
        return EventLedger(
            url.get_secret_value(),
            self.settings.ledger_retention_days,
            seconds_left=self.grace_seconds_left,
            wake=self.wake,
        )

    def _open_results(self, run_id: str) -> Results:
        # SQLAlchemy takes 0.1 s to import.
        from target_pinterest_capi.delivery.results_database import ResultsDatabase  # noqa: PLC0415

        url = self.settings.results_url
        assert url is not None  # noqa: S101 - else nothing is recorded
        return ResultsDatabase(
            url.get_secret_value(),
            self.settings,
            run_id,
            seconds_left=self.grace_seconds_left,
            wake=self.wake,
        )
