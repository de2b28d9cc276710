"""Threads that make attempts: the only place where a run has threads.

A worker makes one attempt at a time and returns its result through a queue; everything else happens
on the one thread that starts attempts and reads results.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

from target_pinterest_capi.delivery.wakeup import Wakeup

Task = TypeVar("Task")
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class NoThreadError(Exception):
    """The system has no thread for the first worker; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "no thread can be started: allow the process more of them (ulimit -u, or the "
            "container's limit), and run again."
        )


class Workers(Protocol[Task, Result_co]):
    """Makes attempts next to the run's thread, as `WorkerPool` does."""

    @property
    def in_flight(self) -> int:
        """How many attempts are in flight."""

    def overdue_at(self) -> float:
        """Return the time at which the oldest attempt is overdue; infinity if there is none."""

    def start(self, task: Task) -> None:
        """Start an attempt. Raises `NoThreadError` if there is no thread for it."""

    def results(self) -> Iterator[tuple[Task, Result_co]]:
        """Yield results that have arrived. Never waits."""

    def overdue(self) -> Iterator[Task]:
        """Yield the tasks of attempts whose time is over, and continue without them."""

    def close(self) -> None:
        """End idle workers."""


class StartWorkers(Protocol):
    """Creates the workers of one kind of attempts."""

    def __call__(
        self,
        attempt: Callable[[Task], Result],
        wake: Wakeup,
        *,
        attempt_seconds: float,
        clock: Callable[[], float],
    ) -> Workers[Task, Result]:
        """Return workers that make attempts by a function, and set `wake` when one ends."""


def run_within(seconds: float, act: Callable[[], Result]) -> Result | None:
    """Return a function's result; None if it takes longer, and then it continues by itself.

    Raises what the function raises, and `NoThreadError` if there is no thread for it.
    """
    wake = Wakeup()
    deadline = time.monotonic() + seconds
    workers: WorkerPool[None, Result] = WorkerPool(
        lambda _: act(), wake, attempt_seconds=seconds, clock=time.monotonic
    )
    try:
        workers.start(None)
        while not workers.has_results and (left := deadline - time.monotonic()) > 0:
            wake.wait(left)
        return next((result for _, result in workers.results()), None)
    finally:
        workers.close()


class WorkerPool(Generic[Task, Result]):
    """Makes attempts at tasks, each on a thread, as many at once as are started.

    An attempt has `attempt_seconds`; whoever started it decides what happens when it is overdue.
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
        # Attempts by number, oldest first: their task and deadline.
        self._under_way: dict[int, tuple[Task, float]] = {}
        self._tasks: SimpleQueue[tuple[int, Task] | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[int, Result | BaseException]] = SimpleQueue()
        self._threads = 0

    @property
    def in_flight(self) -> int:
        """How many attempts are in flight."""
        return len(self._under_way)

    @property
    def has_results(self) -> bool:
        """Whether an attempt has ended whose result was not read yet."""
        return not self._done.empty()

    def overdue_at(self) -> float:
        """Return the time at which the oldest attempt is overdue; infinity if there is none."""
        oldest = next(iter(self._under_way.values()), None)
        return oldest[1] if oldest is not None else float("inf")

    def start(self, task: Task) -> None:
        """Start an attempt, on another thread if all are busy.

        Raises `NoThreadError`, without starting anything, if there is no thread at all.
        """
        if self._threads <= len(self._under_way):
            self._start_thread()
        number = next(self._number)
        self._under_way[number] = (task, self._clock() + self._attempt_seconds)
        self._tasks.put((number, task))

    def _start_thread(self) -> None:
        """Start a thread; if the system has no more, the existing ones do the work."""
        # Daemons: a request that hangs must not hold up the process after its grace time.
        thread = threading.Thread(
            target=self._work, name=f"sender-{self._threads + 1}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            if not self._threads:
                raise NoThreadError from None
        else:
            self._threads += 1

    def results(self) -> Iterator[tuple[Task, Result]]:
        """Yield results that have arrived. Never waits. Raises what an attempt raised."""
        while not self._done.empty():
            number, result = self._done.get()
            if number not in self._under_way:
                continue  # it was overdue, and the caller has continued without it
            task, _ = self._under_way.pop(number)
            if isinstance(result, BaseException):
                raise result
            yield task, result

    def overdue(self) -> Iterator[Task]:
        """Yield the tasks of attempts whose time is over, and continue without them.

        The client's own timeouts do not end every attempt: each is for one read or write only.
        """
        now = self._clock()
        while self.overdue_at() <= now:
            task, _ = self._under_way.pop(next(iter(self._under_way)))
            self._threads -= 1  # its worker is lost until the attempt ends: another replaces it
            yield task

    def close(self) -> None:
        """End idle workers; one whose attempt hangs ends after it, or with the process."""
        self._tasks.put(None)

    def _work(self) -> None:
        while (next_task := self._tasks.get()) is not None:
            number, task = next_task
            try:
                result: Result | BaseException = self._attempt(task)
            except BaseException as error:  # noqa: BLE001 - raised by the thread that reads results
                result = error
            self._done.put((number, result))
            self._wake.set()
        self._tasks.put(None)  # for the next worker, also one whose attempt has yet to end
