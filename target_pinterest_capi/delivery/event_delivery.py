"""Delivers events: collects them in batches, claims these in the ledger, and submits them.

The run reads on while a batch is claimed; the next batch waits for that.

Events in the ledger are skipped, and events claimed by another run wait. The `Acknowledger` decides
how an event ends. If the ledger fails, nothing more is sent.
"""

import logging
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from target_pinterest_capi.delivery.acknowledgement import Acknowledger
from target_pinterest_capi.delivery.batches import Batch, Batches, max_event_bytes
from target_pinterest_capi.delivery.database_errors import DatabaseError
from target_pinterest_capi.delivery.deduplication import Deduplication, PendingBatch
from target_pinterest_capi.delivery.dispatcher import Dispatcher, StopReason
from target_pinterest_capi.delivery.exit_codes import RunStopped
from target_pinterest_capi.delivery.held_batches import HeldBatches
from target_pinterest_capi.delivery.ledger import LEASE_SECONDS, LedgerError
from target_pinterest_capi.delivery.rate_limit import RateLimit
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.delivery.worker_pool import StartWorkers, WorkerPool
from target_pinterest_capi.events.event import Account, Event
from target_pinterest_capi.pinterest.client import Attempt, Client
from target_pinterest_capi.pinterest.responses import EventsResponse
from target_pinterest_capi.reporting.counters import RequestCounts

if TYPE_CHECKING:
    from target_pinterest_capi.settings import Settings

TEST_REQUESTS: Final = 10  # docs/pinterest-api.md: test requests a second, per app
# Beyond request_timeout_seconds: the client knows better what happened, so it reports first.
ATTEMPT_SLACK_SECONDS: Final = 1.0

_log: Final = logging.getLogger("target-pinterest-capi.delivery")


class EventSender(Protocol):
    """What a run needs from a client: one attempt, one response, on any thread."""

    def send_events(self, account: Account, body: bytes, *, test: bool) -> EventsResponse:
        """Make one attempt to send a request of events."""

    def close(self) -> None:
        """Close every connection."""


