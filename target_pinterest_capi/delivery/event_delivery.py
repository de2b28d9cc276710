"""Events on their way: gathered into batches, without what the ledger knows, and carried to their end by the dispatcher.

The events' own part in a run. Never counts: how an event ends is told to `Acknowledger`. Where the ledger fails nothing more is sent.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from target_pinterest_capi.delivery.acknowledgement import Acknowledger
from target_pinterest_capi.delivery.batches import FRAME_BYTES, Batch, Batches
from target_pinterest_capi.delivery.deduplication import Deduplication
from target_pinterest_capi.delivery.dispatcher import Dispatcher, StopReason
from target_pinterest_capi.delivery.exit_codes import RunStopped
from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.events.event import Account, Event
from target_pinterest_capi.events.reasons import Skipped
from target_pinterest_capi.pinterest.client import ApiResponse, Client, NoResponse

if TYPE_CHECKING:
    from target_pinterest_capi.settings import Settings

TEST_EVENTS: Final = 20  # a test request processes its first 20 events only (docs)
ATTEMPT_SLACK_SECONDS: Final = (
    1.0  # beyond request_timeout_seconds: the client knows better what happened, so it speaks first
)

_log: Final = logging.getLogger("target-pinterest-capi.delivery")


class Sender(Protocol):
    """What a run needs of a client: one attempt in, one answer out, on any thread."""

    def send_events(self, account: Account, body: bytes, *, test: bool) -> ApiResponse | NoResponse:
        """Make one attempt to send a request of events."""

    def close(self) -> None:
        """Close every connection."""


class EventDelivery:
    """A `Part` of a run, with the doors' way in. `clock` is monotonic seconds."""

    def __init__(
        self,
        settings: "Settings",
        settling: Acknowledger,
        deduplication: Deduplication | None,
        *,
        clock: Callable[[], float],
        wake: Wakeup,
        client: Sender | None,
    ) -> None:
        self._settling = settling
        self._deduplication = deduplication
        self._clock = clock
        self._is_test = settings.mode == "test"
        self._has_advised = settings.mode != "live"  # to keep a ledger for offline events
        self._batches = Batches(
            max_rows=min(settings.batch_size_rows, TEST_EVENTS)
            if self._is_test
            else settings.batch_size_rows,
            max_bytes=settings.batch_max_bytes,
            wait_seconds=settings.batch_wait_seconds,
            clock=clock,
        )
        self.max_body_bytes = settings.batch_max_bytes - FRAME_BYTES
        self._client: Sender = client or Client(
            settings.api_url,
            max_connections=settings.max_in_flight,
            timeout_seconds=settings.request_timeout_seconds,
        )
        self.dispatcher = Dispatcher(
            self._send,
            settling,
            max_in_flight=settings.max_in_flight,
            max_requests_per_minute=settings.max_requests_per_minute,
            max_retry_seconds=settings.max_retry_seconds,
            attempt_seconds=settings.request_timeout_seconds + ATTEMPT_SLACK_SECONDS,
            clock=clock,
            wake=wake,
        )

    # What arrives

    def add(self, event: Event, sequence: int) -> None:
        """Take an event that fits into a request, unless it waits as the repeat of one under way."""
        key = None
        if (
            self._deduplication is not None
            and (key := self._deduplication.claim(event, sequence)) is None
        ):
            return
        full = self._batches.add(event, sequence, key)
        if full is not None:
            self._submit(full)
            self._hear()

    def is_known(self, account: Account, name: str, event_id: str) -> bool:
        """Tell whether the ledger, where one is kept, has an event. Raises `RunStopped` where it fails."""
        try:
            return self._deduplication is not None and self._deduplication.is_known(
                account, name, event_id
            )
        except LedgerError as error:
            self._stop_for(error)
            raise RunStopped(_ledger_words(error)) from None

    def send_instead(self, batch: Batch) -> None:
        """Send a repeat in the place of an event that was rejected; the ledger was asked about the two of them already."""
        self.dispatcher.submit(batch)

    # What a part is asked

    @property
    def has_room(self) -> bool:
        """Tell whether more records may be read; False until requests in flight end."""
        return self._has_room_for_repeats and self.dispatcher.has_room

    @property
    def is_idle(self) -> bool:
        """Tell whether no request is under way or waits to be sent."""
        return self.dispatcher.is_idle

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return self.dispatcher.in_flight

    @property
    def undecided(self) -> int:
        """How many events could still be delivered: gathered, on their way, or held as repeats."""
        repeats = 0 if self._deduplication is None else self._deduplication.undecided
        return self._batches.undecided + self.dispatcher.undecided + repeats

    @property
    def stopped(self) -> StopReason | None:
        """Give why nothing further is sent, if it is so."""
        return self.dispatcher.stopped

    def oldest_sequence(self) -> int | None:
        """Give the lowest number of a record that has an event open or under way."""
        marks = (self._batches.oldest_sequence(), self.dispatcher.oldest_sequence())
        return min((mark for mark in marks if mark is not None), default=None)

    def next_due_at(self) -> float | None:
        """Give the time at which something can be sent; None when only an answer or an event can change anything."""
        times = (self._batches.next_due_at(), self.dispatcher.next_due_at())
        return min((at for at in times if at is not None), default=None)

    # What moves it

    def poll(self) -> None:
        """Read the answers that have come, and send what is due."""
        for batch in self._batches.take_due(self._clock()):
            self._submit(batch)
        self._hear()
        if (
            not self._has_room_for_repeats
            and self.dispatcher.is_idle
            and self._batches.next_due_at() is None
        ):
            self.dispatcher.release_suspects()  # reading waits for their repeats, so nothing that comes could decide them

    def flush(self) -> None:
        """Send what has gathered."""
        for batch in self._batches.take_all():
            self._submit(batch)

    def stop(self, message: str) -> None:
        """Send nothing more."""
        self.dispatcher.stop(message)

    def close(self) -> None:
        """Give back the ledger, threads and connections."""
        if self._deduplication is not None:
            self._deduplication.close()
        self.dispatcher.close()
        self._client.close()

    @property
    def _has_room_for_repeats(self) -> bool:
        return self._deduplication is None or self._deduplication.has_room

    def _submit(self, batch: Batch) -> None:
        """Hand a batch to the dispatcher, without what the ledger knows. Where the ledger fails all of it stays there."""
        left: Batch | None = batch
        if self._deduplication is not None:
            try:
                left, known = self._deduplication.sift(batch)
                self._settling.skip(known, Skipped.IN_LEDGER)
            except LedgerError as error:
                self._stop_for(error)
        elif not self._has_advised and not all([event.deduplicable for event in batch.events]):  # noqa: C419 - faster so
            self._has_advised = True
            _log.warning(
                "Some events are offline ones, which Pinterest never deduplicates: set ledger_url, so that a rerun does not count "
                "them twice.",
            )
        if left is not None:
            self.dispatcher.submit(left)

    def _hear(self) -> None:
        """Let the dispatcher read answers and start requests. Of an answer that the ledger cannot keep nothing is settled."""
        try:
            self.dispatcher.poll()
        except LedgerError as error:
            self._stop_for(error)

    def _stop_for(self, error: LedgerError) -> None:
        self.dispatcher.stop(_ledger_words(error))

    def _send(self, batch: Batch) -> ApiResponse | NoResponse:
        """Make an attempt, on a sender's thread."""
        self._settling.secrets.add(batch.account.token)
        return self._client.send_events(batch.account, batch.body(), test=self._is_test)


def _ledger_words(error: LedgerError) -> str:
    return (
        f"the ledger at ledger_url cannot be used: {error}. STATE stays before what is not recorded there: "
        "mend the database and run again."
    )
