"""One run: every record from its arrival to exactly one outcome, and every STATE to stdout once it is true.

The doors (the Singer target, replay, Spark) hand over events, invalid records and STATE; sending, settling and checkpoints
do the rest. Everything runs on the caller's thread; nothing here blocks but `wait` and `finish`.
"""

import logging  # noqa: I001
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from target_pinterest_capi.delivery.acknowledgement import Acknowledger
from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.checkpoints import Checkpoints
from target_pinterest_capi.delivery.dead_letters import DeadLetter
from target_pinterest_capi.delivery.deduplication import Deduplication
from target_pinterest_capi.delivery.delivery import Delivery
from target_pinterest_capi.delivery.dispatcher import RequestCounts
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.delivery.event_delivery import EventDelivery, Sender
from target_pinterest_capi.delivery.exit_codes import ExitCode as ExitCode  # noqa: PLC0414 - the doors take both from here
from target_pinterest_capi.delivery.exit_codes import RunStopped as RunStopped  # noqa: PLC0414
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.event import Event, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.keys import key_of
from target_pinterest_capi.events.reasons import Invalid, Reason, Skipped
from target_pinterest_capi.reporting.progress import ProgressReporter, Snapshot

if TYPE_CHECKING:
    from target_pinterest_capi.settings import Settings

STATE_INTERVAL_SECONDS: Final = 1.0  # Meltano saves every STATE line with database commits

_log: Final = logging.getLogger("target-pinterest-capi.delivery")


