"""Calls that can block, such as to a database or an object store, with a time limit.

They run on a separate thread, one at a time. Knows nothing about what is called.
"""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.delivery.worker_pool import NoThreadError, WorkerPool

MIN_PATIENCE_SECONDS: Final = 0.5  # when no time is left: enough for a healthy service
_LOOK_SECONDS: Final = 0.1  # between two checks of the time left

Result = TypeVar("Result")


class NoAnswerError(OSError):
    """A call did not finish in time, or could not be started; the message says why."""


class BoundedCalls:
    """Makes calls. `seconds_left` returns how long the caller can wait.

    The limit is `patience_seconds`. `silent` is the message about a call that did not finish.
    """

    def __init__(
        self, silent: str, patience_seconds: float, seconds_left: Callable[[], float | None]
    ) -> None:
        self._silent = silent
        self._patience_seconds = patience_seconds
        self._seconds_left = seconds_left
        self._wake = Wakeup()
        self._workers: WorkerPool[Callable[[], Any], Any] = WorkerPool(
            lambda work: work(), self._wake, attempt_seconds=float("inf"), clock=time.monotonic
        )
        self._is_silent = False

    def call(self, work: Callable[[], Result]) -> Result:
        """Run a function, and return its result or raise its error.

        Raises `NoAnswerError` if it takes too long. After that, nothing more is called.
        """
        if self._is_silent:
            raise NoAnswerError(self._silent)
        try:
            self._workers.start(work)
        except NoThreadError as error:
            raise NoAnswerError(str(error).removesuffix(".")) from None
        started_at = time.monotonic()
        while not self._workers.has_results:
            seconds = time.monotonic() - started_at
            left = self._seconds_left()
            is_over = seconds >= self._patience_seconds or (left is not None and left <= 0)
            if is_over and seconds >= MIN_PATIENCE_SECONDS:
                self._is_silent = True
                raise NoAnswerError(self._silent)
            self._wake.wait(_LOOK_SECONDS)
        result: Result
        [(_, result)] = self._workers.results()
        return result

    def close(self) -> None:
        """End the thread, or leave a blocked one to the end of the process."""
        self._workers.close()