class EventDelivery:
    """The `Delivery` of events. `clock` is monotonic seconds."""

    def __init__(
        self,
        settings: "Settings",
        acknowledger: Acknowledger,
        deduplication: Deduplication | None,
        *,
        clock: Callable[[], float],
        wake: Wakeup,
        client: EventSender | None = None,
        rng: random.Random | None = None,
        start_workers: StartWorkers = WorkerPool,
        observe: Callable[[Attempt], None] | None = None,
    ) -> None:
        self._acknowledger = acknowledger
        self._deduplication = deduplication
        self._clock = clock
        self._may_warn = True  # about offline events without a ledger
        self._batches = Batches(
            max_rows=settings.batch_size_rows,
            max_bytes=settings.batch_max_bytes,
            wait_seconds=settings.batch_wait_seconds,
            clock=clock,
        )
        self._held = HeldBatches()
        self.collect_event = self._batches.collect_event
        self._claiming: PendingBatch | None = None
        self._is_flushing = False
        self._has_waited = False  # for another run
        self.max_event_bytes = max_event_bytes(settings.batch_max_bytes)
        self._client = client
        self._make_client = partial(
            Client,
            settings.api_url,
            max_connections=settings.max_in_flight,
            timeout_seconds=settings.request_timeout_seconds,
            observe=observe,
        )
        self.dispatcher = Dispatcher(
            self._send,
            acknowledger,
            max_in_flight=settings.max_in_flight,
            max_requests_per_minute=settings.max_requests_per_minute,
            # One at a time: ten that start at once may arrive within a second of the next ten.
            test_limit=RateLimit(1, window_seconds=1 / TEST_REQUESTS),
            max_retry_seconds=settings.max_retry_seconds,
            attempt_seconds=settings.request_timeout_seconds + ATTEMPT_SLACK_SECONDS,
            clock=clock,
            wake=wake,
            rng=rng,
            start_workers=start_workers,
        )

    # What arrives

    def add_event(self, event: Event, sequence: int) -> None:
        """Add an event that fits."""
        full = self._batches.add_event(event, sequence)
        if full is not None:
            self._submit(full)
            self._poll_dispatcher()

    def is_known(self, account: Account, name: str, event_id: str) -> bool:
        """Return whether the ledger, if there is one, has an event.

        Raises `RunStopped` if the ledger fails.
        """
        if self._deduplication is None or account.mode != "live":
            return False
        try:
            return self._deduplication.is_known(account, name, event_id)
        except LedgerError as error:
            self.stop(error.stop_message)
            raise RunStopped(error.stop_message) from None

    def submit_repeat(self, batch: Batch) -> None:
        """Send a repeat in place of a rejected event; the ledger has neither of them."""
        self.dispatcher.submit(batch)

    # What the run asks

    @property
    def has_room(self) -> bool:
        """Whether more records may be read; if not, wait until requests in flight end."""
        return self._has_room_for_repeats and self._held.has_room and self.dispatcher.has_room

    @property
    def is_idle(self) -> bool:
        """Whether no request is in flight, waits to be sent, or waits for another run.

        After `flush`, unconfirmed ones count too.
        """
        is_undecided = self._is_flushing and self.dispatcher.has_unconfirmed
        is_held = bool(self._held) or self._claiming is not None
        return self.dispatcher.is_idle and not is_held and not is_undecided

    @property
    def in_flight(self) -> int:
        """How many requests are in flight."""
        return self.dispatcher.in_flight

    @property
    def undecided(self) -> int:
        """How many events could still be delivered: collected, in flight, held, or repeats."""
        repeats = 0 if self._deduplication is None else self._deduplication.undecided
        waiting = self._batches.undecided + self._held.undecided
        if self._claiming is not None:
            waiting += len(self._claiming.batch)
        return waiting + self.dispatcher.undecided + repeats

    @property
    def requests(self) -> RequestCounts:
        """How many requests were sent, and why."""
        return self.dispatcher.requests

    @property
    def stopped(self) -> StopReason | None:
        """Why nothing further is sent, if it is so."""
        return self.dispatcher.stopped

    def oldest_sequence(self) -> int | None:
        """Return the lowest number of a record with an event that could still be delivered."""
        claiming = self._claiming
        sequences = (
            None if self._deduplication is None else self._deduplication.oldest_sequence(),
            self._batches.oldest_sequence(),
            None if claiming is None else claiming.batch.sequences[0],
            self._held.oldest_sequence(),
            self.dispatcher.oldest_sequence(),
        )
        return min((number for number in sequences if number is not None), default=None)

    def next_due_at(self) -> float | None:
        """Return when something can be done; None if only a response or an event can help."""
        times = [self._batches.next_due_at(), self.dispatcher.next_due_at()]
        if self._deduplication is not None and self.stopped is None:
            times += [self._held.next_due_at(), self._deduplication.next_due_at()]
        return min((at for at in times if at is not None), default=None)

    # Actions

    def poll(self) -> None:
        """Read the responses that have come, and send what is due."""
        if self._deduplication is not None and self.stopped is None:
            self._poll_ledger(self._deduplication)
        for batch in self._batches.pop_due(self._clock()):
            self._submit(batch)
        if not self._has_room_for_repeats:
            self._submit_open()  # reading waits for it, and it does not grow by waiting
        self._poll_claim(wait=self._is_closed)
        self._poll_dispatcher()
        if self._is_closed and self.dispatcher.is_idle and self.stopped is None:
            # Nothing will come that could confirm the rejections. Events that another run has
            # claimed may wait for these: if it has refused events too, that run waits for their
            # claims.
            self.dispatcher.settle_unconfirmed()

    def flush(self) -> None:
        """Send what was collected: the input has ended."""
        self._is_flushing = True
        self._submit_open()

    def stop(self, message: str) -> None:
        """Send nothing more."""
        self.dispatcher.stop(message)

    def close(self) -> None:
        """Close the ledger, and end threads and connections."""
        with suppress(DatabaseError):
            self.dispatcher.finish_settling()
        if self._deduplication is not None:
            self._deduplication.close()
        self.dispatcher.close()
        if self._client is not None:
            self._client.close()

    def _poll_ledger(self, deduplication: Deduplication) -> None:
        """Renew the claims, and try again to claim what another run had claimed."""
        try:
            deduplication.poll()
        except LedgerError as error:
            self.stop(error.stop_message)
            return
        for batch in self._held.pop_due(self._clock()):
            self._submit(batch)

    @property
    def _is_closed(self) -> bool:
        """Whether nothing more is read: the input has ended, or waiting events leave no room."""
        has_room = self._has_room_for_repeats and self._held.has_room
        return self._is_flushing or not has_room

    def _submit_open(self) -> None:
        for batch in self._batches.pop_all():
            self._submit(batch)

    @property
    def _has_room_for_repeats(self) -> bool:
        return self._deduplication is None or self._deduplication.has_room

    def _submit(self, batch: Batch) -> None:
        """Hand a batch to the dispatcher, once its events are claimed."""
        self._poll_claim(wait=True)
        if batch.account.mode == "live" and self.stopped is None:
            if self._deduplication is not None:
                self._claim(batch, self._deduplication)
                return
            if self._may_warn:
                self._warn_of_offline_events(batch)
        self._dispatch(batch)

    def _claim(self, batch: Batch, deduplication: Deduplication) -> None:
        """Start to claim the events of a batch that are not repeats of others.

        If the ledger fails, they go to the dispatcher, which is stopped.
        """
        first: Batch | None = batch
        if not batch.keys:  # else it was held
            first, uncertain = deduplication.register(batch)
            for event, sequence in uncertain:
                self._acknowledger.reject_uncertain(event, sequence)
        if first is None:
            return
        try:
            self._claiming = deduplication.start_claim(first)
        except LedgerError as error:
            self.stop(error.stop_message)
            self._dispatch(first)
        else:
            self._poll_claim()

    def _poll_claim(self, *, wait: bool = False) -> None:
        """Dispatch the batch that was being claimed, without what must not be sent, or not yet."""
        claiming = self._claiming
        if self._deduplication is None or claiming is None:
            return
        if not (wait or claiming.has_ended):
            return
        to_send: Batch | None = claiming.batch
        try:
            self._deduplication.poll()  # the run may have stood still since
            to_send, held, done = claiming.result()
        except LedgerError as error:
            self.stop(error.stop_message)
        else:
            self._acknowledger.skip_in_ledger(done)
            if held is not None:
                self._hold(held)
        self._claiming = None
        if to_send is not None:
            self._dispatch(to_send)

    def _dispatch(self, batch: Batch) -> None:
        # Only now: a dry run needs no network, whatever the environment says about it.
        self._client = self._client or self._make_client()
        self.dispatcher.submit(batch)

    def _hold(self, batch: Batch) -> None:
        """Let events wait for the run that has claimed them."""
        self._held.push(batch, self._clock())
        if not self._has_waited:
            self._has_waited = True
            _log.info(
                "Another run with this ledger is sending some of these events: they wait until "
                "it is done with them, or for at most %d seconds after it last reported.",
                LEASE_SECONDS,
            )

    def _warn_of_offline_events(self, batch: Batch) -> None:
        # A list is faster than a generator here.
        if all([event.deduplicable for event in batch.events]):  # noqa: C419
            return
        self._may_warn = False
        _log.warning(
            "Some events are offline events, which Pinterest never deduplicates: set "
            "ledger_url, so that a rerun does not count them twice.",
        )

    def _poll_dispatcher(self) -> None:
        """Let the dispatcher read responses and start requests.

        Nothing in a response is acknowledged that ledger or results cannot record.
        """
        try:
            self.dispatcher.poll(wait=self._is_flushing)
        except DatabaseError as error:
            self.stop(error.stop_message)

    def _send(self, batch: Batch) -> EventsResponse:
        """Make an attempt, on a worker's thread."""
        self._acknowledger.secrets.add(batch.account.token)
        is_test = batch.account.mode != "live"
        assert self._client is not None  # noqa: S101 - `_submit` made it
        return self._client.send_events(batch.account, batch.body(), test=is_test)
