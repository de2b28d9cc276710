"""Requests in flight: starts them, schedules retries, bisects refused ones, stops.

Everything here runs on the one thread that calls `poll`. Retries are due times in a heap, so
nothing sleeps, and a signal can end every wait.
"""

import heapq
import itertools
import logging
import random
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Protocol

from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.concurrency import ConcurrencyLimit
from target_pinterest_capi.delivery.rate_limit import RateLimit
from target_pinterest_capi.delivery.retry_policy import RetryPolicy, count_attempt
from target_pinterest_capi.delivery.unconfirmed_rejections import UnconfirmedRejections
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.delivery.worker_pool import NoThreadError, StartWorkers, WorkerPool
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    EventsResponse,
    EventStatus,
    NoResponse,
    NoResponseKind,
)
from target_pinterest_capi.pinterest.retries import (
    Decision,
    classify,
    describe,
    pause_seconds,
    remedy,
)
from target_pinterest_capi.reporting.counters import RequestCounts

# Of events that wait or are in flight; each body exists once more while it is sent.
MAX_LIVE_BYTES: Final = 32_000_000
# Wait in addition to those in flight, so that an idle worker finds the next one at once.
SPARE_BATCHES: Final = 4
_BEFORE_ALL_OTHERS: Final = 0.0

_log: Final = logging.getLogger("target-pinterest-capi.delivery")


class StopReason(NamedTuple):
    """Why no more requests are sent: a message for the log, with what to do."""

    message: str


class Pending(Protocol):
    """What the outcomes of a batch wait for."""

    @property
    def has_ended(self) -> bool:
        """Whether outcomes can be continued without waiting."""


class BatchOutcomes(Protocol):
    """Gets the results of requests."""

    def settle_answered(
        self, batch: Batch, statuses: list[EventStatus], http_status: int
    ) -> Iterator[Pending]:
        """Every event of the batch has its own status.

        Yields what to wait for, if anything; waits itself if it is continued earlier.
        """

    def settle_refused(self, batch: Batch, message: str, http_status: int) -> None:
        """The single event of the batch was refused."""

    def settle_uncertain(self, batch: Batch) -> Batch | None:
        """The batch may have been processed: return what to send again."""


class _Queued(NamedTuple):
    """A batch in the heap: the earliest first; of equal ones the smallest half, then the oldest."""

    due_at: float
    depth: int  # negative, so that the deepest half comes first
    number: int
    batch: Batch


class _Refusal(NamedTuple):
    """The single event of a batch was refused, with this message."""

    batch: Batch
    message: str
    http_status: int


class _Settling(NamedTuple):
    """A batch with a response, of which `steps` continues with the outcomes."""

    batch: Batch
    steps: Iterator[Pending]
    pending: Pending


