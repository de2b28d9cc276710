"""Requests in flight: starts them, schedules retries, isolates culprits, stops. The only owner of threads.

Everything here runs on the one thread that calls `poll`; sender threads do nothing but one attempt at a time and hand the answer
back through a queue. Retries are due times in a heap, so nothing sleeps, and a signal can end every wait.
"""

import heapq
import itertools
import logging
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.rate_limit import RateLimit
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.pinterest.client import (
    ApiResponse,
    EventStatus,
    NoResponse,
    NoResponseKind,
)
from target_pinterest_capi.pinterest.retries import (
    Decision,
    advice,
    decide,
    delay_seconds,
    in_words,
)

MAX_LIVE_BYTES: Final = 32_000_000  # of events that wait or are under way; each body under way exists once more while it is sent
SPARE_BATCHES: Final = (
    4  # that wait beside those under way, so that a sender that is done finds work
)
SUSPECTS_BEFORE_STOP: Final = (
    3  # single events refused while none was accepted: the refusal is not about the events
)
_BEFORE_ALL_OTHERS: Final = 0.0

_log: Final = logging.getLogger("target-pinterest-capi.delivery")

Task = TypeVar("Task")
Result = TypeVar("Result")


class StopReason(NamedTuple):
    """Why no further request is sent: in words for the log, with what to do."""

    message: str


@dataclass(slots=True)
class RequestCounts:
    """How many requests were sent: all of them, those that repeated a batch, and those that halved a refused one."""

    sent: int = 0
    repeated: int = 0
    isolating: int = 0


class BatchOutcomes(Protocol):
    """Who is told how requests end."""

    def answered(self, batch: Batch, statuses: list[EventStatus]) -> None:
        """Every event of the batch has its own status."""

    def refused(self, batch: Batch, message: str) -> None:
        """The single event of the batch was refused."""

    def uncertain(self, batch: Batch) -> Batch | None:
        """The batch may have been processed: settle what must not be sent again, and give what is to be."""


