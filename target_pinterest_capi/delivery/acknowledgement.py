"""How events end: each in exactly one outcome, counted with its reason.

An invalid or rejected event is acknowledged only once its dead letter is durable, and any event
only once the results have it. The dispatcher reports how requests ended, and the run reports
records without an event. Never sends, never writes STATE.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.database_errors import DatabaseError
from target_pinterest_capi.delivery.dead_letters import DeadLetter, DeadLetters
from target_pinterest_capi.delivery.deduplication import Deduplication
from target_pinterest_capi.delivery.exit_codes import RunStopped
from target_pinterest_capi.delivery.rejection_limit import RejectionLimit
from target_pinterest_capi.delivery.results import PendingRows, RunResults
from target_pinterest_capi.events.event import Account, Event, Origin
from target_pinterest_capi.events.keys import key_of
from target_pinterest_capi.events.outcomes import Outcome, Rejected, counted_invalid
from target_pinterest_capi.events.reasons import Invalid, Reason, Skipped
from target_pinterest_capi.events.redaction import plain_values, redact, shown_path
from target_pinterest_capi.files.line_file import LineFile
from target_pinterest_capi.pinterest.responses import EventStatus
from target_pinterest_capi.reporting.counters import Counters
from target_pinterest_capi.reporting.delivered_statistics import DeliveredStatistics
from target_pinterest_capi.reporting.event_times import count_late
from target_pinterest_capi.settings.event_names import known_event_names

if TYPE_CHECKING:
    from target_pinterest_capi.settings import Settings

_UNCERTAIN_DETAIL: Final = (
    "Pinterest may have counted it, and it is not sent twice (on_uncertain is reject)"
)


class Acknowledger:
    """Acknowledges the events of a run.

    `clock` is monotonic seconds, `now` returns Unix seconds. `submit` gets a batch that is sent in
    place of a rejected event, `hold_at` the number of each record that ended invalid or rejected.
    `seconds_left` returns how long a write of dead letters may take.
    """

    def __init__(
        self,
        settings: "Settings",
        run_id: str,
        deduplication: Deduplication | None,
        *,
        submit: Callable[[Batch], None],
        hold_at: Callable[[int], None],
        seconds_left: Callable[[], float | None] = lambda: None,
        clock: Callable[[], float],
        now: Callable[[], float] = time.time,
        open_lines: Callable[[str], LineFile] = LineFile,
        rejection_limit: RejectionLimit | None = None,
        results: RunResults | None = None,
    ) -> None:
        self.tally = Counters(known_event_names(settings))
        self.observations: DeliveredStatistics | None = None
        if settings.has_statistics:
            self.observations = DeliveredStatistics(known_event_names(settings))
        self.dead_letters = DeadLetters(
            settings.dead_letter_path,
            run_id,
            clock=clock,
            open_lines=open_lines,
            seconds_left=seconds_left,
        )
        self.secrets: set[str] = set()  # tokens, removed from every message that is quoted
        self._rejection_limit = rejection_limit or RejectionLimit(settings.max_rejected_ratio)
        self._mode = settings.mode
        self._resends_uncertain = settings.on_uncertain == "resend"
        self._deduplication = deduplication
        self._results = results
        self._durable: list[DeadLetter] = []  # letters that do not count before their results
        self._submit = submit
        self._hold_at = hold_at
        self._clock = clock
        self._now = now

    # What is not sent

    def skip_events(self, events: Iterable[Event], reason: Reason) -> None:
        """Count events that need not be sent."""
        self._count_events(events, Outcome.SKIPPED, reason)

    def skip_in_ledger(self, events: Sequence[Event]) -> None:
        """Count events that the ledger has, or that repeat one which it just got.

        Their ids are compared too: with a ledger, all but one of those with the same id end here.
        """
        self.tally.compare_ids(events)
        self.skip_events(events, Skipped.IN_LEDGER)

    def skip_unsent(self, origin: Origin, reason: Reason) -> None:
        """Count an event or member that would have been sent in mode live."""
        self.tally.count_outcome(origin, Outcome.SKIPPED, reason)
        self.tally.count_unsent()

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """Add an invalid or rejected event; it counts once `flush` has made its letter durable."""
        if letter.reason != Invalid.EVENT_TOO_OLD:
            self._hold_at(letter.sequence)
        self.dead_letters.add(letter)

    # How requests end

    def settle_answered(
        self, batch: Batch, statuses: list[EventStatus], http_status: int
    ) -> Iterator[PendingRows]:
        """Acknowledge every event of a request by its own status.

        Yields the rows of delivered events while they are being written, and then waits for them.
        Raises `DatabaseError` before anything is acknowledged.
        """
        # A list is faster than a generator here.
        if not any(
            [status.status != "processed" or status.warning_message for status in statuses]  # noqa: C419
        ):
            yield from self._deliver(batch.account, batch.events, batch.keys, http_status)
            return
        done = [
            position for position, status in enumerate(statuses) if status.status == "processed"
        ]
        keys = [batch.keys[position] for position in done] if batch.keys else []
        delivered = [batch.events[position] for position in done]
        yield from self._deliver(batch.account, delivered, keys, http_status)
        for position, status in enumerate(statuses):
            if status.warning_message:
                message = self._redact(status.warning_message, batch, position)
                self.tally.count_warning(message)
                if self.observations is not None:
                    self.observations.count_warning(message, batch.events[position])
            if status.status != "processed":
                message = self._redact(status.error_message or "", batch, position)
                self._reject(batch, position, Rejected.REFUSED_EVENT, message, http_status)

    def settle_refused(self, batch: Batch, message: str, http_status: int) -> None:
        """Reject the single event of a refused request."""
        for position in range(len(batch)):
            self._reject(batch, position, Rejected.REFUSED_REQUEST, message, http_status)

    def settle_uncertain(self, batch: Batch) -> Batch | None:
        """Return what to send again of a request whose outcome is unknown.

        With `on_uncertain: reject`, events that Pinterest cannot deduplicate are rejected instead.
        """
        if self._resends_uncertain:
            return batch
        again = [position for position, event in enumerate(batch.events) if event.deduplicable]
        if len(again) == len(batch):
            return batch
        for position, event in enumerate(batch.events):
            if not event.deduplicable:
                self._reject_uncertain(batch, position)
        return batch.pick(again) if again else None

    def _redact(self, message: str, batch: Batch, position: int) -> str:
        """Return Pinterest's message about an event without the event's own values."""
        return redact(message, self.secrets, plain_values([batch.events[position].body]))

    def _deliver(
        self, account: Account, events: list[Event], keys: list[int], http_status: int
    ) -> Iterator[PendingRows]:
        if account.mode != self._mode:
            self.tally.examine_events(events)
            self.skip_events(events, Skipped.TESTED)
            self.tally.count_unsent(len(events))
            self.tally.count_tested(len(events))
            return
        try:
            if self._results is not None:
                yield from self._results.record_delivered(events, http_status)
        finally:  # whatever the results can store: what the ledger does not have is sent twice
            if self._deduplication is not None:
                self.skip_in_ledger(self._deduplication.record_delivered(keys))
        if self.observations is not None:
            late = self.observations.count_events(events)
        else:
            late = count_late(events, self._now())
        self.tally.count_late_online(late)
        self.tally.examine_events(events)
        self._count_events(events, Outcome.DELIVERED)

    def _reject(
        self, batch: Batch, position: int, reason: Rejected, detail: str, http_status: int
    ) -> None:
        self._send_repeat(batch, position)
        event, sequence = batch.events[position], batch.sequences[position]
        self._add_rejected(event, sequence, reason, detail, http_status)

    def _reject_uncertain(self, batch: Batch, position: int) -> None:
        """Reject an event that Pinterest may have counted, and every repeat that waits for it."""
        self.reject_uncertain(batch.events[position], batch.sequences[position])
        if self._deduplication is not None and batch.keys:
            for repeat, sequence in self._deduplication.end_uncertain(batch.keys[position]):
                self.reject_uncertain(repeat, sequence)

    def reject_uncertain(self, event: Event, sequence: int) -> None:
        """Reject an event that Pinterest may have counted, or the repeat of one."""
        self._add_rejected(event, sequence, Rejected.UNCERTAIN, _UNCERTAIN_DETAIL)

    def _add_rejected(
        self,
        event: Event,
        sequence: int,
        reason: Rejected,
        detail: str,
        http_status: int | None = None,
    ) -> None:
        if self.observations is not None:
            self.observations.count_rejected(event)
        self.add_dead_letter(
            DeadLetter(
                sequence,
                event.origin,
                Outcome.REJECTED,
                reason,
                detail or None,
                key=key_of(event),
                ad_account_id=event.account.ad_account_id,
                mode=event.account.mode,
                event=event.body,
                http_status=http_status,
            )
        )

    def _send_repeat(self, batch: Batch, position: int) -> None:
        """Send the next repeat of a rejected event in its place, if one waits."""
        if self._deduplication is None or not batch.keys:
            return
        repeat = self._deduplication.next_repeat(batch.keys[position])
        if repeat is None:
            return
        event, sequence = repeat
        alone = Batch(event.account, self._clock())
        alone.append(event, sequence, batch.keys[position])
        self._submit(alone)

    def _count_events(self, events: Iterable[Event], outcome: Outcome, reason: str = "") -> None:
        origins = [event.origin for event in events]
        for origin in set(origins):
            self.tally.count_outcome(origin, outcome, reason, origins.count(origin))

    # What is durable

    @property
    def waiting(self) -> int:
        """How many letters do not count yet."""
        return self.dead_letters.waiting + len(self._durable)

    def oldest_sequence(self) -> int | None:
        """Return the lowest number of a record whose letter does not count yet."""
        sequences = [letter.sequence for letter in self._durable]
        buffered = self.dead_letters.oldest_sequence()
        if buffered is not None:
            sequences.append(buffered)
        return min(sequences, default=None)

    def flush(self) -> None:
        """Make every dead letter durable, and count it. Raises `RunStopped` if that fails."""
        try:
            self._durable += self.dead_letters.flush()
        except OSError as error:
            raise RunStopped(
                "dead letters cannot be written to dead_letter_path "
                f"{shown_path(self.dead_letters.path)!r}: {error.strerror or error}. "
                "STATE stays before them: make the path writable and run again.",
            ) from error
        if self._results is not None:
            try:
                self._results.record_failed(self._durable)
            except DatabaseError as error:
                raise RunStopped(error.stop_message) from None
        letters, self._durable = self._durable, []
        for letter in letters:
            reason = counted_invalid(letter.reason, letter.field)
            self.tally.count_outcome(letter.origin, letter.outcome, reason)
            if letter.reason == Invalid.EVENT_TOO_OLD:
                self.tally.count_outside_ratio()

    # Too much rejected

    @property
    def is_over_limit(self) -> bool:
        """Whether the share of failures so far is at or over `max_rejected_ratio`."""
        return self._rejection_limit.is_reached(self.tally)

    def has_too_much_rejected(self, undecided: int, *, at_end: bool) -> bool:
        """Return whether the share reaches the limit even if all `undecided` are delivered.

        Before the end, the limit requires a minimum of acknowledged events.
        """
        limit = self._rejection_limit
        is_enough = at_end or self.tally.attempted >= limit.min_settled
        return is_enough and limit.is_reached(self.tally, undecided)

    def describe_rejected(self) -> str:
        """Return how much was invalid or rejected, and what the limit is."""
        return self._rejection_limit.describe(self.tally, self.dead_letters.path)
