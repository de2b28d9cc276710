"""Arrow batches as they come, fetched beside the run: answers are read and batches leave also while Spark is still making rows.

Owns the one fetch that is under way. What waits in memory is the batch at work and the next one. Never looks into a batch.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.delivery.worker_pool import WorkerPool


class Prefetch:
    """The batches of a partition, once. Iterating raises `RunStopped` where the run has to stop, and what Spark raised."""

    def __init__(self, run: Run, batches: Iterable[Any]) -> None:
        self._run = run
        self._source = iter(batches)
        self._fetches: WorkerPool[Iterator[Any], Any] = WorkerPool(
            _next, run.wake, attempt_seconds=float("inf"), clock=time.monotonic
        )
        self._is_open = True
        self._fetches.start(self._source)

    def __iter__(self) -> Iterator[Any]:
        while self._is_open:
            self._run.poll()
            yield from self._fetched()
            if self._is_open and not self._fetches.has_results:
                self._run.wait()

    def let_go(self) -> None:
        """Read the rest and forget it. Spark's own reading goes on where this one ends: two at once would mix up their bytes."""
        while self._is_open:
            for _ in self._fetched():
                continue
            if self._is_open and not self._fetches.has_results:
                self._run.wake.wait(None)

    def _fetched(self) -> Iterator[Any]:
        for source, batch in self._fetches.results():
            if batch is None:
                self._is_open = False
                self._fetches.close()
                return
            self._fetches.start(source)
            yield batch


def _next(source: Iterator[Any]) -> Any:
    return next(source, None)
