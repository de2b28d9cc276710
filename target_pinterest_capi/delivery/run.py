"""One run: every record from its arrival to exactly one outcome, and every STATE to stdout once it is true.

The doors (the Singer target, replay, Spark) hand over events, invalid records and STATE; batches, dispatcher, dead letters,
checkpoints and tally do the rest. Everything runs on the caller's thread; nothing here blocks but `wait` and `finish`.
"""

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Protocol

from target_pinterest_capi.delivery.batches import FRAME_BYTES, Batch, Batches
from target_pinterest_capi.delivery.checkpoints import Checkpoints
from target_pinterest_capi.delivery.client import Answer, Client, EventStatus, Failure
from target_pinterest_capi.delivery.dead_letters import DeadLetter, DeadLetters
from target_pinterest_capi.delivery.dispatcher import Dispatcher, Requests, Wake
from target_pinterest_capi.delivery.ledger import Ledger, LedgerError, event_key
from target_pinterest_capi.delivery.outcomes import Outcome, Rejected
from target_pinterest_capi.delivery.parts import Part
from target_pinterest_capi.delivery.redaction import redact
from target_pinterest_capi.delivery.repeats import Repeats
from target_pinterest_capi.events.event import Account, Event, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.keys import key_of
from target_pinterest_capi.events.reasons import Invalid, Reason, Skipped
from target_pinterest_capi.reporting.observations import Observations
from target_pinterest_capi.reporting.progress import Standing, Watch
from target_pinterest_capi.reporting.tally import Tally

if TYPE_CHECKING:
    from target_pinterest_capi.settings import Settings

STATE_INTERVAL_SECONDS: Final = 1.0  # Meltano saves every STATE line with database commits
TEST_EVENTS: Final = 20  # a test request processes its first 20 events only (docs)
MIN_SETTLED_FOR_RATIO: Final = 1000
ATTEMPT_SLACK_SECONDS: Final = 1.0  # beyond request_timeout_seconds: the client knows better what happened, so it speaks first


_log: Final = logging.getLogger("target-pinterest-capi.delivery")


class ExitCode(IntEnum):
    """What the process ends with; the contract with users."""

    OK = 0
    ERROR = 1
    CONFIGURATION = 2
    TOO_MUCH_REJECTED = 3
    INTERRUPTED = 128  # plus the signal's number


