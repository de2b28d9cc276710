"""Calls that can block, such as to a database or an object store, with a time limit.

They run on a separate thread, one at a time, and the caller can do something else meanwhile. Knows
nothing about what is called.
"""

import time
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.delivery.worker_pool import NoThreadError, WorkerPool

MIN_PATIENCE_SECONDS: Final = 0.5  # when no time is left: enough for a healthy service
_LOOK_SECONDS: Final = 0.1  # between two checks of the time left

Result = TypeVar("Result")


class NoAnswerError(OSError):
    """A call did not finish in time, or could not be started; the message says why."""


class StartedCall(Generic[Result]):
    """A call that was started, for the thread that started it."""

    def __init__(self, calls: "BoundedCalls") -> None:
        self._calls = calls
        self.started_at = time.monotonic()
        self.outcome: tuple[Result] | BaseException | None = None

    @property
    def has_ended(self) -> bool:
        """Whether `result` does not wait."""
        return self.outcome is not None or self._calls.has_answer

    def result(self) -> Result:
        """Wait for the function's result, and return it or raise its error.

        Raises `NoAnswerError` if it takes too long. After that, nothing more is called.
        """
        if self.outcome is None:
            self._calls.receive()
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        assert self.outcome is not None  # noqa: S101 - it was received
        return self.outcome[0]


class BoundedCalls:
    """Makes calls. `seconds_left` returns how long the caller can wait.

    The limit is `patience_seconds`. `silent` is the message about a call that did not finish.
    `wake` is set when a call ends.
    """

    def __init__(
        self,
        silent: str,
        patience_seconds: float,
        seconds_left: Callable[[], float | None],
        wake: Wakeup | None = None,
    ) -> None:
        self._silent = silent
        self._patience_seconds = patience_seconds
        self._seconds_left = seconds_left
        self._wake = Wakeup(wake)
        self._workers: WorkerPool[Callable[[], Any], Any] = WorkerPool(
            lambda work: work(), self._wake, attempt_seconds=float("inf"), clock=time.monotonic
        )
        self._started: StartedCall[Any] | None = None
        self._is_silent = False

    def call(self, work: Callable[[], Result]) -> Result:
        """Run a function, and return its result or raise its error, as `StartedCall.result`."""
        return self.start(work).result()

    def start(self, work: Callable[[], Result]) -> StartedCall[Result]:
        """Start a function, after waiting for the one that was started before it.

        Raises `NoAnswerError` if that takes too long, or there is no thread.
        """
        self.receive()
        try:
            self._workers.start(work)
        except NoThreadError as error:
            raise NoAnswerError(str(error).removesuffix(".")) from None
        self._started = StartedCall(self)
        return self._started

    @property
    def has_answer(self) -> bool:
        """Whether the started call has ended."""
        return self._workers.has_results

    def receive(self) -> None:
        """Wait for the started call, if there is one, and store its outcome there."""
        if self._is_silent:
            raise NoAnswerError(self._silent)
        started = self._started
        if started is None:
            return
        while not self._workers.has_results:
            self._check_patience(time.monotonic() - started.started_at)
            self._wake.wait(_LOOK_SECONDS)
        self._started = None
        try:
            [(_, result)] = self._workers.results()
        except BaseException as error:  # noqa: BLE001 - raised where its result is asked for
            started.outcome = error
        else:
            started.outcome = (result,)

    def close(self) -> None:
        """End the thread, or leave a blocked one to the end of the process."""
        self._workers.close()

    def _check_patience(self, seconds: float) -> None:
        left = self._seconds_left()
        is_over = seconds >= self._patience_seconds or (left is not None and left <= 0)
        if is_over and seconds >= MIN_PATIENCE_SECONDS:
            self._is_silent = True
            raise NoAnswerError(self._silent)