class Dispatcher:
    """Carries batches to their end. `send` makes one attempt, on a worker's thread.

    `test_limit` is for the test requests of all accounts together.
    """

    def __init__(
        self,
        send: Callable[[Batch], EventsResponse],
        outcomes: BatchOutcomes,
        *,
        max_in_flight: int,
        max_requests_per_minute: int,
        test_limit: RateLimit | None = None,
        max_retry_seconds: float,
        attempt_seconds: float = float("inf"),
        clock: Callable[[], float],
        wake: Wakeup,
        rng: random.Random | None = None,
        start_workers: StartWorkers = WorkerPool,
    ) -> None:
        self._workers = start_workers(send, wake, attempt_seconds=attempt_seconds, clock=clock)
        self._outcomes = outcomes
        self._max_in_flight = max_in_flight
        self._max_requests_per_minute = max_requests_per_minute
        self._test_limit = test_limit
        self._attempt_seconds = attempt_seconds
        self._clock = clock
        self._retry_policy = RetryPolicy(max_retry_seconds, rng)
        self._rate_limits: dict[str, RateLimit] = {}
        self._queue: list[_Queued] = []
        self._number = itertools.count()
        self._live: set[Batch] = set()
        self._settling: _Settling | None = None
        self._unconfirmed: UnconfirmedRejections[_Refusal] = UnconfirmedRejections()
        self.concurrency_limit = ConcurrencyLimit(max_in_flight)
        self.stopped: StopReason | None = None
        self.requests = RequestCounts()

    # State

    @property
    def has_room(self) -> bool:
        """Whether another batch may be submitted: few wait, so memory is bounded.

        Unconfirmed rejections do not count, because more events are needed to confirm them.
        """
        waiting = len(self._live) - len(self._unconfirmed)
        return (
            waiting < self._max_in_flight + SPARE_BATCHES
            and sum([batch.size_bytes for batch in self._live]) < MAX_LIVE_BYTES
        )

    @property
    def in_flight(self) -> int:
        """How many requests are in flight, or have a response but no outcomes."""
        return self._workers.in_flight + (self._settling is not None)

    @property
    def undecided(self) -> int:
        """How many events wait or are in flight, including unconfirmed rejections."""
        return sum(len(batch) for batch in self._live)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or is in flight; unconfirmed rejections do not count."""
        return not self.in_flight and not self._queue

    @property
    def has_unconfirmed(self) -> bool:
        """Whether rejections wait for an accepted event."""
        return bool(self._unconfirmed)

    def oldest_sequence(self) -> int | None:
        """Return the lowest sequence number of any event that is not acknowledged."""
        return min((batch.sequences[0] for batch in self._live), default=None)

    def next_due_at(self) -> float | None:
        """Return when a request can be started or an attempt is overdue, or None."""
        due_at = self._workers.overdue_at()
        if self._queue and self._may_start():
            due_at = min(due_at, self._queue[0].due_at)
        return due_at if due_at < float("inf") else None

    # Actions

    def submit(self, batch: Batch) -> None:
        """Deliver a batch."""
        self._schedule(batch, self._clock())

    def poll(self, *, wait: bool = False) -> None:
        """Read the responses that have arrived, and start what is due.

        Waits only for pending outcomes: at the next response, and at the end if `wait`.
        """
        if self._settling is not None and self._settling.pending.has_ended:
            self.finish_settling()
        for batch, response in self._workers.results():
            self._conclude(batch, response)
        for batch in self._workers.overdue():
            words = f"the attempt took longer than {self._attempt_seconds:g} seconds"
            self._conclude(batch, NoResponse(NoResponseKind.UNCERTAIN, words))
        self._start_due()
        if wait:
            self.finish_settling()

    def finish_settling(self) -> None:
        """Wait for the outcomes of the last response, if they are pending."""
        settling, self._settling = self._settling, None
        if settling is not None:
            self._settle_next(settling.batch, settling.steps)

    def stop(self, message: str) -> None:
        """Start nothing more; requests in flight may still be answered."""
        if self.stopped is None:
            self.stopped = StopReason(message)

    def close(self) -> None:
        """End idle workers; one whose request hangs ends after it, or with the process."""
        self._workers.close()

    def settle_unconfirmed(self) -> None:
        """Acknowledge the rejections that wait for an accepted event, because none will come."""
        self._settle_rejections(self._unconfirmed.release())

    # Starting

    def _schedule(self, batch: Batch, due_at: float) -> None:
        self._live.add(batch)
        heapq.heappush(self._queue, _Queued(due_at, -batch.depth, next(self._number), batch))

    def _may_start(self) -> bool:
        return self.stopped is None and self.concurrency_limit.allows(self._workers.in_flight)

    def _start_due(self) -> None:
        now = self._clock()
        held: list[_Queued] = []
        while self._queue and self._queue[0].due_at <= now and self._may_start():
            queued = heapq.heappop(self._queue)
            limits = self._limits(queued.batch.account)
            free_at = max(limit.free_at(now) for limit in limits)
            if free_at > now:
                held.append(queued._replace(due_at=free_at))
                continue
            for limit in limits:
                limit.count_call(now)
            self._start(queued.batch, now)
        for queued in held:
            heapq.heappush(self._queue, queued)

    def _start(self, batch: Batch, now: float) -> None:
        try:
            self._workers.start(batch)
        except NoThreadError as error:
            self.stop(str(error))
            self._schedule(batch, _BEFORE_ALL_OTHERS)  # not acknowledged: STATE stays before it
            return
        count_attempt(batch, now, self.requests)
        self.requests.bisecting += batch.attempts == 1 and batch.depth > 0

    def _limits(self, account: Account) -> list[RateLimit]:
        """Return every rate limit that applies to a request of the account."""
        own = self._rate_limit(account)
        if self._test_limit is None or account.mode == "live":
            return [own]
        return [own, self._test_limit]

    def _rate_limit(self, account: Account) -> RateLimit:
        limit = self._rate_limits.get(account.ad_account_id)
        if limit is None:
            limit = RateLimit(self._max_requests_per_minute)
            self._rate_limits[account.ad_account_id] = limit
        return limit

    # Concluding

    def _conclude(self, batch: Batch, response: EventsResponse) -> None:
        decision = classify(response, len(batch))
        match decision:
            case Decision.SETTLE:
                self._settle(batch, response)
            case Decision.RETRY | Decision.SLOW_DOWN:
                self._retry(batch, response, slow_down=decision is Decision.SLOW_DOWN)
            case Decision.UNCERTAIN:
                self._retry_uncertain(batch, response)
            case Decision.BISECT:
                self._bisect(batch, response)
            case Decision.STOP:
                self.stop(f"{describe(response)}: {remedy(response)}")
                self._schedule(batch, _BEFORE_ALL_OTHERS)  # not acknowledged: STATE stays before it

    def _settle(self, batch: Batch, response: EventsResponse) -> None:
        assert isinstance(response, ApiResponse)  # noqa: S101 - else `classify` settles nothing
        assert response.body is not None  # noqa: S101
        self.concurrency_limit.grow()
        pause = pause_seconds(response)
        if pause:
            self._rate_limit(batch.account).block(self._clock() + pause)
            _log.info(
                "Pinterest accepts no more requests for ad account %s now: the next is sent in "
                "%.0f seconds.",
                batch.account.ad_account_id,
                pause,
            )
        if any(event.status == "processed" for event in response.body):
            self._settle_rejections(self._unconfirmed.confirm())
        steps = self._outcomes.settle_answered(batch, response.body, response.status)
        try:
            self.finish_settling()
        finally:  # this response counts, whatever happens to the one before
            self._settle_next(batch, steps)

    def _settle_next(self, batch: Batch, steps: Iterator[Pending]) -> None:
        pending = next(steps, None)
        if pending is None:
            self._live.discard(batch)
        else:
            self._settling = _Settling(batch, steps, pending)

    def _settle_rejections(self, refusals: list[_Refusal]) -> None:
        for refusal in refusals:
            self._outcomes.settle_refused(*refusal)
            self._live.discard(refusal.batch)

    def _retry_uncertain(self, batch: Batch, response: EventsResponse) -> None:
        again = self._outcomes.settle_uncertain(batch)
        if again is not batch:
            self._live.discard(batch)
        if again is not None:
            self._retry(again, response, slow_down=False)

    def _retry(self, batch: Batch, response: EventsResponse, *, slow_down: bool) -> None:
        now = self._clock()
        retry = self._retry_policy.schedule(batch, response, now, f"of {len(batch)} events")
        if slow_down:
            self.concurrency_limit.halve()
            self._rate_limit(batch.account).block(retry.due_at)
        if retry.gave_up is not None:
            self.stop(retry.gave_up)
        else:
            _log.info(
                "%s: retry in %.1f seconds, attempt %d.",
                describe(response),
                retry.due_at - now,
                batch.attempts + 1,
            )
        self._schedule(batch, retry.due_at)

    def _bisect(self, batch: Batch, response: EventsResponse) -> None:
        if len(batch) == 1:
            self._reject(batch, response)
            return
        self._live.discard(batch)
        if not batch.depth:
            _log.info(
                "%s to a request of %d events: bisecting it to find the cause.",
                describe(response),
                len(batch),
            )
        for half in batch.halves():
            self._schedule(half, _BEFORE_ALL_OTHERS)

    def _reject(self, batch: Batch, response: EventsResponse) -> None:
        assert isinstance(response, ApiResponse)  # noqa: S101 - else nothing is bisected
        message = f"{response.status} {response.message}".strip()
        refusal = _Refusal(batch, message, response.status)
        if not self._unconfirmed.hold(refusal):
            self._settle_rejections([refusal])
        elif self._unconfirmed.are_too_many:
            self.stop(
                f"{describe(response)}: {len(self._unconfirmed)} single events were refused and "
                "none was accepted, so the events are not the cause: check ad_account_id, "
                "conversion_token and api_url. No dead letters were written."
            )