class RunStopped(Exception):  # noqa: N818 - not an error of the program: the run was told to stop
    """The run stops before its input ends; the message says why and what to do."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Sender(Protocol):
    """What a run needs of a client: one attempt in, one answer out, on any thread."""

    def send_events(self, account: Account, body: bytes, *, test: bool) -> Answer | Failure:
        """Make one attempt to send a request of events."""

    def close(self) -> None:
        """Close every connection."""


class Run:
    """Delivers events and keeps the account of every record. `write_state` gets a STATE's value; `clock` is monotonic seconds."""

    def __init__(
        self,
        settings: "Settings",
        write_state: Callable[[bytes], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        run_id: str | None = None,
        client: "Sender | None" = None,
        wake: Wake | None = None,
    ) -> None:
        self.settings = settings
        self.run_id = run_id or uuid.uuid4().hex[:12]
        self.tally = Tally()
        self.observations = None if settings.report_path is None else Observations(self.tally.name)
        self.wake = wake or Wake()
        self.started_at = clock()
        self._clock = clock
        self._write_state = write_state
        self._is_test = settings.mode == "test"
        self._batches = Batches(
            max_rows=min(settings.batch_size_rows, TEST_EVENTS) if self._is_test else settings.batch_size_rows,
            max_bytes=settings.batch_max_bytes,
            wait_seconds=settings.batch_wait_seconds,
            clock=clock,
        )
        self._max_body_bytes = settings.batch_max_bytes - FRAME_BYTES
        self._client: Sender = client or Client(
            settings.api_url, max_connections=settings.max_in_flight, timeout_seconds=settings.request_timeout_seconds
        )
        self._dispatcher = Dispatcher(
            self._send,
            self,
            max_in_flight=settings.max_in_flight,
            max_requests_per_minute=settings.max_requests_per_minute,
            max_retry_seconds=settings.max_retry_seconds,
            attempt_seconds=settings.request_timeout_seconds + ATTEMPT_SLACK_SECONDS,
            clock=clock,
            wake=self.wake,
        )
        self._dead_letters = DeadLetters(settings.dead_letter_path, self.run_id, clock=clock)
        self._checkpoints = Checkpoints()
        self._keeps_ledger = settings.mode == "live" and settings.ledger_url is not None
        self._is_special = self._keeps_ledger or settings.mode == "dry_run"
        self._ledger: Ledger | None = None  # opened when it is first asked
        self._repeats = Repeats()
        self._has_advised = settings.mode != "live"  # to keep a ledger for offline events
        self._state_written_at = float("-inf")
        self._failed_at: int | None = None  # the record that `on_invalid: fail` stopped at
        self._parts: list[Part] = []
        self._deadline: float | None = None
        self._stop: RunStopped | None = None
        self._secrets: set[str] = set()
        self._would_be_sent = 0
        self.watch: Watch | None = None  # is told the time while the run goes on
        self.sequence = 0  # records that have arrived; what is handed over belongs to the last one
        self.states_written = 0

    # What arrives

    def deliver(self, event: Event) -> None:
        """Take an event of the current record to be delivered."""
        if len(event.body) > self._max_body_bytes:
            self.invalid(InvalidRecord(event.origin, Invalid.EVENT_TOO_LARGE, detail="batch_max_bytes", key=key_of(event)))
            return
        key = None
        if self._is_special and (key := self._admit(event)) is None:
            return
        full = self._batches.add(event, self.sequence, key)
        if full is not None:
            self._submit(full)
            self._dispatcher.poll()

    def _admit(self, event: Event) -> bytes | None:
        """Give the ledger's key of an event that is to be sent now; None where it is not: in a dry run, or while a repeat waits."""
        if self.settings.mode == "dry_run":
            self.would_send(event.origin, Skipped.DRY_RUN)
            if self.observations is not None:
                self.observations.take([event])
            return None
        key = event_key(event.account, event.name, event.id)
        return key if self._repeats.claim(key, event, self.sequence) else None

    def invalid(self, record: InvalidRecord) -> None:
        """Take the current record as one that makes no event.

        Raises `RunStopped` under `on_invalid: fail`.
        """
        if self._failed_at is not None:
            return
        if record.repeat_of is not None and self._keeps_ledger and self._known({event_key(*record.repeat_of)}):
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
        self._bury(
            DeadLetter(self.sequence, record.origin, Outcome.INVALID, record.reason, record.detail, record.field, record.key)
        )

    def skip(self, record: SkippedRecord) -> None:
        """Count the current record as left out by configuration."""
        reason = str(record.reason) if record.name is None else f"{record.reason}: {self.tally.name(record.name)}"
        self.tally.count(record.origin, Outcome.SKIPPED, reason)

    def would_send(self, origin: Origin, reason: Reason) -> None:
        """Count what would have been delivered, had the mode been live."""
        self.tally.count(origin, Outcome.SKIPPED, reason)
        self._would_be_sent += 1

    def reject(self, letter: DeadLetter) -> None:
        """Take what Pinterest refused of another part's."""
        self._bury(letter)

    def attach(self, part: Part) -> None:
        """Have another kind of delivery take part in this run."""
        self._parts.append(part)

    def state(self, value: bytes) -> None:
        """Take the value of a STATE message that came after the records so far."""
        if self.settings.mode == "live":
            self._checkpoints.add(value, self.sequence)

    def stop(self, message: str) -> None:
        """Stop before the input ends: nothing further is sent. Raises `RunStopped`."""
        self._stop_with(RunStopped(message), raise_now=True)

    # What moves

    @property
    def has_room(self) -> bool:
        """Tell whether more records may be read; False until requests in flight end."""
        return self._dispatcher.has_room and self._repeats.has_room and all([part.has_room for part in self._parts])  # noqa: C419 - faster so

    @property
    def seconds(self) -> float:
        """Give how long the run has taken so far."""
        return self._clock() - self.started_at

    @property
    def requests(self) -> Requests:
        """Give how many requests were sent, and why."""
        return self._dispatcher.requests

    def standing(self) -> Standing:
        """Give how far it is."""
        return Standing(
            records=self.sequence,
            requests=self.requests.sent,
            oldest_unsettled=self._oldest_unsettled(),
            **self.tally.by_outcome(),
        )

    @property
    def dead_letters_written(self) -> int:
        """Give how many dead letters are durable."""
        return self._dead_letters.written

    def poll(self) -> None:
        """Read answers, send what is due, write what became true. Never waits.

        Raises `RunStopped` when the run has to stop, `OSError` when dead letters or STATE cannot be written.
        """
        now = self._clock()
        if self.watch is not None:
            self.watch.poll(now)
        for batch in self._batches.take_due(now):
            self._submit(batch)
        self._dispatcher.poll()
        for part in self._parts:
            part.poll()
        if not self._repeats.has_room and self._dispatcher.is_idle and self._batches.next_due_at() is None:
            self._dispatcher.release_suspects()  # reading waits for their repeats, so nothing that comes could decide them
        due = self._dead_letters.due_at()
        if due is not None and now >= due:
            self._flush_dead_letters()
        if self._checkpoints.is_waiting and now - self._state_written_at >= STATE_INTERVAL_SECONDS:
            self._checkpoint(now)
        self._check_breaker()

    def seconds_until_due(self) -> float | None:
        """Give how long nothing will happen by itself; None when only input or an answer can change anything."""
        times = [self._batches.next_due_at(), self._dispatcher.next_due_at(), self._dead_letters.due_at()]
        if self._deadline is not None:
            times.append(self._deadline)
        times.extend(part.next_due_at() for part in self._parts)
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
        for batch in self._batches.take_all():
            self._submit(batch)
        for part in self._parts:
            part.flush()
        self._drain()
        if self._stop is None and self._dispatcher.is_idle:
            self._dispatcher.release_suspects()
            self._drain()  # repeats of a refused event are sent in its place
        try:
            self._flush_dead_letters()
        except RunStopped as stop:
            self._stop = self._stop or stop
        self._check_breaker(finishing=True)
        self._checkpoint(self._clock())
        return self._stop

    def close(self) -> None:
        """Give back files and connections."""
        self._dead_letters.close()
        if self._ledger is not None:
            self._ledger.close()
        self._dispatcher.close()
        self._client.close()
        for part in self._parts:
            part.close()

    @property
    def _is_idle(self) -> bool:
        return self._dispatcher.is_idle and all(part.is_idle for part in self._parts)

    def _drain(self) -> None:
        while not self._is_idle:
            try:
                self.poll()
            except RunStopped as stop:
                # Answers still under way may settle events that Pinterest has: wait for them, but not for long.
                self._stop = self._stop or stop
                self.interrupt()
                if not self._dispatcher.in_flight and not any(part.in_flight for part in self._parts):
                    return
            if self._is_idle or (self._deadline is not None and self._clock() >= self._deadline):
                return
            self.wait()

    # What the dispatcher tells

    def _send(self, batch: Batch) -> Answer | Failure:
        self._secrets.add(batch.account.token)
        return self._client.send_events(batch.account, batch.body(), test=self._is_test)

    def answered(self, batch: Batch, statuses: list[EventStatus]) -> None:
        """Settle every event of an answered request by its own status."""
        if self.observations is not None:
            pairs = zip(batch.events, statuses, strict=True)
            self.observations.take([event for event, status in pairs if status.status == "processed"])
        if self._keeps_ledger:
            self._record([key for key, status in zip(batch.keys, statuses, strict=True) if status.status == "processed"])
        elif not any([status.status != "processed" or status.warning_message for status in statuses]):  # noqa: C419 - faster so
            for origin, number in Counter([event.origin for event in batch.events]).items():
                self.tally.count(origin, Outcome.DELIVERED, number=number)
            return
        delivered: Counter[Origin] = Counter()
        for position, status in enumerate(statuses):
            if status.warning_message:
                self.tally.warn(redact(status.warning_message, self._secrets))
            if status.status == "processed":
                delivered[batch.events[position].origin] += 1
                for repeat, _ in self._repeats.delivered(batch.keys[position]) if self._keeps_ledger else ():
                    self.skip(SkippedRecord(repeat.origin, Skipped.IN_LEDGER))
            else:
                self._reject(batch, position, Rejected.REFUSED_EVENT, redact(status.error_message or "", self._secrets))
        for origin, number in delivered.items():
            self.tally.count(origin, Outcome.DELIVERED, number=number)

    def refused(self, batch: Batch, message: str) -> None:
        """Settle the single event of a refused request."""
        for position in range(len(batch)):
            self._reject(batch, position, Rejected.REFUSED_REQUEST, message)

    def uncertain(self, batch: Batch) -> Batch | None:
        """Give what is sent again after an unknown outcome; under `on_uncertain: reject` not what Pinterest cannot deduplicate."""
        if self.settings.on_uncertain == "resend":
            return batch
        again = [position for position, event in enumerate(batch.events) if event.deduplicable]
        if len(again) == len(batch):
            return batch
        for position, event in enumerate(batch.events):
            if not event.deduplicable:
                self._reject(
                    batch, position, Rejected.UNCERTAIN, "it may have been counted, and is not sent twice (on_uncertain is reject)"
                )
        return batch.pick(again) if again else None

    def _reject(self, batch: Batch, position: int, reason: Rejected, detail: str) -> None:
        event = batch.events[position]
        if self._keeps_ledger and (repeat := self._repeats.failed(batch.keys[position])) is not None:
            alone = Batch(repeat[0].account, self._clock())
            alone.append(*repeat, batch.keys[position])
            self._dispatcher.submit(alone)
        self._bury(
            DeadLetter(
                batch.sequences[position],
                event.origin,
                Outcome.REJECTED,
                reason,
                detail or None,
                key=key_of(event),
                ad_account_id=batch.account.ad_account_id,
                event=event.body,
            ),
        )

    # The ledger

    def _submit(self, batch: Batch) -> None:
        """Hand a batch to the dispatcher, without the events that the ledger knows.

        Never raises: where the ledger fails the dispatcher is stopped, and holds the batch as unsettled.
        """
        known: set[bytes] = set()
        if self._keeps_ledger:
            try:
                known = self._known(set(batch.keys))
            except RunStopped as stop:
                self._stop = stop
        elif not self._has_advised and not all([event.deduplicable for event in batch.events]):  # noqa: C419 - faster so
            self._has_advised = True
            _log.warning(
                "Some events are offline ones, which Pinterest never deduplicates: set ledger_url, so that a rerun does not count "
                "them twice.",
            )
        if not known:
            self._dispatcher.submit(batch)
            return
        unknown = [position for position, key in enumerate(batch.keys) if key not in known]
        for event, key in zip(batch.events, batch.keys, strict=True):
            if key in known:
                for skipped in (event, *(repeat for repeat, _ in self._repeats.delivered(key))):
                    self.skip(SkippedRecord(skipped.origin, Skipped.IN_LEDGER))
        if unknown:
            self._dispatcher.submit(batch.pick(unknown))

    def _known(self, keys: set[bytes]) -> set[bytes]:
        try:
            return self._opened_ledger().known(keys)
        except LedgerError as error:
            raise self._ledger_stop(error) from None

    def _record(self, keys: list[bytes]) -> None:
        try:
            self._opened_ledger().record(keys)
        except LedgerError as error:
            raise self._ledger_stop(error) from None

    def _opened_ledger(self) -> Ledger:
        if self._ledger is None:
            assert self.settings.ledger_url is not None  # noqa: S101 - only asked where it is set
            from target_pinterest_capi.delivery.ledger_sql import SqlLedger  # noqa: PLC0415 - SQLAlchemy takes 0.1 s to import

            self._ledger = SqlLedger(self.settings.ledger_url.get_secret_value(), self.settings.ledger_retention_days)
        return self._ledger

    def _ledger_stop(self, error: LedgerError) -> RunStopped:
        self._dispatcher.stop("the ledger failed")
        self._stop = self._stop or RunStopped(
            f"the ledger at ledger_url cannot be used: {error}. STATE stays before what is not recorded there: "
            "mend the database and run again.",
        )
        return self._stop

    # Settling

    def _bury(self, letter: DeadLetter) -> None:
        if letter.reason != Invalid.EVENT_TOO_OLD:
            self._checkpoints.taint(letter.sequence)
        self._dead_letters.add(letter)

    def _flush_dead_letters(self) -> None:
        try:
            letters = self._dead_letters.flush()
        except OSError as error:
            raise RunStopped(
                f"dead letters cannot be written to dead_letter_path {self._dead_letters.path!r}: {error.strerror or error}. "
                "STATE stays before them: make the path writable and run again.",
            ) from error
        for letter in letters:
            self.tally.count(letter.origin, letter.outcome, letter.reason)
            if letter.reason == Invalid.EVENT_TOO_OLD:
                self.tally.count_outside_ratio()

    def _oldest_unsettled(self) -> int | None:
        marks = (
            self._batches.oldest_sequence(),
            self._dispatcher.oldest_sequence(),
            self._dead_letters.oldest_sequence(),
            self._repeats.oldest_sequence(),
            self._failed_at,
            *(part.oldest_sequence() for part in self._parts),
        )
        return min((mark for mark in marks if mark is not None), default=None)

    def _checkpoint(self, now: float) -> None:
        value = self._checkpoints.take(self._oldest_unsettled(), pass_tainted=not self._is_over_limit())
        if value is not None:
            self._write_state(value)
            self._state_written_at = now
            self.states_written += 1

    def _is_over_limit(self) -> bool:
        limit, failed = self.settings.max_rejected_ratio, self.tally.failed
        return limit is not None and failed > 0 and failed >= limit * self._attempted

    @property
    def _attempted(self) -> int:
        """Events that the share of failures is taken of; in a dry run those that would have been sent stand for the delivered."""
        return self.tally.attempted + self._would_be_sent

    def _check_breaker(self, *, finishing: bool = False) -> None:
        at_end = finishing and self._deadline is None  # an interrupted run has not seen its end
        for stopped in (self._dispatcher.stopped, *(part.stopped for part in self._parts)):
            if stopped is not None:
                self._stop_with(RunStopped(stopped.message), raise_now=not finishing)
        if self._is_over_limit() and (at_end or self._attempted >= MIN_SETTLED_FOR_RATIO):
            self._stop_with(
                RunStopped(
                    f"{self.tally.failed} of {self._attempted} events were invalid or rejected, and max_rejected_ratio is "
                    f"{self.settings.max_rejected_ratio:g}: see {self._dead_letters.path} for each one's reason. "
                    "STATE stays before them.",
                    ExitCode.TOO_MUCH_REJECTED,
                ),
                raise_now=not finishing,
            )

    def _stop_with(self, stop: RunStopped, *, raise_now: bool) -> None:
        self._stop = self._stop or stop
        self._dispatcher.stop(str(stop))
        for part in self._parts:
            part.stop(str(stop))
        if raise_now:
            raise self._stop
