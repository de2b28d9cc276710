"""How events end: each in exactly one outcome, counted with its reason, and durable first where that is a dead letter.

Hears from the dispatcher how requests end, and from the run what makes no event. Never sends by itself, and never writes STATE.
"""

from collections import Counter  # noqa: I001
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.dead_letters import DeadLetter, DeadLetters
from target_pinterest_capi.delivery.deduplication import Deduplication
from target_pinterest_capi.delivery.exit_codes import RunStopped
from target_pinterest_capi.events.outcomes import Outcome, Rejected
from target_pinterest_capi.events.event import Event, Origin
from target_pinterest_capi.events.keys import key_of
from target_pinterest_capi.events.reasons import Invalid, Reason, Skipped
from target_pinterest_capi.pinterest.client import EventStatus
from target_pinterest_capi.pinterest.redaction import redact
from target_pinterest_capi.reporting.counters import Counters
from target_pinterest_capi.reporting.delivered_statistics import DeliveredStatistics

if TYPE_CHECKING:
    from target_pinterest_capi.settings import Settings

MIN_SETTLED_FOR_RATIO: Final = 1000


class Acknowledger:
    """The account of a run. `submit` takes a batch that is sent in the place of a rejected event; `clock` is monotonic seconds.

    `taint` hears of each record that ended invalid or rejected, by its number.
    """

    def __init__(
        self,
        settings: "Settings",
        run_id: str,
        deduplication: Deduplication | None,
        *,
        submit: Callable[[Batch], None],
        taint: Callable[[int], None],
        clock: Callable[[], float],
    ) -> None:
        self.tally = Counters()
        self.observations = (
            None if settings.report_path is None else DeliveredStatistics(self.tally.bounded_name)
        )
        self.dead_letters = DeadLetters(settings.dead_letter_path, run_id, clock=clock)
        self.secrets: set[str] = set()  # tokens: no answer that is quoted shows one
        self._max_rejected_ratio = settings.max_rejected_ratio
        self._resends_uncertain = settings.on_uncertain == "resend"
        self._deduplication = deduplication
        self._submit = submit
        self._taint = taint
        self._clock = clock
        self._would_be_sent = 0

    # What is not sent

    def skip(self, events: Sequence[Event], reason: Reason) -> None:
        """Count events that need not be sent."""
        self._count(events, Outcome.SKIPPED, reason)

    def would_send(self, origin: Origin, reason: Reason) -> None:
        """Count what would have been delivered, had the mode been live."""
        self.tally.count_outcome(origin, Outcome.SKIPPED, reason)
        self._would_be_sent += 1

    def bury(self, letter: DeadLetter) -> None:
        """Take an invalid or rejected event; it is settled once `flush` has made its letter durable."""
        if letter.reason != Invalid.EVENT_TOO_OLD:
            self._taint(letter.sequence)
        self.dead_letters.add(letter)

    # What the dispatcher tells

    def answered(self, batch: Batch, statuses: list[EventStatus]) -> None:
        """Settle every event of an answered request by its own status. Raises `LedgerError` before anything is settled."""
        if not any([status.status != "processed" or status.warning_message for status in statuses]):  # noqa: C419 - faster so
            self._deliver(batch.events, batch.keys)
            return
        done = [
            position for position, status in enumerate(statuses) if status.status == "processed"
        ]
        keys = [batch.keys[position] for position in done] if batch.keys else []
        self._deliver([batch.events[position] for position in done], keys)
        for position, status in enumerate(statuses):
            if status.warning_message:
                self.tally.count_warning(redact(status.warning_message, self.secrets))
            if status.status != "processed":
                self._reject(
                    batch,
                    position,
                    Rejected.REFUSED_EVENT,
                    redact(status.error_message or "", self.secrets),
                )

    def refused(self, batch: Batch, message: str) -> None:
        """Settle the single event of a refused request."""
        for position in range(len(batch)):
            self._reject(batch, position, Rejected.REFUSED_REQUEST, message)

    def uncertain(self, batch: Batch) -> Batch | None:
        """Give what is sent again after an unknown outcome; under `on_uncertain: reject` not what Pinterest cannot deduplicate."""
        if self._resends_uncertain:
            return batch
        again = [position for position, event in enumerate(batch.events) if event.deduplicable]
        if len(again) == len(batch):
            return batch
        for position, event in enumerate(batch.events):
            if not event.deduplicable:
                self._reject(
                    batch,
                    position,
                    Rejected.UNCERTAIN,
                    "it may have been counted, and is not sent twice (on_uncertain is reject)",
                )
        return batch.pick(again) if again else None

    def _deliver(self, events: list[Event], keys: list[int]) -> None:
        if self._deduplication is not None:
            self.skip(self._deduplication.delivered(keys), Skipped.IN_LEDGER)
        if self.observations is not None:
            self.observations.count_events(events)
        self._count(events, Outcome.DELIVERED)

    def _reject(self, batch: Batch, position: int, reason: Rejected, detail: str) -> None:
        event = batch.events[position]
        if (
            self._deduplication is not None
            and (repeat := self._deduplication.failed(batch.keys[position])) is not None
        ):
            alone = Batch(repeat[0].account, self._clock())
            alone.append(*repeat, batch.keys[position])
            self._submit(alone)
        self.bury(
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

    def _count(self, events: Sequence[Event], outcome: Outcome, reason: str = "") -> None:
        for origin, number in Counter([event.origin for event in events]).items():
            self.tally.count_outcome(origin, outcome, reason, number)

    # What is durable

    def flush(self) -> None:
        """Make every dead letter durable, and count it. Raises `RunStopped` where it cannot be written."""
        try:
            letters = self.dead_letters.flush()
        except OSError as error:
            raise RunStopped(
                f"dead letters cannot be written to dead_letter_path {self.dead_letters.path!r}: {error.strerror or error}. "
                "STATE stays before them: make the path writable and run again.",
            ) from error
        for letter in letters:
            self.tally.count_outcome(letter.origin, letter.outcome, letter.reason)
            if letter.reason == Invalid.EVENT_TOO_OLD:
                self.tally.count_outside_ratio()

    # Too much rejected

    @property
    def is_over_limit(self) -> bool:
        """Tell whether the share of failures so far is at or over `max_rejected_ratio`."""
        return self._reaches_limit(self._attempted)

    def is_too_much_rejected(self, undecided: int, *, at_end: bool) -> bool:
        """Tell whether the share stays at or over the limit even if all `undecided` are delivered.

        Before the end it takes `MIN_SETTLED_FOR_RATIO` settled events.
        """
        attempted = self._attempted
        is_enough = at_end or attempted >= MIN_SETTLED_FOR_RATIO
        return is_enough and self._reaches_limit(attempted + undecided)

    @property
    def share_in_words(self) -> str:
        """Say how much was invalid or rejected, and what the limit is."""
        return (
            f"{self.tally.failed} of {self._attempted} settled events were invalid or rejected, "
            f"and max_rejected_ratio is {self._max_rejected_ratio:g}: see {self.dead_letters.path} for each one's reason"
        )

    def _reaches_limit(self, total: int) -> bool:
        limit, failed = self._max_rejected_ratio, self.tally.failed
        return limit is not None and failed > 0 and failed >= limit * total

    @property
    def _attempted(self) -> int:
        """Events that the share is taken of; in a dry run those that would have been sent stand for the delivered."""
        return self.tally.attempted + self._would_be_sent