class Run:
    """Delivers events and keeps the account of every record. `clock` is monotonic seconds.

    `write_state` writes a STATE's value, whole or with an `OSError`, which ends the run.
    """

    def __init__(
        self,
        settings: "Settings",
        write_state: Callable[[bytes], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        run_id: str | None = None,
        client: Sender | None = None,
        wake: Wakeup | None = None,
    ) -> None:
        self.settings = settings
        self.run_id = run_id or uuid.uuid4().hex[:12]
        self.wake = wake or Wakeup()
        self.started_at = clock()
        self._clock = clock
        self._write_state = write_state
        self._checkpoints = Checkpoints()
        deduplication = None
        if settings.mode == "live" and settings.ledger_url is not None:
            deduplication = Deduplication(settings.ledger_url, settings.ledger_retention_days)
        self._is_dry = settings.mode == "dry_run"
        self._settling = Acknowledger(
            settings,
            self.run_id,
            deduplication,
            submit=self._send_instead,
            taint=self._checkpoints.taint,
            clock=clock,
        )
        self.tally = self._settling.tally
        self.observations = self._settling.observations
        self._sending = EventDelivery(
            settings, self._settling, deduplication, clock=clock, wake=self.wake, client=client
        )
        self._state_written_at = float("-inf")
        self._can_write_state = True
        self._failed_at: int | None = None  # the record that `on_invalid: fail` stopped at
        self._parts: list[Delivery] = [self._sending]
        self._deadline: float | None = None
        self._stop: RunStopped | None = None
        self.watch: ProgressReporter | None = None  # is told the time while the run goes on
        self.sequence = 0  # records that have arrived; what is handed over belongs to the last one
        self.states_written = 0

    # What arrives

    def take(self, result: Event | InvalidRecord | SkippedRecord) -> None:
        """Take what became of the current record. Raises `RunStopped` where the run has to stop."""
        if isinstance(result, Event):
            self.deliver(result)
        elif isinstance(result, InvalidRecord):
            self.invalid(result)
        else:
            self.skip(result)

    def deliver(self, event: Event) -> None:
        """Take an event of the current record to be delivered."""
        if len(event.body) > self._sending.max_body_bytes:
            self.invalid(
                InvalidRecord(
                    event.origin,
                    Invalid.EVENT_TOO_LARGE,
                    detail="batch_max_bytes",
                    key=key_of(event),
                )
            )
        elif self._is_dry:
            self.would_send(event.origin, Skipped.DRY_RUN)
            if self.observations is not None:
                self.observations.count_events([event])
        else:
            self._sending.add(event, self.sequence)

    def invalid(self, record: InvalidRecord) -> None:
        """Take the current record as one that makes no event.

        Raises `RunStopped` under `on_invalid: fail`, and where the ledger, which is asked about old events, fails.
        """
        if self._failed_at is not None:
            return
        if record.repeat_of is not None and self._sending.is_known(*record.repeat_of):
            self.skip(SkippedRecord(record.origin, Skipped.IN_LEDGER))
            return
        if self.settings.on_invalid == "fail" and record.reason is not Invalid.EVENT_TOO_OLD:
            self._failed_at = self.sequence  # unsettled for good; what came before it is still sent
            where = f", field {record.field}" if record.field else ""
            self._stop = RunStopped(
                f"on_invalid is fail, and a record of stream {record.origin.stream!r} is invalid: {record.reason}{where} "
                f"({record.reason.advice}) It is record {self.sequence} of the input; STATE stays before it.",
                ExitCode.TOO_MUCH_REJECTED,
            )
            raise self._stop
        self._settling.bury(
            DeadLetter(
                self.sequence,
                record.origin,
                Outcome.INVALID,
                record.reason,
                record.detail,
                record.field,
                record.key,
            )
        )

    def skip(self, record: SkippedRecord) -> None:
        """Count the current record as left out by configuration."""
        reason = (
            str(record.reason)
            if record.name is None
            else f"{record.reason}: {self.tally.bounded_name(record.name)}"
        )
        self.tally.count_outcome(record.origin, Outcome.SKIPPED, reason)

    def would_send(self, origin: Origin, reason: Reason) -> None:
        """Count what would have been delivered, had the mode been live."""
        self._settling.would_send(origin, reason)

    def reject(self, letter: DeadLetter) -> None:
        """Take what Pinterest refused of another part's."""
        self._settling.bury(letter)

    def attach(self, part: Delivery) -> None:
        """Have another kind of delivery take part in this run."""
        self._parts.append(part)

    def state(self, value: bytes) -> None:
        """Take the value of a STATE message that came after the records so far.

        After an interruption none is taken: the records before it may not all have been.
        """
        if self.settings.mode == "live" and not self.is_interrupted:
            self._checkpoints.add(value, self.sequence)

    def stop(self, message: str) -> None:
        """Stop before the input ends: nothing further is sent. Raises `RunStopped`."""
        self._stop_with(RunStopped(message), raise_now=True)

    # What moves

    @property
    def has_room(self) -> bool:
        """Tell whether more records may be read; False until requests in flight end."""
        return all([part.has_room for part in self._parts])  # noqa: C419 - faster so

    @property
    def seconds(self) -> float:
        """Give how long the run has taken so far."""
        return self._clock() - self.started_at

    @property
    def requests(self) -> RequestCounts:
        """Give how many requests were sent, and why."""
        return self._sending.dispatcher.requests

    def standing(self) -> Snapshot:
        """Give how far it is."""
        return Snapshot(
            records=self.sequence,
            requests=self.requests.sent,
            oldest_unsettled=self._oldest_unsettled(),
            **self.tally.by_outcome(),
        )

    @property
    def dead_letters_written(self) -> int:
        """Give how many dead letters are durable."""
        return self._settling.dead_letters.written

    def poll(self) -> None:
        """Read answers, send what is due, write what became true. Never waits.

        Raises `RunStopped` when the run has to stop, also where dead letters or STATE fail.
        """
        now = self._clock()
        if self.watch is not None:
            self.watch.poll(now)
        for part in self._parts:
            part.poll()
        due = self._settling.dead_letters.due_at()
        if due is not None and now >= due:
            self._flush_letters()
        if self._checkpoints.is_waiting and now - self._state_written_at >= STATE_INTERVAL_SECONDS:
            self._checkpoint(now)
        self._check_breaker()

    def seconds_until_due(self) -> float | None:
        """Give how long nothing will happen by itself; None when only input or an answer can change anything."""
        times = [
            self._settling.dead_letters.due_at(),
            *(part.next_due_at() for part in self._parts),
        ]
        if self._deadline is not None:
            times.append(self._deadline)
        if self.watch is not None:
            times.append(self.watch.next_due_at())
        now = self._clock()
        if self._checkpoints.is_waiting and now < self._state_written_at + STATE_INTERVAL_SECONDS:
            times.append(self._state_written_at + STATE_INTERVAL_SECONDS)
        due = [at - now for at in times if at is not None]
        return max(0.0, min(due)) if due else None

    def wait(self) -> None:
        """Wait until something is due, an answer comes, or a signal."""
        self.wake.wait(self.seconds_until_due())

    @property
    def is_interrupted(self) -> bool:
        """Tell whether the grace time of a signal, or of a stop, has begun."""
        return self._deadline is not None

    def interrupt(self) -> None:
        """Begin the grace time: `finish` ends within it. Safe to call in a signal handler."""
        if self._deadline is None:
            self._deadline = self._clock() + self.settings.shutdown_grace_seconds
        self.wake.set()

    def finish(self) -> RunStopped | None:
        """Send what is open and wait for every answer, then write the last true STATE; give why the run stopped, if it did.

        Ends early when the run stopped or its grace time is over; what is unsettled then stays before STATE.
        """
        for part in self._parts:
            part.flush()
        self._drain()
        if self._stop is None and self._sending.is_idle:
            self._sending.dispatcher.release_suspects()
            self._drain()  # repeats of a refused event are sent in its place
        try:
            self._settling.flush()
        except RunStopped as stop:
            self._stop = self._stop or stop
        self._check_breaker(finishing=True)
        self._checkpoint(self._clock())
        return self._stop

    def close(self) -> None:
        """Give back files and connections."""
        self._settling.dead_letters.close()
        for part in self._parts:
            part.close()

    @property
    def _is_idle(self) -> bool:
        return all(part.is_idle for part in self._parts)

    def _drain(self) -> None:
        while not self._is_idle:
            try:
                self.poll()
            except RunStopped as stop:
                # Answers still under way may settle events that Pinterest has: wait for them, but not for long.
                self._stop = self._stop or stop
                self.interrupt()
                if not any(part.in_flight for part in self._parts):
                    return
            if self._is_idle or (self._deadline is not None and self._clock() >= self._deadline):
                return
            self.wait()

    def _flush_letters(self) -> None:
        """Make dead letters durable; where that fails the run ends, also if it works a moment later."""
        try:
            self._settling.flush()
        except RunStopped as stop:
            self._stop_with(stop, raise_now=True)

    def _send_instead(self, batch: Batch) -> None:
        self._sending.send_instead(batch)

    # STATE, and when to stop

    def _oldest_unsettled(self) -> int | None:
        marks = (
            self._settling.dead_letters.oldest_sequence(),
            self._failed_at,
            *(part.oldest_sequence() for part in self._parts),
        )
        return min((mark for mark in marks if mark is not None), default=None)

    def _checkpoint(self, now: float) -> None:
        if not self._can_write_state:
            return
        value = self._checkpoints.take(
            self._oldest_unsettled(), pass_tainted=not self._settling.is_over_limit
        )
        if value is None:
            return
        try:
            self._write_state(value)
        except OSError as error:
            self._fail_state(error)
        else:
            self._state_written_at = now
            self.states_written += 1

    def _fail_state(self, error: OSError) -> None:
        """Stop the run, and write no STATE after one that may be cut: it would be glued to it."""
        self._can_write_state = False
        stop = RunStopped(
            f"STATE could not be written to stdout: {error.strerror or type(error).__name__}. "
            "Its last line may be cut, and nothing further is read or sent: "
            "see to what reads stdout, and run again from the last whole line.",
        )
        if self._stop is not None:
            _log.error("%s", stop)  # beside the reason that the run has already
        self._stop_with(stop, raise_now=False)  # `poll` raises it next, `finish` returns it

    def _check_breaker(self, *, finishing: bool = False) -> None:
        at_end = finishing and self._deadline is None  # an interrupted run has not seen its end
        for stopped in [part.stopped for part in self._parts]:
            if stopped is not None:
                self._stop_with(RunStopped(stopped.message), raise_now=not finishing)
        undecided = sum(part.undecided for part in self._parts)
        if self._settling.is_too_much_rejected(undecided, at_end=at_end):
            self._stop_with(self._too_much_rejected(), raise_now=not finishing)

    def _too_much_rejected(self) -> RunStopped:
        where = "No STATE was written past them."
        if self._checkpoints.has_passed_tainted:
            where = "STATE is past some of them, written while their share was lower; it stays before the others."
        return RunStopped(f"{self._settling.share_in_words}. {where}", ExitCode.TOO_MUCH_REJECTED)

    def _stop_with(self, stop: RunStopped, *, raise_now: bool) -> None:
        self._stop = self._stop or stop
        for part in self._parts:
            part.stop(str(stop))
        if raise_now:
            raise self._stop