class WorkerPool(Generic[Task, Result]):
    """Threads that do nothing but one attempt at a time; the results are read on the one thread that starts the attempts.

    An attempt has `attempt_seconds`; what becomes of one that is overdue is up to whoever started it.
    """

    def __init__(
        self,
        attempt: Callable[[Task], Result],
        wake: Wakeup,
        *,
        attempt_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._attempt = attempt
        self._wake = wake
        self._attempt_seconds = attempt_seconds
        self._clock = clock
        self._number = itertools.count()
        self._under_way: dict[
            int, tuple[Task, float]
        ] = {}  # attempts by number, oldest first: their task and deadline
        self._tasks: SimpleQueue[tuple[int, Task] | None] = SimpleQueue()
        self.done: SimpleQueue[tuple[int, Result | BaseException]] = SimpleQueue()
        self._threads = 0

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        return len(self._under_way)

    def overdue_at(self) -> float:
        """Give the time at which the oldest attempt is overdue; infinite where none is under way."""
        return next(iter(self._under_way.values()))[1] if self._under_way else float("inf")

    def start(self, task: Task) -> None:
        """Begin an attempt, on one more thread where all are at work."""
        number = next(self._number)
        self._under_way[number] = (task, self._clock() + self._attempt_seconds)
        if self._threads < len(self._under_way):
            self._threads += 1
            # Daemons: a request that hangs must not hold the process after its grace time.
            threading.Thread(target=self._work, name=f"sender-{self._threads}", daemon=True).start()
        self._tasks.put((number, task))

    def results(self) -> Iterator[tuple[Task, Result]]:
        """Give what has come back, and never wait. Raises what an attempt raised."""
        while not self.done.empty():
            number, result = self.done.get()
            if number not in self._under_way:
                continue  # it was overdue, and whoever started it has gone on without it
            task, _ = self._under_way.pop(number)
            if isinstance(result, BaseException):
                raise result
            yield task, result

    def overdue(self) -> Iterator[Task]:
        """Go on without attempts whose time is over: the client's own timeouts are each for one read or write only."""
        now = self._clock()
        while self.overdue_at() <= now:
            task, _ = self._under_way.pop(next(iter(self._under_way)))
            self._threads -= 1  # its sender is lost until the attempt ends: another takes its place
            yield task

    def close(self) -> None:
        """End the senders that wait; one whose request hangs ends after it, or with the process."""
        self._tasks.put(None)

    def _work(self) -> None:
        """A sender: one attempt at a time, until the pool is closed."""
        while (given := self._tasks.get()) is not None:
            number, task = given
            try:
                result: Result | BaseException = self._attempt(task)
            except BaseException as error:  # noqa: BLE001 - handed to the thread that reads results, which raises it
                result = error
            self.done.put((number, result))
            self._wake.set()
        self._tasks.put(None)  # for the next one, also for one whose attempt is still to end


class Dispatcher:
    """Carries batches to their end. `send` makes one attempt (on a sender thread); `settlement` hears of every end."""

    def __init__(
        self,
        send: Callable[[Batch], ApiResponse | NoResponse],
        settlement: BatchOutcomes,
        *,
        max_in_flight: int,
        max_requests_per_minute: int,
        max_retry_seconds: float,
        attempt_seconds: float = float("inf"),
        clock: Callable[[], float],
        wake: Wakeup,
        rng: random.Random | None = None,
    ) -> None:
        self._senders = WorkerPool(send, wake, attempt_seconds=attempt_seconds, clock=clock)
        self._settlement = settlement
        self._max_in_flight = max_in_flight
        self._max_requests_per_minute = max_requests_per_minute
        self._max_retry_seconds = max_retry_seconds
        self._attempt_seconds = attempt_seconds
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._limits: dict[str, RateLimit] = {}
        self._queue: list[tuple[float, int, int, Batch]] = []
        self._number = itertools.count()
        self._live: set[Batch] = set()
        self._suspects: list[tuple[Batch, ApiResponse]] = []
        self._allowed = float(max_in_flight)
        self._holds_suspects = True  # until something is accepted
        self.stopped: StopReason | None = None
        self.requests = RequestCounts()

    # What the run asks

    @property
    def has_room(self) -> bool:
        """Tell whether another batch may be submitted: a few wait beside those that may be in flight, so memory is bounded.

        Suspects do not count: it takes further events to decide about them.
        """
        waits = len(self._live) - len(self._suspects)
        return (
            waits < self._max_in_flight + SPARE_BATCHES
            and sum([batch.size_bytes for batch in self._live]) < MAX_LIVE_BYTES
        )

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return self._senders.in_flight

    @property
    def undecided(self) -> int:
        """How many events wait or are under way, suspects among them."""
        return sum(len(batch) for batch in self._live)

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing waits or is under way; suspects, held until something is accepted, do not count."""
        return not self._senders.in_flight and not self._queue

    def oldest_sequence(self) -> int | None:
        """Give the lowest sequence number of any unsettled event."""
        return min((batch.sequences[0] for batch in self._live), default=None)

    def next_due_at(self) -> float | None:
        """Give the time at which something can be started or an attempt is overdue; None when nothing is under way or waits."""
        can_start = (
            self._queue and not self.stopped and self._senders.in_flight < int(self._allowed)
        )
        due_at = min(self._senders.overdue_at(), self._queue[0][0] if can_start else float("inf"))
        return due_at if due_at < float("inf") else None

    # What moves it

    def submit(self, batch: Batch) -> None:
        """Take a batch to its end."""
        self._schedule(batch, self._clock())

    def poll(self) -> None:
        """Read the answers that have come, and start what is due. Never waits."""
        for batch, answer in self._senders.results():
            self._conclude(batch, answer)
        for batch in self._senders.overdue():
            self._conclude(
                batch,
                NoResponse(
                    NoResponseKind.UNCERTAIN,
                    f"the attempt was not over within {self._attempt_seconds:g} seconds",
                ),
            )
        self._start_due()

    def stop(self, message: str) -> None:
        """Start nothing more; what is under way may still be answered."""
        if self.stopped is None:
            self.stopped = StopReason(message)

    def close(self) -> None:
        """End the senders that wait; one whose request hangs ends after it, or with the process."""
        self._senders.close()

    def release_suspects(self) -> None:
        """Settle the refused single events that waited for an accepted one, which came, or will not; no further ones are held."""
        self._holds_suspects = False
        suspects, self._suspects = self._suspects, []
        for batch, answer in suspects:
            self._settlement.refused(batch, _quote(answer))
            self._live.discard(batch)

    # Starting

    def _schedule(self, batch: Batch, due_at: float) -> None:
        self._live.add(batch)
        heapq.heappush(self._queue, (due_at, -batch.depth, next(self._number), batch))

    def _start_due(self) -> None:
        now = self._clock()
        held: list[tuple[float, int, int, Batch]] = []
        while (
            self._queue
            and not self.stopped
            and self._senders.in_flight < int(self._allowed)
            and self._queue[0][0] <= now
        ):
            item = heapq.heappop(self._queue)
            batch = item[3]
            limit = self._limit(batch.account)
            free_at = limit.free_at(now)
            if free_at > now:
                held.append((free_at, *item[1:]))
                continue
            limit.took(now)
            self._start(batch, now)
        for item in held:
            heapq.heappush(self._queue, item)

    def _start(self, batch: Batch, now: float) -> None:
        batch.attempts += 1
        self.requests.sent += 1
        self.requests.repeated += batch.attempts > 1
        self.requests.isolating += batch.attempts == 1 and batch.depth > 0
        if batch.first_attempt_at is None:
            batch.first_attempt_at = now
        self._senders.start(batch)

    def _limit(self, account: Account) -> RateLimit:
        limit = self._limits.get(account.ad_account_id)
        if limit is None:
            limit = self._limits[account.ad_account_id] = RateLimit(self._max_requests_per_minute)
        return limit

    # Concluding

    def _conclude(self, batch: Batch, answer: ApiResponse | NoResponse) -> None:
        decision = decide(answer, len(batch))
        match decision:
            case Decision.SETTLE:
                self._settle(batch, answer)
            case Decision.RETRY | Decision.SLOW_DOWN:
                self._retry(batch, answer, slow_down=decision is Decision.SLOW_DOWN)
            case Decision.UNCERTAIN:
                again = self._settlement.uncertain(batch)
                if again is not batch:
                    self._live.discard(batch)
                if again is not None:
                    self._retry(again, answer, slow_down=False)
            case Decision.ISOLATE:
                self._isolate(batch, answer)
            case Decision.STOP:
                self.stop(f"{in_words(answer)}: {advice(answer)}")
                self._schedule(batch, _BEFORE_ALL_OTHERS)  # unsettled: STATE stays before it

    def _settle(self, batch: Batch, answer: ApiResponse | NoResponse) -> None:
        assert isinstance(answer, ApiResponse)  # noqa: S101 - decide() settles answers only
        assert answer.events is not None  # noqa: S101
        self._allowed = min(float(self._max_in_flight), self._allowed + 1.0 / self._allowed)
        if answer.remaining_calls == 0 and answer.retry_after_seconds:
            self._limit(batch.account).block(self._clock() + answer.retry_after_seconds)
        if any(status.status == "processed" for status in answer.events):
            self.release_suspects()
        self._settlement.answered(batch, answer.events)
        self._live.discard(batch)

    def _retry(self, batch: Batch, answer: ApiResponse | NoResponse, *, slow_down: bool) -> None:
        now = self._clock()
        wait = answer.retry_after_seconds if isinstance(answer, ApiResponse) else None
        due_at = now + delay_seconds(max(1, batch.attempts), wait, self._rng)
        if slow_down:
            self._allowed = max(1.0, self._allowed / 2)
            self._limit(batch.account).block(due_at)
        begun = batch.first_attempt_at if batch.first_attempt_at is not None else now
        if due_at - begun > self._max_retry_seconds:
            self.stop(
                f"gave up after {now - begun:.0f} seconds and {batch.attempts} attempts "
                f"(max_retry_seconds is {self._max_retry_seconds:g}); "
                f"the last: {in_words(answer)}. Run again once Pinterest answers: STATE stays before what was not delivered.",
            )
            self._schedule(batch, due_at)
            return
        _log.info(
            "%s: sent again in %.1f seconds, attempt %d.",
            in_words(answer),
            due_at - now,
            batch.attempts + 1,
        )
        self._schedule(batch, due_at)

    def _isolate(self, batch: Batch, answer: ApiResponse | NoResponse) -> None:
        assert isinstance(answer, ApiResponse)  # noqa: S101 - failures are never isolated
        if len(batch) > 1:
            self._live.discard(batch)
            if not batch.depth:
                _log.info(
                    "%s to a request of %d events: looking for the cause by halving.",
                    in_words(answer),
                    len(batch),
                )
            for half in batch.halves():
                self._schedule(half, _BEFORE_ALL_OTHERS)
            return
        if not self._holds_suspects:
            self._settlement.refused(batch, _quote(answer))
            self._live.discard(batch)
            return
        self._suspects.append((batch, answer))
        if len(self._suspects) >= SUSPECTS_BEFORE_STOP:
            self.stop(
                f"{in_words(answer)}: {len(self._suspects)} single events were refused and none was accepted, so the refusal "
                "is not about the events: check ad_account_id, conversion_token and api_url. No dead letters were written.",
            )


def _quote(answer: ApiResponse) -> str:
    return f"{answer.status} {answer.message}".strip()
